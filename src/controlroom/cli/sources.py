"""`controlroom sources …`: sources that run inside the room, on a schedule, with what its vault keeps."""

import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import quote

from cyclopts import App, Parameter

from controlroom.cli.address import address
from controlroom.cli.calling import Client
from controlroom.cli.display import moment, progress, show_json
from controlroom.cli.errors import CommandFailed, Misused
from controlroom.cli.governing import governing
from controlroom.cli.lookup import among, existing, package_called, required
from controlroom.cli.options import HERE, RoomOptions, Yes
from controlroom.cli.schedule_options import SOMETIME, When
from controlroom.cli.values import confirmed
from controlroom.cli.verbs import show_rows
from controlroom.robots.packing import pack
from controlroom.sources import package
from controlroom.sources.package import settings

app = App(name="sources", help="Sources that run in the room: install, list, remove.")

Source = Literal["robocorp", "automation360", "dbt_cloud"]
_TASK: Final = "Load"
_DATABASE: Final = "Control room"
_FILE: Final = "control_room.duckdb"
_HOURLY: Final = {"type": "interval", "seconds": 3600}
_READING: Final = (
    "Processes.read_processes",
    "Processes.read_runs",
    "Processes.read_run_outputs",
    "Processes.read_work_items",
    "Assets.read_asset_storage_assets",
    "Assistants.read_assistants",
    "Workers.read_workers",
    "Webhooks.read_webhooks",
)
"""What the key may do that is made for this room."""
_UNSAFE: Final = re.compile(r"[/:?#\\]|[^\x20-\x7e]")
"""What the name of a secret has not."""
_Flag = Annotated[bool, Parameter(negative=(), show_default=False)]


@app.command
def install(
    source: Source,
    /,
    *,
    name: str | None = None,
    secret: str | None = None,
    database: str | None = None,
    destination: str | None = None,
    dataset: str | None = None,
    resources: Annotated[str | None, Parameter(alias="-r")] = None,
    when: When = SOMETIME,
    zone: str = "UTC",
    no_schedule: _Flag = False,
    here: _Flag = False,
    requirements: Path | None = None,
    room: RoomOptions = HERE,
) -> None:
    """Let the room load a control room into a database by itself, hourly unless another time is said.

    Puts a task package there, a process and its schedule; once more: the new release of the package, and what is said
    now in place of what was. Prints the process's id.

    Parameters
    ----------
    source
        What is loaded: robocorp, automation360 or dbt_cloud; the vendor's, or a room like this.
    name
        Of the process [Load robocorp …].
    secret
        A secret of the vault with what the source logs in with: workspace_id and api_key (robocorp), base_url, username
        and api_key or password (automation360), account_id and api_token (dbt_cloud), and base_url where that is not
        the vendor's. Without it robocorp loads this workspace, by a key of its own that reads, and is made now.
    database
        A connection to a DuckDB file that the room keeps, by name or id; made if there is none of that name
        [Control room].
    destination
        In its place, any destination by its dlt name (postgres, snowflake …): the secret has `destination.…` too, for
        example destination.postgres.credentials.
    dataset
        What the tables stand in [the source's name].
    resources
        Only these, with commas between.
    zone
        Time zone of the schedule.
    no_schedule
        It runs when somebody starts it.
    here
        This very room is loaded, whatever base_url says.
    requirements
        A list of packages in place of ours, for destinations that need others.
    """
    if database is not None and destination is not None:
        raise Misused("either --database or --destination")
    name = name or f"Load {source}"
    variables = {settings.SOURCE: source, settings.DATASET: dataset, settings.RESOURCES: resources}
    step: dict[str, Any] = {"name": "load"}
    with Client(address(room)) as client:
        variables[settings.SECRET] = _secret(client, source, secret, name, here=here)
        variables[settings.HERE] = "yes" if here or secret is None else None
        if destination is None:
            step["database"] = {"connection_id": _connection(room, database or _DATABASE)}
        variables[settings.DESTINATION] = destination
        text = None if requirements is None else requirements.read_text(encoding="utf-8")
        step["task"] = {"package_id": _package(client, source, text), "name": _TASK}
        step["environment"] = {key: value for key, value in variables.items() if value is not None}
        made = _process(client, name, step)
        _schedule(client, made, None if no_schedule else when.asked() or _HOURLY, zone)
    if room.json:
        show_json(made)
    else:
        print(made["id"])


@app.command(name="list")
def list_(*, room: RoomOptions = HERE) -> None:
    """List the sources that run in the room, where they load to, and when next."""
    with Client(address(room)) as client:
        due = {each["process"]["id"]: each for each in client.each("/schedules") if each["enabled"]}
        rows = [{**each, "next": due.get(each["id"], {}).get("next_occurrence")} for each in _installed(client)]
    show_rows(
        room,
        rows,
        [
            ("id", lambda row: row["id"]),
            ("name", lambda row: row["name"]),
            ("source", lambda row: _variables(row)[settings.SOURCE]),
            ("into", _into),
            ("secret", lambda row: _variables(row).get(settings.SECRET)),
            ("next", lambda row: moment(row["next"])),
        ],
        empty="No source runs here yet: controlroom sources install robocorp",
    )


