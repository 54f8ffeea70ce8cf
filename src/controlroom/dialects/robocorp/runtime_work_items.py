"""What robots do with work items (§3), called by `robocorp-workitems` and `RPA.Robocorp.WorkItems`.

The hottest path of the server: plain ASGI (`border/verbs.py`), payloads pass as the bytes that they are, and rights are
checked in the statements themselves. Nobody reads an OpenAPI document of it: its clients are fixed.
"""

from typing import Final, Literal

import msgspec
from msgspec import Raw

from controlroom.border.bodies import WatchedAnswer, decode, payload_of
from controlroom.border.links import download_url
from controlroom.border.verbs import Call, Verb
from controlroom.dialects.robocorp.answers import Download, FileRequest, Form, Identified, OlderShape, Shape, shown_as
from controlroom.engine.downloads.model import DownloadKind
from controlroom.engine.runs import held_items, repeated_outputs
from controlroom.engine.runs.held_items import Done, Failed
from controlroom.engine.work_items.model import ExceptionType, ItemException, ItemFile
from controlroom.errors import NotFound
from controlroom.ids import FileId, WorkItemId

_ITEM = "/json-v1/workspaces/{workspace_id:uuid}/workitems/{item_id:uuid}"
_PROCESS = "/process-v1/workspaces/{workspace_id:uuid}/processes/{process_id:uuid}"
_ROBOT_RUN = f"{_PROCESS}/runs/{{run_id:uuid}}/robotRuns/{{step_run_id:uuid}}"


class FileAnswer(OlderShape, frozen=True):
    """A file of an item."""

    file_id: FileId
    file_name: str
    file_size: int


class OutputRequest(Shape, frozen=True):
    """An output of the item in hand."""

    payload: Raw = Raw(b"null")


class Reserved(OlderShape, frozen=True):
    """The next item; null when there is none."""

    work_item_id: WorkItemId | None


class ExceptionRequest(Shape, frozen=True):
    """Why the robot could not work the item to its end."""

    type: Literal["BUSINESS", "APPLICATION", "UNSPECIFIED"] = "UNSPECIFIED"
    code: str | None = None
    message: str | None = None


class ReleaseRequest(OlderShape, frozen=True):
    """Which item is given back, and how it went."""

    work_item_id: WorkItemId
    state: Literal["COMPLETED", "FAILED"]
    exception: ExceptionRequest | None = None

    def outcome(self) -> Done | Failed:
        """What the engine is told."""
        if self.state == "COMPLETED":
            return Done()
        given = self.exception or ExceptionRequest()
        return Failed(ItemException(ExceptionType(given.type.lower()), given.code or "", given.message or ""))


_encode = msgspec.json.Encoder().encode
_DONE: Final = b"{}"


async def _get_payload(call: Call) -> bytes:
    """The payload as it is; 404 when there is none, which clients take for an empty one."""
    payload = await held_items.payload(*call.working, call.named["item_id"])
    if payload is None:
        raise NotFound("This work item has no payload.", code="NO_PAYLOAD")
    return bytes(payload)


async def _set_payload(call: Call) -> bytes:
    """Replace the payload by the body; an empty body is null."""
    await held_items.set_payload(*call.working, call.named["item_id"], payload_of(await call.body()))
    return _DONE


async def _list_files(call: Call) -> bytes:
    """The files of an item."""
    return _encode([show_file(file) for file in await held_items.files(*call.working, call.named["item_id"])])


async def _add_file(call: Call) -> bytes:
    """Promise a file: where to post it as a form."""
    asked = await call.json(FileRequest)
    promised = await held_items.promise_file(*call.working, call.named["item_id"], asked.file_name, asked.file_size)
    return _encode(Form.of(call, promised))


async def _get_file(call: Call) -> bytes:
    """Where to fetch a file, without a credential."""
    file = await held_items.file(*call.working, call.named["item_id"], call.named["file_id"])
    return _encode(Download(download_url(call, DownloadKind.WORK_ITEM_FILE, file.id, file_name=file.name)))


async def _delete_file(call: Call) -> bytes:
    """Remove a file."""
    await held_items.delete_file(*call.working, call.named["item_id"], call.named["file_id"])
    return _DONE


async def _create_output(call: Call) -> WatchedAnswer:
    """Make an output of the item in hand; one whose answer could not be given is given again."""
    body = await call.body()
    payload = (decode(body, OutputRequest | None) or OutputRequest()).payload if body else Raw(b"null")
    turn = await repeated_outputs.output_once(*call.working, call.named["parent_id"], payload)
    assert turn.item is not None  # noqa: S101 - an output was made or found
    # Whether the answer could be written decides what a repetition of the request gets.
    return WatchedAnswer(_encode(Identified(turn.item)), lambda was_told: turn.end(was_told=was_told))


async def _reserve(call: Call) -> bytes:
    """The next item for this step run, or the one that it holds."""
    return _encode(Reserved(await held_items.reserve(*call.working)))


async def _release(call: Call) -> bytes:
    """Give an item back."""
    asked = await call.json(ReleaseRequest)
    await held_items.release(*call.working, asked.work_item_id, asked.outcome())
    return _DONE


VERBS: Final = (
    Verb("GET", f"{_ITEM}/data", _get_payload),
    Verb("PUT", f"{_ITEM}/data", _set_payload),
    Verb("GET", f"{_ITEM}/files", _list_files),
    Verb("POST", f"{_ITEM}/files", _add_file),
    Verb("GET", f"{_ITEM}/files/{{file_id:uuid}}", _get_file),
    Verb("DELETE", f"{_ITEM}/files/{{file_id:uuid}}", _delete_file),
    Verb("POST", f"{_PROCESS}/work-items/{{parent_id:uuid}}/output", _create_output),
    Verb("POST", f"{_ROBOT_RUN}/reserve-next-work-item", _reserve),
    Verb("POST", f"{_ROBOT_RUN}/release-work-item", _release),
)


show_file = shown_as(FileAnswer, ItemFile, file_id="id", file_name="name", file_size="size")
