"""What robots do with work items (§3), called by `robocorp-workitems` and `RPA.Robocorp.WorkItems`.

The hottest path of the server: payloads pass as the bytes that they are, and rights are checked in the statements
themselves. Nobody reads an OpenAPI document of it: its clients are fixed.
"""

from typing import Literal

import msgspec
from litestar import get, put
from litestar.response.base import ASGIResponse
from msgspec import Raw

from controlroom.border.asking import Asking, Body, Path
from controlroom.border.bodies import WatchedAnswer, payload_of
from controlroom.border.links import download_url
from controlroom.dialects.robocorp.answers import Download, FileRequest, Form, Identified, OlderShape, Shape, shown_as
from controlroom.dialects.robocorp.routing import delete, post
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


def _json(body: bytes) -> ASGIResponse:
    return ASGIResponse(body=body, media_type="application/json")


_encode = msgspec.json.Encoder().encode


@get(f"{_ITEM}/data")
async def get_payload(request: Asking, item_id: Path[WorkItemId]) -> ASGIResponse:
    """The payload as it is; 404 when there is none, which clients take for an empty one."""
    payload = await held_items.payload(*request.working, item_id)
    if payload is None:
        raise NotFound("This work item has no payload.", code="NO_PAYLOAD")
    return _json(bytes(payload))


@put(f"{_ITEM}/data")
async def set_payload(request: Asking, item_id: Path[WorkItemId]) -> ASGIResponse:
    """Replace the payload by the body; an empty body is null."""
    await held_items.set_payload(*request.working, item_id, payload_of(await request.body()))
    return _json(b"{}")


@get(f"{_ITEM}/files")
async def list_files(request: Asking, item_id: Path[WorkItemId]) -> list[FileAnswer]:
    """The files of an item."""
    return [show_file(file) for file in await held_items.files(*request.working, item_id)]


@post(f"{_ITEM}/files")
async def add_file(request: Asking, item_id: Path[WorkItemId], data: Body[FileRequest]) -> Form:
    """Promise a file: where to post it as a form."""
    return Form.of(request, await held_items.promise_file(*request.working, item_id, data.file_name, data.file_size))


@get(f"{_ITEM}/files/{{file_id:uuid}}")
async def get_file(request: Asking, item_id: Path[WorkItemId], file_id: Path[FileId]) -> Download:
    """Where to fetch a file, without a credential."""
    file = await held_items.file(*request.working, item_id, file_id)
    kind = DownloadKind.WORK_ITEM_FILE
    return Download(download_url(request, kind, file.id, file_name=file.name))


@delete(f"{_ITEM}/files/{{file_id:uuid}}")
async def delete_file(request: Asking, item_id: Path[WorkItemId], file_id: Path[FileId]) -> ASGIResponse:
    """Remove a file."""
    await held_items.delete_file(*request.working, item_id, file_id)
    return _json(b"{}")


@post(f"{_PROCESS}/work-items/{{parent_id:uuid}}/output")
async def create_output(
    request: Asking, parent_id: Path[WorkItemId], data: Body[OutputRequest | None] = None
) -> ASGIResponse:
    """Make an output of the item in hand; one whose answer could not be given is given again."""
    payload = data.payload if data is not None else Raw(b"null")
    turn = await repeated_outputs.output_once(*request.working, parent_id, payload)
    assert turn.item is not None  # noqa: S101 - an output was made or found
    # Whether the answer could be written decides what a repetition of the request gets.
    return WatchedAnswer(_encode(Identified(turn.item)), lambda was_told: turn.end(was_told=was_told))


@post(f"{_ROBOT_RUN}/reserve-next-work-item")
async def reserve(request: Asking) -> ASGIResponse:
    """The next item for this step run, or the one that it holds."""
    return _json(_encode(Reserved(await held_items.reserve(*request.working))))


@post(f"{_ROBOT_RUN}/release-work-item")
async def release(request: Asking, data: Body[ReleaseRequest]) -> ASGIResponse:
    """Give an item back."""
    await held_items.release(*request.working, data.work_item_id, data.outcome())
    return _json(b"{}")


show_file = shown_as(FileAnswer, ItemFile, file_id="id", file_name="name", file_size="size")
