"""`controlroom dbt variables …`: what commands and robots find in their environment."""

import os
import sys
from typing import Any
from urllib.parse import quote

from cyclopts import App

from controlroom.cli.calling import Client
from controlroom.cli.dbt.places import Project, in_workspace, numbered
from controlroom.cli.display import moment
from controlroom.cli.errors import CommandFailed, Misused
from controlroom.cli.login import asked_password
from controlroom.cli.lookup import find_id
from controlroom.cli.options import HERE, RoomOptions, Yes
from controlroom.cli.values import confirmed, line
from controlroom.cli.verbs import show_rows, tell

app = App(name="variables", help="Values that jobs and robots find in their environment: list, show, set, delete.")

_SECRET = "DBT_ENV_SECRET"  # noqa: S105 - the beginning of names
_COLUMNS = [
    ("name", lambda row: row["name"]),
    ("of", lambda row: row["target_name"] or row["scope"]),
    ("value", lambda row: "(secret)" if row["is_secret"] else row["value"]),
    ("changed", lambda row: moment(row["updated_at"])),
]


@app.command(name="list")
def list_(*, project: Project = None, room: RoomOptions = HERE) -> None:
    """List the variables of the workspace, of its environments, processes and users; secret values are never shown.

    Parameters
    ----------
    project
        Name, number or id of a project; without, those of the workspace.
    """
    with in_workspace(room, project) as client:
        rows = client.get("/variables")
    show_rows(
        room,
        rows,
        _COLUMNS,
        empty="There is no variable in this workspace; of a project: --project NAME",
    )


@app.command
def show(name: str, /, *, project: Project = None, room: RoomOptions = HERE) -> None:
    """Show the values of a variable in all scopes.

    Parameters
    ----------
    name
        Name of the variable.
    project
        Name, number or id of a project; without, that of the workspace.
    """
    with in_workspace(room, project) as client:
        rows = _named(client, name)
    show_rows(room, rows, _COLUMNS)


@app.command(name="set")
def set_(
    name: str,
    value: str | None = None,
    /,
    *,
    environment: str | None = None,
    job: str | None = None,
    from_variable: str | None = None,
    project: Project = None,
    room: RoomOptions = HERE,
) -> None:
    """Make a variable, or give one another value: of the workspace, or of one environment or job in it.

    Parameters
    ----------
    name
        Capital letters, digits and _. What begins with DBT_ENV_SECRET is secret.
    value
        The value, or @file so that it is in no list of processes and no shell's history (@- reads it from the standard
        input). Without, it is asked for.
    environment
        Name or id of the environment for whose jobs alone it is.
    job
        Name or id of the job (or process) for which alone it is.
    from_variable
        The variable of this shell that has the value.
    project
        Name, number or id of a project; without, it is of the workspace.
    """
    if environment is not None and job is not None:
        raise Misused("give --environment or --job, not both")
    given = _value(name, value, from_variable)
    with in_workspace(room, project) as client:
        body: dict[str, Any] = {"name": name, "value": given}
        if environment is not None:
            body["target_id"] = numbered(client, "targets", environment)["id"]
        if job is not None:
            body["process_id"] = find_id(client, "processes", job)
        answer = client.post("/variables", body)
    tell(room, answer)


@app.command
def delete(
    name: str,
    /,
    *,
    environment: str | None = None,
    job: str | None = None,
    project: Project = None,
    yes: Yes = False,
    room: RoomOptions = HERE,
) -> None:
    """Delete a variable: of one environment or job, or in all scopes.

    Parameters
    ----------
    name
        Name of the variable.
    environment
        Only that of this environment.
    job
        Only that of this job.
    project
        Name, number or id of a project; without, that of the workspace.
    """
    with in_workspace(room, project) as client:
        rows = _named(client, name)
        if environment is not None:
            target = numbered(client, "targets", environment)["id"]
            rows = [row for row in rows if row["target_id"] == target]
        if job is not None:
            process = find_id(client, "processes", job)
            rows = [row for row in rows if row["process_id"] == process]
        if not rows:
            of = "environment" if environment is not None else "job"
            raise CommandFailed(
                f"that {of} has no variable {name} of its own",
                hint="`controlroom dbt variables list` shows whose it is.",
            )
        confirmed(f"Delete the variable {name}, in {len(rows)} scopes?", yes=yes)
        everywhere = environment is None and job is None
        answers = (
            client.delete(f"/variables?name={quote(name)}")
            if everywhere
            else [client.delete(f"/variables/{row['id']}") for row in rows]
        )
    tell(room, answers)


def _named(client: Client, name: str) -> list[dict[str, Any]]:
    rows = [row for row in client.get("/variables") if row["name"] == name]
    if not rows:
        raise CommandFailed(
            f"there is no variable {name} in this workspace", hint="One of a project is named with --project NAME."
        )
    return rows


def _value(name: str, value: str | None, from_variable: str | None) -> str:
    if from_variable is not None:
        if value is not None:
            raise Misused("give a value or --from-variable, not both")
        if (found := os.environ.get(from_variable)) is None:
            raise Misused(f"this shell has no variable {from_variable}")
        return found
    if value is None:
        if not sys.stdin.isatty():
            raise Misused("which value? Give it, @file, @- or --from-variable")
        return asked_password(f"Value of {name}: ")
    if name.startswith(_SECRET) and not value.startswith("@"):
        raise Misused(
            "a secret value in the command is seen in every list of processes",
            hint="Give @file, @- or --from-variable; without a value it is asked for.",
        )
    return line(value)
