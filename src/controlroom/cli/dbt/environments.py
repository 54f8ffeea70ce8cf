"""`controlroom dbt environments …`: what the jobs of a project work on."""

from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from controlroom.cli.address import address
from controlroom.cli.client import Client
from controlroom.cli.dbt.addresses import password
from controlroom.cli.dbt.connections import numbered
from controlroom.cli.display import moments
from controlroom.cli.options import HERE, RoomOptions, Yes
from controlroom.cli.values import NONE, changes, confirmed
from controlroom.cli.verbs import show_list, show_one, tell

app = App(name="environments", help="What the jobs of a project work on: list, show, create, set, delete.")

_Purpose = Literal["production", "staging", "none"]
_Kind = Literal["deployment", "development"]
_PasswordFile = Annotated[str | None, Parameter(show_default=False)]


@app.command(name="list")
def list_(*, room: RoomOptions = HERE) -> None:
    """List the environments of the workspace, which is the project."""
    show_list(
        room,
        "/targets",
        [
            ("id", lambda row: row["number"]),
            ("name", lambda row: row["name"]),
            ("type", lambda row: row["kind"]),
            ("purpose", lambda row: row["purpose"]),
            ("branch", lambda row: row["branch"] if row["uses_branch"] else None),
            ("dbt", lambda row: row["tool_version"]),
        ],
        empty="There is no environment in this workspace. A pushed project has a workspace of its own: "
        "see `controlroom workspaces list`, and name it by --workspace ID.",
    )


@app.command
def show(environment: str, /, *, room: RoomOptions = HERE) -> None:
    """Show an environment, with its connection and as whom it is used; never the password.

    Parameters
    ----------
    environment
        Name or id.
    """
    with Client(address(room)) as client:
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
    purpose: _Purpose = "none",
    connection: str | None = None,
    branch: str | None = None,
    dbt_version: str | None = None,
    user: str | None = None,
    schema: str | None = None,
    threads: int | None = None,
    password_file: _PasswordFile = None,
    room: RoomOptions = HERE,
) -> None:
    """Make an environment.

    Parameters
    ----------
    name
        What to call it.
    kind
        For jobs, or for people.
    purpose
        Of those for jobs: production, staging or none.
    connection
        The database, by name or id; without, the project's.
    branch
        What is run of the repository; without, what the project says.
    dbt_version
        As programs ask for it; what runs is dbt-core 1.11.
    user
        As whom the database is used.
    schema
        In which its tables are made.
    threads
        How many models are built at once.
    password_file
        File with the password of the database (- for the standard input). Without, it is read from the variable
        CONTROLROOM_DBT_PASSWORD, or asked for at a terminal where a user is given.
    """
    with Client(address(room)) as client:
        body = {"name": name, "kind": kind} | _target(client, purpose, connection, branch, dbt_version)
        login = _login(user, schema, threads, password(password_file, is_asked=user is not None))
        if login:
            made = client.post("/logins", {"kind": _kind(client, body), **login})
            body["login_id"] = made["id"]
        answer = client.post("/targets", body)
    tell(room, answer, "number")


@app.command(name="set")
def set_(
    environment: str,
    /,
    *,
    name: str | None = None,
    purpose: _Purpose | None = None,
    connection: str | None = None,
    branch: str | None = None,
    dbt_version: str | None = None,
    user: str | None = None,
    schema: str | None = None,
    threads: int | None = None,
    password_file: _PasswordFile = None,
    room: RoomOptions = HERE,
) -> None:
    """Change an environment: what is not given stays.

    Parameters
    ----------
    environment
        Name or id.
    name
        What to call it.
    purpose
        production, staging or none.
    connection
        The database, by name or id; `none` for the project's.
    branch
        What is run of the repository; `none` for what the project says.
    dbt_version
        As programs ask for it; what runs is dbt-core 1.11.
    user
        As whom the database is used.
    schema
        In which its tables are made.
    threads
        How many models are built at once.
    password_file
        File with the password of the database (- for the standard input); the variable CONTROLROOM_DBT_PASSWORD else.
    """
    with Client(address(room)) as client:
        found = numbered(client, "targets", environment)
        body = _target(client, purpose, connection, branch, dbt_version) | ({"name": name} if name else {})
        login = _login(user, schema, threads, password(password_file, is_asked=False))
        if login and found["login_id"]:
            client.post(f"/logins/{found['login_id']}", login)
        elif login:
            body["login_id"] = client.post("/logins", {"kind": _kind(client, {**found, **body}), **login})["id"]
        if login and not body:
            answer = client.get(f"/targets/{found['id']}")
        else:
            answer = client.post(f"/targets/{found['id']}", changes("what shall be otherwise", **body))
    tell(room, answer)


@app.command
def delete(environment: str, /, *, yes: Yes = False, room: RoomOptions = HERE) -> None:
    """Delete an environment, with the variables of its own.

    Parameters
    ----------
    environment
        Name or id.
    """
    with Client(address(room)) as client:
        found = numbered(client, "targets", environment)
        confirmed(f"Delete the environment {found['name']!r}?", yes=yes)
        answer = client.delete(f"/targets/{found['id']}")
    tell(room, answer)


def _target(
    client: Client, purpose: str | None, connection: str | None, branch: str | None, dbt_version: str | None
) -> dict[str, Any]:
    body: dict[str, Any] = {}
    if purpose is not None:
        body["purpose"] = None if purpose == NONE else purpose
    if connection is not None:
        body["connection_id"] = None if connection == NONE else numbered(client, "connections", connection)["id"]
    if branch is not None:
        body |= {"branch": None if branch == NONE else branch, "uses_branch": branch != NONE}
    if dbt_version is not None:
        body["tool_version"] = dbt_version
    return body


def _login(user: str | None, schema: str | None, threads: int | None, secret: str | None) -> dict[str, Any]:
    asked = {"username": user, "schema_name": schema, "threads": threads, "password": secret}
    return {key: value for key, value in asked.items() if value is not None}


def _kind(client: Client, target: dict[str, Any]) -> str:
    """For what kind of connection a log-in is: that of the environment, else DuckDB's."""
    named = target.get("connection_id")
    return str(client.get(f"/connections/{named}")["kind"]) if named else "duckdb"
