"""`controlroom dbt environments …`: what the jobs of a project work on."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from cyclopts import App, Group, Parameter

from controlroom.cli.calling import Client
from controlroom.cli.dbt.addresses import password
from controlroom.cli.dbt.places import Project, in_project, numbered
from controlroom.cli.display import moments
from controlroom.cli.options import HERE, RoomOptions, Yes
from controlroom.cli.values import NONE, changes, confirmed
from controlroom.cli.verbs import show_one, show_rows, tell

app = App(name="environments", help="What the jobs of a project work on: list, show, create, set, delete.")

_Kind = Literal["deployment", "development"]


@Parameter(name="*", group=Group("What it is"))
@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """What is said of an environment."""

    purpose: Literal["production", "staging", "none"] | None = None
    """Of those for jobs: production, staging or none."""
    connection: str | None = None
    """The database, by name or id; without, or by `none`, the project's."""
    branch: str | None = None
    """What is run of the repository; without, or by `none`, what the project says."""
    dbt_version: str | None = None
    """As programs ask for it: 1.11, 1.11.0-latest, latest. What the room has is dbt-core 1.11."""
    user: str | None = None
    """As whom the database is used."""
    schema: str | None = None
    """In which its tables are made."""
    threads: int | None = None
    """How many models are built at once."""
    password_file: str | None = None
    """File with the password of the database (- for the standard input). Without, it is read from the variable
    CONTROLROOM_DBT_PASSWORD, or asked for at a terminal where a new environment has a user."""


AS_USUAL = Said()


@app.command(name="list")
def list_(*, project: Project = None, room: RoomOptions = HERE) -> None:
    """List the environments of a project.

    Parameters
    ----------
    project
        Name, number or id of the project; only needed where there are several.
    """
    with in_project(room, project) as client:
        rows = list(client.each("/targets"))
    show_rows(
        room,
        rows,
        [
            ("id", lambda row: row["number"]),
            ("name", lambda row: row["name"]),
            ("type", lambda row: row["kind"]),
            ("purpose", lambda row: row["purpose"]),
            ("branch", lambda row: row["branch"] if row["uses_branch"] else None),
            ("dbt", lambda row: row["tool_version"]),
        ],
        empty="There is no environment yet: controlroom dbt environments create NAME --purpose production",
    )


@app.command
def show(environment: str, /, *, project: Project = None, room: RoomOptions = HERE) -> None:
    """Show an environment, with its connection and as whom it is used; never the password.

    Parameters
    ----------
    environment
        Name or id.
    project
        Name, number or id of the project; only needed where there are several.
    """
    with in_project(room, project) as client:
        found = numbered(client, "targets", environment)
        login = client.get(f"/logins/{found['login_id']}") if found["login_id"] else {}
        connection = client.get(f"/connections/{found['connection_id']}") if found["connection_id"] else {}
    told = {"connection": connection.get("name"), "user": login.get("username"), "schema": login.get("schema_name")}
    told |= {"threads": login.get("threads"), "has password": login.get("has_password")}
    show_one(room, found, {**found, **told, **moments(found, "created_at", "updated_at")})


@app.command
def create(
    name: str,
    /,
    *,
    kind: Annotated[_Kind, Parameter(name="--type")] = "deployment",
    project: Project = None,
    said: Said = AS_USUAL,
    room: RoomOptions = HERE,
) -> None:
    """Make an environment.

    Parameters
    ----------
    name
        What to call it.
    kind
        For jobs, or for people.
    project
        Name, number or id of the project; only needed where there are several.
    """
    with in_project(room, project) as client:
        body = {"name": name, "kind": kind} | _target(client, said)
        login = _login(said, is_asked=said.user is not None)
        answer = client.post("/targets", body | ({"login": login} if login else {}))
    tell(room, answer, "number")


@app.command(name="set")
def set_(
    environment: str,
    /,
    *,
    name: str | None = None,
    project: Project = None,
    said: Said = AS_USUAL,
    room: RoomOptions = HERE,
) -> None:
    """Change an environment: what is not given stays.

    Parameters
    ----------
    environment
        Name or id.
    project
        Name, number or id of the project; only needed where there are several.
    name
        What to call it.
    """
    with in_project(room, project) as client:
        found = numbered(client, "targets", environment)
        body = _target(client, said) | ({"name": name} if name else {})
        login = _login(said, is_asked=False)
        body |= {"login": login} if login else {}
        answer = client.post(f"/targets/{found['id']}", changes("what shall be otherwise", **body))
    tell(room, answer)


@app.command
def delete(environment: str, /, *, project: Project = None, yes: Yes = False, room: RoomOptions = HERE) -> None:
    """Delete an environment, with the variables of its own.

    Parameters
    ----------
    environment
        Name or id.
    project
        Name, number or id of the project; only needed where there are several.
    """
    with in_project(room, project) as client:
        found = numbered(client, "targets", environment)
        confirmed(f"Delete the environment {found['name']!r}?", yes=yes)
        answer = client.delete(f"/targets/{found['id']}")
    tell(room, answer)


def _target(client: Client, said: Said) -> dict[str, Any]:
    body: dict[str, Any] = {}
    if said.purpose is not None:
        body["purpose"] = None if said.purpose == NONE else said.purpose
    if said.connection is not None:
        named = said.connection
        body["connection_id"] = None if named == NONE else numbered(client, "connections", named)["id"]
    if said.branch is not None:
        body |= {"branch": None if said.branch == NONE else said.branch, "uses_branch": said.branch != NONE}
    if said.dbt_version is not None:
        body["tool_version"] = said.dbt_version
    return body


def _login(said: Said, *, is_asked: bool) -> dict[str, Any]:
    secret = password(said.password_file, is_asked=is_asked)
    asked = {"username": said.user, "schema_name": said.schema, "threads": said.threads, "password": secret}
    return {key: value for key, value in asked.items() if value is not None}
