"""What the overrides of a start mean, found while its process stands still."""

from collections.abc import Mapping, Sequence

from controlroom.engine.access.scope import Scope, ScopedTx
from controlroom.engine.packages import labels
from controlroom.engine.packages.errors import LabelNotFound, PackageVersionNotFound
from controlroom.engine.packages.labels import LabelledVersion
from controlroom.engine.processes.model import Step, StepCommands, StepTask
from controlroom.engine.runs.model import Overrides
from controlroom.errors import Conflict
from controlroom.ids import PackageId, PackageVersionId


class TaskNotInVersion(Conflict):
    """The version that a start asked for does not have a task that a step runs."""

    code = "TASK_NOT_IN_VERSION"

    def __init__(self, task: str, package: str, version: int) -> None:
        super().__init__(f"version {version} of {package} has no task {task!r}")


async def overridden_versions(
    tx: ScopedTx, scope: Scope, steps: Sequence[Step], overrides: Overrides
) -> dict[PackageId, PackageVersionId]:
    """The versions that a run shall take, by package; of packages that are not named, each claim takes the latest.

    A label means one in the package of each step. Raises PackageVersionNotFound for a version that is of no step's
    package, LabelNotFound for a package without the label, TaskNotInVersion.
    """
    works = [step.work for step in steps if isinstance(step.work, StepTask | StepCommands)]
    packages = {work.package_id for work in works}
    found: Mapping[PackageId, LabelledVersion] = {}
    if overrides.version is not None:
        found = await labels.of_ids(tx, scope, packages, [overrides.version])
        if not found:
            raise PackageVersionNotFound(overrides.version)
    elif overrides.label is not None:
        found = await labels.labelled(tx, scope, packages, overrides.label)
        if without := next((work for work in works if work.package_id not in found), None):
            raise LabelNotFound(overrides.label, without.package_name)
    tasks = [work for work in works if isinstance(work, StepTask)]
    for task in tasks:
        version = found.get(task.package_id)
        if version is not None and task.name not in version.tasks:
            raise TaskNotInVersion(task.name, task.package_name, version.version)
    return {package: version.id for package, version in found.items()}