@app.command
def remove(named: str, /, *, yes: Yes = False, room: RoomOptions = HERE) -> None:
    """Let a source run no more; what it has loaded stays.

    Its process and schedules go, and the key and the secret that were made for it. The connection with its file stays.

    Parameters
    ----------
    named
        Name or id of its process.
    """
    with Client(address(room)) as client:
        found = among(_installed(client), named, noun="source")
        confirmed(f"Remove {found['name']!r}? What it has loaded stays.", yes=yes)
        for each in client.each("/schedules", process_id=found["id"]):
            client.delete(f"/schedules/{each['id']}")
        answer = client.delete(f"/processes/{found['id']}")
        own = _own(found["name"])
        if _variables(found).get(settings.SECRET) == own:
            for key in client.each("/api-keys"):
                if key["name"] == own:
                    client.delete(f"/api-keys/{key['id']}")
            client.delete(_secret_path(own))
    if room.json:
        show_json(answer)


def _installed(client: Client) -> Iterator[dict[str, Any]]:
    for each in client.each("/processes"):
        found = client.get(f"/processes/{each['id']}")
        if settings.SOURCE in _variables(found):
            yield found


def _variables(process: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = process["steps"][0]["environment"] if process["steps"] else {}
    return found


def _into(process: Mapping[str, Any]) -> str:
    variables = _variables(process)
    database = process["steps"][0].get("database")
    place = f"duckdb: {database['connection_name']}" if database else variables.get(settings.DESTINATION, "")
    return f"{place}, {variables.get(settings.DATASET, variables[settings.SOURCE])}"


def _own(name: str) -> str:
    return f"source {_UNSAFE.sub('-', name)}"


def _secret_path(name: str) -> str:
    return f"/secrets/{quote(name, safe='')}"


def _secret(client: Client, source: str, named: str | None, process: str, *, here: bool) -> str:
    """The name of the secret, which has what the source needs; made for this room, where none is named."""
    lists = " or ".join(", ".join(keys) for keys in settings.NEEDED[source])
    if named is not None:
        found = required(
            client,
            _secret_path(named),
            missing=f"there is no secret called {named!r} in this workspace",
            hint=f"controlroom secrets set {named} KEY=@FILE …, with {lists}",
        )
        if missing := settings.missing_in(source, [*found["keys"], *(["base_url"] if here else [])]):
            raise CommandFailed(f"the secret {named!r} lacks {', '.join(missing)}", hint=f"{source} needs {lists}.")
        return named
    if source != "robocorp":
        raise Misused(
            f"--secret names the secret with what {source} logs in with: {lists}",
            hint="controlroom secrets set NAME KEY=@FILE …; --here is this room.",
        )
    own = _own(process)
    if client.get_or_none(_secret_path(own)) is None:
        key = client.post("/api-keys", {"name": own, "permissions": list(_READING)})
        values = {"workspace_id": client.address.workspace, "api_key": key["value"]}
        client.post(_secret_path(own), {"values": values, "description": f"By which {process!r} reads this workspace"})
    return own


def _connection(room: RoomOptions, named: str) -> str:
    """The id of the connection to a file of the room's, which is made where there is none of that name."""
    with governing(room) as client:
        known = list(client.each("/connections"))
        same = [each for each in known if named in (each["id"], each["name"])]
        if len(same) > 1:
            raise CommandFailed(f"several are called {named!r}", hint="Name one by its id.")
        if same and (same[0]["kind"] != "duckdb" or same[0]["settings"].get("storage", "room") != "room"):
            raise CommandFailed(
                f"the connection {named!r} is not to a DuckDB file that the room keeps",
                hint=f"{existing(each['name'] for each in known)}; or give --destination",
            )
        if not same:
            same = [client.post("/connections", {"name": named, "settings": {"kind": "duckdb", "path": _FILE}})]
        return str(same[0]["id"])


def _package(client: Client, source: str, requirements: str | None) -> str:
    """The id of the task package, of which there is a new version if it has changed."""
    name = f"source {source}"
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as archive:
        package.write(Path(folder), requirements=requirements)
        pack(Path(folder), archive)
        size = archive.tell()
        archive.seek(0)
        upload = client.post("/task-package-uploads", {"name": name})
        with progress(f"pushing {name}", size) as told:
            client.upload_form(upload, archive, size, f"{name}.zip", told)
    found = package_called(client, name)
    if found is None:
        raise CommandFailed(f"the package {name!r} was pushed, and is not there")
    return found


def _process(client: Client, name: str, step: dict[str, Any]) -> dict[str, Any]:
    same = [each for each in client.each("/processes") if each["name"] == name]
    if not same:
        made: dict[str, Any] = client.post("/processes", {"name": name, "steps": [step]})
        return made
    before = client.get(f"/processes/{same[0]['id']}")
    if settings.SOURCE not in _variables(before):
        raise CommandFailed(f"there is a process called {name!r} that loads nothing", hint="Give another --name.")
    changed: dict[str, Any] = client.post(f"/processes/{before['id']}", {"steps": [step]})
    return changed


def _schedule(client: Client, process: Mapping[str, Any], rule: object, zone: str) -> None:
    """The one schedule of the process: as it shall be, or none."""
    before = list(client.each("/schedules", process_id=process["id"]))
    if rule is None:
        for each in before:
            client.delete(f"/schedules/{each['id']}")
        return
    body = {"name": process["name"], "rule": rule, "time_zone": zone, "overlap": "skip"}
    if before:
        client.post(f"/schedules/{before[0]['id']}", body)
    else:
        client.post("/schedules", {**body, "process": {"id": process["id"]}})
