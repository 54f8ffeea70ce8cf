"""`controlroom dbt push`."""

import sys
import tempfile
import time
from pathlib import Path
from typing import IO, Annotated, Any

from cyclopts import Parameter

from controlroom.cli.calling import Client
from controlroom.cli.dbt.addresses import password, settings_of
from controlroom.cli.display import progress, show_fields, show_json
from controlroom.cli.errors import CommandFailed, Misused
from controlroom.cli.governing import governing
from controlroom.cli.options import HERE, RoomOptions
from controlroom.robots.choosing import FILE_NAME, PROJECT_FILE
from controlroom.robots.packing import pack

_IN_MEMORY = 16 * 1024 * 1024
_LONGEST_SECONDS = 11 * 60.0
_PAUSE_SECONDS = 0.2
_A_PROJECT = "A dbt project is a folder with dbt_project.yml in it: name that folder, or what lies above by --folder."


def push(
    directory: Path | None = None,
    /,
    *,
    name: Annotated[str | None, Parameter(alias="-n")] = None,
    git: str | None = None,
    branch: str | None = None,
    tag: str | None = None,
    commit: str | None = None,
    folder: str | None = None,
    secret: str | None = None,
    connection: str | None = None,
    connection_name: str | None = None,
    schema: str | None = None,
    threads: int | None = None,
    password_file: str | None = None,
    environment: str = "Production",
    room: RoomOptions = HERE,
) -> None:
    """Put a dbt project into the room, or its next version, and print the ids that programs are told.

    It makes what is missing (project, connection, credentials, an environment of type production), changes what is to
    be otherwise, and leaves the rest: the same push again changes nothing but the files, and every id stays.

    Parameters
    ----------
    directory
        The project: a folder with dbt_project.yml. What stays out (results, logs, profiles, what .gitignore names) is
        told.
    name
        Name of the project; the folder's name if not given.
    git
        Address of a repository, https:// or ssh://, from which the project is fetched instead.
    branch
        What is fetched: a branch; without, the one that the repository says is its own.
    tag
        What is fetched: a tag.
    commit
        What is fetched: a commit, by its whole hash.
    folder
        Where the project lies in the directory or repository, if not at its top.
    secret
        Name of a secret of the vault by which the room proves itself to the repository.
    connection
        Where its tables are: `duckdb`, a file that the room keeps, or postgres://USER@HOST:PORT/DATABASE?sslmode=….
        Without, a new project gets a DuckDB file.
    connection_name
        Name of the connection; that of the project if not given. One that is there is taken.
    schema
        In which its tables are made.
    threads
        How many models are built at once.
    password_file
        File with the password of the database (- for the standard input). Without, it is read from the variable
        CONTROLROOM_DBT_PASSWORD, or asked for where a new postgres:// is given at a terminal.
    environment
        Name of the environment.
    """
    body = _body(name=name, connection=connection, connection_name=connection_name, environment=environment)
    body["login"] = body.pop("login", {}) | _login(
        schema, threads, password(password_file, is_asked=connection is not None and "://" in connection)
    )
    if git is not None:
        if directory is not None:
            raise Misused("give a folder or --git, not both")
        if name is None:
            raise Misused("what is the project called? Give --name")
        body["git"] = {"url": git, "branch": branch, "tag": tag, "commit": commit, "secret": secret}
        told = _settled(room, body | {"subdirectory": folder or ""})
    else:
        if branch or tag or commit or secret:
            raise Misused("--branch, --tag, --commit and --secret go with --git")
        told = _pushed(room, directory or Path(), body, folder or "")
    _tell(room, told)


