"""`controlroom dbt artifacts …`: what the steps of a run have left."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from controlroom.cli.dbt.cloud import cloud
from controlroom.cli.display import progress, show_json
from controlroom.cli.errors import CommandFailed
from controlroom.cli.files import Downloads
from controlroom.cli.options import HERE, RoomOptions
from controlroom.cli.screen import harmless

app = App(name="artifacts", help="Files that the steps of a run left: list, download.")


@app.command(name="list")
def list_(run: int, /, *, step: int | None = None, room: RoomOptions = HERE) -> None:
    """List the paths of what a run has left.

    Parameters
    ----------
    run
        Id of the run.
    step
        Of which step, counted from 1; without, of the last one that has left anything.
    """
    with cloud(room) as client:
        names = client.told(f"runs/{run}/artifacts/", step=step)
    if room.json:
        show_json(names)
    for name in names if not room.json else ():
        print(harmless(name))


@app.command
def download(
    run: int,
    /,
    *,
    step: int | None = None,
    name: str | None = None,
    output: Annotated[Path, Parameter(alias="-o")] = Path("target"),
    room: RoomOptions = HERE,
) -> None:
    """Fetch what a run has left into a folder.

    Parameters
    ----------
    run
        Id of the run.
    step
        Of which step, counted from 1; without, of the last one that has left anything.
    name
        Only this file, by its path.
    output
        The folder.
    """
    written: list[str] = []
    downloads = Downloads(output)
    with cloud(room) as client:
        names = client.told(f"runs/{run}/artifacts/", step=step)
        wanted = [each for each in names if name in {None, each}]
        if name is not None and not wanted:
            raise CommandFailed(
                f"the run has left no {name}", hint="`controlroom dbt artifacts list` names what it has."
            )
        for each in wanted:
            address = client.at(f"runs/{run}/artifacts/{each}") + ("" if step is None else f"?step={step}")
            with downloads.file(each) as (path, out), progress(each, None) as seen:
                client.download(address, out, seen, is_signed=False)
            written.append(str(path))
            if not room.json:
                print(harmless(str(path)))
    if room.json:
        show_json(written)
