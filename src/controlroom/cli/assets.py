"""`controlroom assets …`."""

import base64
import mimetypes
import sys
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

from cyclopts import App, Parameter

from controlroom.cli.address import address
from controlroom.cli.calling import Client
from controlroom.cli.display import progress, show_fields, show_json, show_table
from controlroom.cli.errors import CommandFailed, Misused
from controlroom.cli.files import file_to_send, whole_file
from controlroom.cli.options import HERE, RoomOptions, Yes
from controlroom.cli.verbs import delete_at, tell

app = App(name="assets")

_INLINE_BYTES = 1024 * 1024
"""A smaller asset goes into the request itself: one call instead of two."""


@app.command(name="list")
def list_(*, room: RoomOptions = HERE) -> None:
    """List the assets."""
    with Client(address(room)) as client:
        rows = list(client.each("/assets"))
    if room.json:
        show_json(rows)
    else:
        show_table(
            rows,
            [("name", lambda row: row["name"]), ("id", lambda row: row["id"])],
            empty="There is no asset yet: controlroom assets set NAME VALUE",
        )


@app.command
def show(name: str, /, *, room: RoomOptions = HERE) -> None:
    """Show what kind of content an asset has."""
    with Client(address(room)) as client:
        found = client.get(_path(name))
    if room.json:
        show_json(found)
    else:
        content = found["payload"]
        show_fields({"id": found["id"], "name": found["name"], "content type": content.get("content_type", "empty")})


@app.command(name="set")
def set_(
    name: str,
    value: str | None = None,
    /,
    *,
    file: Path | None = None,
    content_type: str | None = None,
    room: RoomOptions = HERE,
) -> None:
    """Make an asset, or give one a new content.

    Parameters
    ----------
    name
        Name of the asset.
    value
        The content as text.
    file
        A file with the content instead.
    content_type
        For example application/json [by the file's name, or text/plain].
    """
    if (value is None) == (file is None):
        raise Misused("either a VALUE or --file is needed")
    kind = content_type or _guess(file)
    sent = file_to_send(file) if file is not None else None
    with Client(address(room)) as client:
        asset = _asset(client, name)["id"]
        if sent is not None and sent.size > _INLINE_BYTES:
            upload = client.post(f"/assets/{asset}/uploads", {"content_type": kind})
            with sent.path.open("rb") as content, progress(name, sent.size) as told:
                client.upload(upload["upload_url"], content, sent.size, kind, told)
            answer = client.get(f"/assets/{asset}/uploads/{upload['id']}")
        else:
            data = sent.path.read_bytes() if sent is not None else (value or "").encode()
            body = {"content_type": kind, "data": base64.b64encode(data).decode()}
            answer = client.post(f"/assets/{asset}/uploads", body)
    if answer["status"] == "failed":
        raise CommandFailed(f"the room did not take the content: {answer.get('reason', '')}")
    tell(room, answer)


@app.command
def get(
    name: str, /, *, output: Annotated[Path | None, Parameter(alias="-o")] = None, room: RoomOptions = HERE
) -> None:
    """Print an asset's content, or write it into a file.

    Parameters
    ----------
    name
        Name of the asset.
    output
        The file.
    """
    with Client(address(room)) as client:
        found = client.get(_path(name))
        if found["payload"]["type"] == "empty":
            raise CommandFailed(f"the asset {name!r} has no content yet")
        if output is not None:
            with whole_file(output) as out, progress(name, None) as told:
                client.download(found["payload"]["url"], out, told)
        else:
            client.download(found["payload"]["url"], sys.stdout.buffer)
            sys.stdout.buffer.flush()


@app.command
def delete(
    name: str,
    /,
    *,
    yes: Yes = False,
    room: RoomOptions = HERE,
) -> None:
    """Delete an asset.

    Parameters
    ----------
    name
        Name of the asset.
    """
    delete_at(room, _path(name), f"Delete the asset {name!r}?", yes=yes)


def _asset(client: Client, name: str) -> dict[str, Any]:
    """The asset of this name; made if there is none."""
    found: dict[str, Any] = client.get_or_none(_path(name)) or client.post("/assets", {"name": name})
    return found


def _path(name: str) -> str:
    return f"/assets/name:{quote(name, safe='')}"


def _guess(file: Path | None) -> str:
    if file is None:
        return "text/plain"
    return mimetypes.guess_type(file.name)[0] or "application/octet-stream"