# ---------------------------------------------------------------------------------------------------- the two ways
def _pushed(room: RoomOptions, directory: Path, body: dict[str, Any], folder: str) -> dict[str, Any]:
    """Pack the folder, settle the project, and bring the files."""
    if not directory.is_dir():
        raise CommandFailed(f"{directory} is no folder", hint=_A_PROJECT)
    place = directory / folder
    if not place.is_dir():
        raise CommandFailed(f"there is no folder {folder} in {directory}", hint=_A_PROJECT)
    if not any(place.rglob(PROJECT_FILE)):
        hint = "It holds a robot: robots are pushed by `controlroom push`." if (place / FILE_NAME).is_file() else ""
        raise CommandFailed(f"there is no {PROJECT_FILE} in {place}", hint=hint or _A_PROJECT)
    body["name"] = body["name"] or (directory / folder).resolve().name
    left_out: dict[str, list[str]] = {}
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as archive:
        names = pack(
            directory, archive, within=folder, left_out=lambda file, why: left_out.setdefault(why, []).append(file)
        )
        if PROJECT_FILE not in names:
            raise CommandFailed(
                f"{directory} is a robot, no dbt project", hint="Robots are pushed by `controlroom push`."
            )
        for why, files in left_out.items():
            print(f"left out ({why}): {', '.join(files[:5])}{' …' if len(files) > 5 else ''}", file=sys.stderr)  # noqa: PLR2004
        size = archive.tell()
        archive.seek(0)
        with governing(room) as client:
            return _upload(client, body, archive, size)


def _upload(client: Client, body: dict[str, Any], archive: IO[bytes], size: int) -> dict[str, Any]:
    told: dict[str, Any] = client.post(f"{client.address.url}/api/v1/projects", body | {"upload": True})
    with progress(f"pushing {body['name']}", size) as seen:
        client.upload_form(told.pop("upload"), archive, size, f"{body['name']}.zip", seen)
    return told


def _settled(room: RoomOptions, body: dict[str, Any]) -> dict[str, Any]:
    """Settle the project, and wait until its repository was fetched."""
    with governing(room) as client:
        told: dict[str, Any] = client.post(f"{client.address.url}/api/v1/projects", body)
        told.pop("upload")
        workspace, package = told["project"]["id"], told["package"]["id"]
        source = f"{client.address.url}/api/v1/workspaces/{workspace}/task-packages/{package}/source"
        deadline = time.monotonic() + _LONGEST_SECONDS
        while (found := client.get(source))["fetching"]:
            if time.monotonic() >= deadline:
                raise CommandFailed(
                    "the repository has not been fetched in time",
                    hint="The project is there, and its runs fetch it: start a job.",
                )
            time.sleep(_PAUSE_SECONDS)
    if found["error"] is not None:
        raise CommandFailed(found["error"], hint="The project is there, its files are not: push again.")
    return told | {"commit": found["fetched_commit"]}


# ---------------------------------------------------------------------------------------------------- what is asked
def _body(*, name: str | None, connection: str | None, connection_name: str | None, environment: str) -> dict[str, Any]:
    body: dict[str, Any] = {"name": name, "target": environment}
    if connection_name is not None:
        body["connection"] = connection_name
    if connection is None:
        return body
    settings, login = settings_of(connection)
    return body | {"settings": settings, "login": login}


def _login(schema: str | None, threads: int | None, secret: str | None) -> dict[str, Any]:
    asked = {"schema": schema, "threads": threads, "password": secret}
    return {key: value for key, value in asked.items() if value is not None}


# ---------------------------------------------------------------------------------------------------- what is told
def _tell(room: RoomOptions, told: dict[str, Any]) -> None:
    ids = {
        "account_id": told["organization_number"],
        "project_id": told["project"]["number"],
        "repository_id": told["package"]["number"],
        "connection_id": told["connection"]["number"],
        "credentials_id": told["login"]["number"],
        "environment_id": told["target"]["number"],
    }
    beside = {"workspace_id": told["project"]["id"]} | ({"commit": told["commit"]} if "commit" in told else {})
    if room.json:
        show_json(ids | beside)
    else:
        show_fields({key.replace("_", " "): value for key, value in (ids | beside).items()})
