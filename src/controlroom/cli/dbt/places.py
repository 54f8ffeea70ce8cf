"""Which project a command means, and the things in it by id, number or name."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from cyclopts import Parameter

from controlroom.cli.address import address
from controlroom.cli.calling import Client
from controlroom.cli.errors import CommandFailed
from controlroom.cli.governing import governing
from controlroom.cli.lookup import existing, find
from controlroom.cli.options import RoomOptions

Project = Annotated[str | None, Parameter(name=("--project", "-p"))]
"""The option that names a project."""


@contextmanager
def in_project(room: RoomOptions, project: str | None) -> Iterator[Client]:
    """A client of the workspace that is the project which is meant; of its own where there is no project yet.

    Raises CommandFailed.
    """
    with governing(room) as client:
        if project is None and not projects(client):
            yield client
            return
        place = meant(client, project)
        with Client(client.address._replace(workspace=place["id"])) as there:
            yield there


@contextmanager
def in_workspace(room: RoomOptions, project: str | None) -> Iterator[Client]:
    """A client of the project that is named, else of the workspace itself, whether it is a project or not."""
    if project is not None:
        with in_project(room, project) as client:
            yield client
        return
    with Client(address(room)) as client:
        yield client


def projects(client: Client) -> list[dict[str, Any]]:
    """All projects that the caller sees."""
    return list(client.each(f"{client.address.url}/api/v1/projects"))


def meant(client: Client, project: str | None) -> dict[str, Any]:
    """The project that is meant: the one that is named, else that of the workspace, else the only one."""
    known = projects(client)
    if project is not None:
        return one(known, project, "project")
    mine = [each for each in known if each["id"] == client.address.workspace] or known
    if len(mine) != 1:
        hint = existing([each["name"] for each in known]) if known else "To push one: controlroom dbt push DIR"
        raise CommandFailed("which project? Name it by --project" if known else "there is no project yet", hint=hint)
    return mine[0]


def one(rows: list[dict[str, Any]], named: str, noun: str) -> dict[str, Any]:
    """The one of this id, number or name. Raises CommandFailed."""
    for key in ("id", "number", "name"):
        same = [each for each in rows if str(each[key]) == (named.lower() if key == "id" else named)]
        if len(same) > 1:
            numbers = ", ".join(str(each["number"]) for each in same)
            raise CommandFailed(f"several are called {named!r}", hint=f"Name one by its number: {numbers}")
        if same:
            return same[0]
    raise CommandFailed(f"there is no {noun} {named!r}", hint=existing([each["name"] for each in rows]))


def numbered(client: Client, kind: str, named: str) -> dict[str, Any]:
    """What has a number, as programs of dbt's platform are told it; or an id or a name."""
    if named.isdecimal():
        for each in client.each(f"/{kind}"):
            if str(each["number"]) == named:
                return each
    return find(client, kind, named)
