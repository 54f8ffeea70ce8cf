"""`controlroom artifacts …`."""

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from controlroom.cli.address import address
from controlroom.cli.calling import Client
from controlroom.cli.display import progress, show_json, size
from controlroom.cli.errors import CommandFailed
from controlroom.cli.files import Downloads
from controlroom.cli.options import HERE, RoomOptions
from controlroom.cli.verbs import show_rows
from controlroom.file_names import shortened

app = App(name="artifacts")

_LONGEST_STEP = 200
"""Bytes, so that a number has room after it."""


@app.command(name="list")
def list_(run: str, /, *, room: RoomOptions = HERE) -> None:
    """List the files that the step runs of a run left."""
    with Client(address(room)) as client:
        rows = [
            {**artifact, "step_run": step_run, "folder": folder} for step_run, folder, artifact in _each(client, run)
        ]
    show_rows(
        room,
        rows,
        [
            ("step run", lambda row: row["folder"]),
            ("phase", lambda row: row.get("phase", {}).get("name")),
            ("name", lambda row: row["name"]),
            ("size", lambda row: size(row["size"])),
            ("id", lambda row: row["id"]),
        ],
        empty="The run left no files.",
    )


@app.command
def download(
    run: str,
    /,
    *,
    output: Annotated[Path, Parameter(alias="-o")] = Path("artifacts"),
    name: str | None = None,
    room: RoomOptions = HERE,
) -> None:
    """Fetch the files that the step runs of a run left, into a folder for each step run.

    Parameters
    ----------
    run
        Id of the run.
    output
        The folder.
    name
        Only files of this name.
    """
    written = []
    downloads = Downloads(output)
    with Client(address(room)) as client:
        for step_run, folder, artifact in _each(client, run):
            if name is not None and artifact["name"] != name:
                continue
            link = client.get(f"/step-runs/{step_run}/artifacts/{artifact['id']}")["url"]
            with (
                downloads.file(f"{folder}/{artifact['name']}") as (path, out),
                progress(artifact["name"], artifact["size"]) as told,
            ):
                client.download(link, out, told)
            written.append(str(path))
            if not room.json:
                print(path)
    if name is not None and not written:
        raise CommandFailed(f"the run left no file called {name!r}", hint="`controlroom artifacts list` shows them.")
    if room.json:
        show_json(written)
    elif not written:
        print("The run left no files.", file=sys.stderr)


def _each(client: Client, run: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Step run, a name for it that is a folder's, and artifact."""
    seen: Counter[str] = Counter()
    for step_run in client.each("/step-runs", process_run_id=run):
        step = _folder_name(step_run["step"]["name"]) or "step"
        seen[step] += 1
        phases: dict[str, str] = {}
        for artifact in client.each(f"/step-runs/{step_run['id']}/artifacts"):
            folder = f"{step}-{seen[step]}"
            if phase := artifact.get("phase"):
                phases.setdefault(phase["id"], f"{len(phases) + 1}-{_folder_name(phase['name'])}")
                folder = f"{folder}/{phases[phase['id']]}"
            yield step_run["id"], folder, artifact


def _folder_name(name: str) -> str:
    return shortened(name.replace("/", "_").lstrip("."), _LONGEST_STEP)
