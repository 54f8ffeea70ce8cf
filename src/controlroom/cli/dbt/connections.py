"""`controlroom dbt connections …`: the databases of the account."""

from typing import Any

from cyclopts import App

from controlroom.cli.calling import Client
from controlroom.cli.dbt.addresses import settings_of
from controlroom.cli.dbt.places import numbered
from controlroom.cli.display import Row, moment, moments, show_json, show_table
from controlroom.cli.governing import governing
from controlroom.cli.lookup import find_id
from controlroom.cli.options import HERE, RoomOptions, Yes
from controlroom.cli.values import changes, confirmed
from controlroom.cli.verbs import show_one, show_rows, tell

app = App(name="connections", help="Databases of the account: list, show, create, set, delete.")


@app.command(name="list")
def list_(*, room: RoomOptions = HERE) -> None:
    """List the connections, with how many environments use each."""
    with governing(room) as client:
        rows = list(client.each("/connections"))
    show_rows(
        room,
        rows,
        [
            ("id", lambda row: row["number"]),
            ("name", lambda row: row["name"]),
            ("kind", lambda row: row["kind"]),
            ("leads to", _told),
            ("environments", lambda row: row["target_count"]),
        ],
        empty="There is no connection yet: controlroom dbt connections create NAME duckdb",
    )


@app.command
def show(connection: str, /, *, room: RoomOptions = HERE) -> None:
    """Show a connection, and the versions of its file if it is one that the room keeps.

    Parameters
    ----------
    connection
        Name or id.
    """
    with governing(room) as client:
        found = _find(client, connection)
        versions = client.get(f"/connections/{found['id']}/versions")
    if room.json:
        show_json(found | {"versions": versions})
        return
    show_one(room, found, {**found, **found["settings"], **moments(found, "created_at", "updated_at")})
    if versions:
        print()
        columns = [
            ("version", lambda row: row["version"]),
            ("bytes", lambda row: row["size"]),
            ("since", lambda row: moment(row["created_at"])),
        ]
        show_table(versions, columns)


@app.command
def create(
    name: str,
    address: str,
    /,
    *,
    folder: str | None = None,
    worker: str | None = None,
    workers: str | None = None,
    room: RoomOptions = HERE,
) -> None:
    """Make a connection.

    Parameters
    ----------
    name
        What to call it.
    address
        `duckdb`, a file that the room keeps, `duckdb:NAME.duckdb` by another name, or
        postgres://HOST:PORT/DATABASE?sslmode=…. As whom it is used is said of environments.
    folder
        Of workers, in which the DuckDB file lies; their operator allows it.
    worker
        The worker who has the folder, by name or id.
    workers
        The group of workers who have it, by name or id.
    """
    with governing(room) as client:
        body = {"name": name, "settings": _settings(client, address, folder, worker, workers)}
        made = client.post("/connections", body)
    tell(room, made, "number")


@app.command(name="set")
def set_(connection: str, /, *, name: str | None = None, address: str | None = None, room: RoomOptions = HERE) -> None:
    """Call a connection otherwise, or let it lead elsewhere; its kind stays.

    Parameters
    ----------
    connection
        Name or id.
    name
        What to call it.
    address
        As for `create`.
    """
    with governing(room) as client:
        settings = None if address is None else _settings(client, address, None, None, None)
        body = changes("--name or --address", name=name, settings=settings)
        answer = client.post(f"/connections/{_find(client, connection)['id']}", body)
    tell(room, answer)


@app.command
def delete(connection: str, /, *, yes: Yes = False, room: RoomOptions = HERE) -> None:
    """Delete a connection that nothing uses, with all versions of its file.

    Parameters
    ----------
    connection
        Name or id.
    """
    with governing(room) as client:
        found = _find(client, connection)
        confirmed(f"Delete the connection {found['name']!r} and what is in its file?", yes=yes)
        answer = client.delete(f"/connections/{found['id']}")
    tell(room, answer)


def _find(client: Client, connection: str) -> dict[str, Any]:
    return numbered(client, "connections", connection)


def _settings(
    client: Client, address: str, folder: str | None, worker: str | None, workers: str | None
) -> dict[str, Any]:
    settings, _ = settings_of(address)
    if folder is not None:
        settings |= {"storage": "worker", "folder": folder}
    if worker is not None:
        settings["worker_id"] = find_id(client, "workers", worker)
    if workers is not None:
        settings["worker_group_id"] = find_id(client, "worker-groups", workers)
    return settings


def _told(row: Row) -> str:
    settings = row["settings"]
    if row["kind"] == "postgres":
        return f"{settings['host']}:{settings.get('port', 5432)}/{settings['database']}"
    name = str(settings.get("path", "database.duckdb"))
    return f"{settings['folder']}/{name}" if settings.get("storage") == "worker" else name
