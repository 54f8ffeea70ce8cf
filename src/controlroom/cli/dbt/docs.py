"""`controlroom dbt docs`: the documentation that the last good run of a job has made of its project."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from controlroom.cli.dbt.jobs import job_docs
from controlroom.cli.display import progress, show_json
from controlroom.cli.files import whole_file
from controlroom.cli.governing import governing
from controlroom.cli.options import HERE, RoomOptions
from controlroom.cli.screen import harmless


def docs(
    job: str,
    /,
    *,
    project: Annotated[str | None, Parameter(name=("--project", "-p"))] = None,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    room: RoomOptions = HERE,
) -> None:
    """Print the address of the documentation that the last good run of a job has made; it is good for an hour.

    A run makes it that ends with `dbt docs generate`: one of `dbt jobs create --docs`, or started with `--docs`.

    Parameters
    ----------
    job
        Name, number or id of the job.
    project
        Name, number or id of its project; only needed where several have a job of the name.
    output
        A file into which the page is fetched, in place of printing its address. It needs no server.
    """
    with governing(room) as client:
        found = job_docs(client, job, project)
        if output is not None:
            with whole_file(output) as out, progress(output.name, None) as seen:
                client.download(found["url"], out, seen)
            found = {**found, "file": str(output)}
    if room.json:
        show_json(found)
    else:
        print(harmless(found["url"] if output is None else found["file"]))
