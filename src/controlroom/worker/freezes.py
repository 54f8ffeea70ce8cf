"""The exact contents of environments, kept as files for the artifacts of every step run that used them."""

from pathlib import Path

from controlroom import whole_files
from controlroom.worker.environments.environment import Environment, EnvironmentKind
from controlroom.worker.environments.freeze import freeze, freeze_name


class Freezes:
    """Freeze files, one for each environment; several step runs may ask for one at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, environment: Environment) -> list[tuple[str, Path]]:
        """Name and file; nothing for the machine's own tools, which nobody can build again."""
        if environment.kind is EnvironmentKind.MACHINE:
            return []
        file = self._folder / f"{environment.prefix.name}.yaml"
        if not file.exists():
            self._folder.mkdir(exist_ok=True)
            whole_files.write(file, freeze(environment).encode())
        return [(freeze_name(), file)]
