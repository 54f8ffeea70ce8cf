"""Files of Process Composer (§2.19): promised by name, brought by a token, and given to the request that names them."""

from collections.abc import AsyncIterator
from typing import Any, Final

from controlroom.border.forms import form_of
from controlroom.dialects.automation360.answers import Shape
from controlroom.dialects.automation360.asking import Asking, Body, Permission
from controlroom.dialects.automation360.ids import Id, find
from controlroom.dialects.automation360.routing import Pair, post, put
from controlroom.dialects.automation360.values import is_value
from controlroom.engine.processes.store import PROCESS
from controlroom.engine.runs import brought_files
from controlroom.engine.runs.brought_files import PREFIX, Brought

_STORAGE: Final = "/storage/v1/file"
_SLOTS: Final = ("string", "id", "fileId", "token", "accessToken", "path", "url", "expression")


class FileAsked(Shape, frozen=True, kw_only=True):
    """A file of a request that is yet to be made, of the process with this id."""

    filename: str
    process_info_id: int


class FileTold(Shape, frozen=True, kw_only=True):
    """A file: its content is posted to `path`; a request names it by its id, as a FILE value."""

    id: str
    file_name: str
    access_token: str
    token: str
    path: str
    size: int


@put("/aari/v2/files", needs=Permission.READ_PROCESSES, pair=Pair("aari", "createrequest"))
async def promise_file(request: Asking, data: Body[FileAsked]) -> FileTold:
    """Promise a file; the answer has the token by which its content is brought."""
    process = await find(request, PROCESS, data.process_info_id)
    workspace = process.scope.workspace
    return _show(await brought_files.promise(request.engine, request.actor, workspace, process.id, data.filename))


@post(f"{_STORAGE}/{{token:str}}", is_open=True)
async def bring_file(request: Asking, token: Id) -> FileTold:
    """Bring the content: the part `file` of a form, or the body as it is. The token says all."""
    brought_files.check_token(request.engine, token)
    return _show(await brought_files.bring(request.engine, token, _content(request)))


def _content(request: Asking) -> AsyncIterator[bytes]:
    content_type = request.headers.get("content-type") or ""
    if "multipart/form-data" in content_type:
        return form_of(content_type, request.stream(), file="file").content()
    return request.stream()


def files_in(request: Asking, inputs: Any) -> list[int]:
    """The files that inputs name in FILE values, by id, token or path."""
    match inputs:
        case list():
            return [number for each in inputs for number in files_in(request, each)]
        case dict() if is_value(inputs) and str(inputs["type"]).upper() == "FILE":
            return _named(request, inputs)
        case dict():
            return [number for each in inputs.values() for number in files_in(request, each)]
        case _:
            return []


def _named(request: Asking, value: dict[str, Any]) -> list[int]:
    inner = value.get("file")
    slots = inner if isinstance(inner, dict) else {"string": inner}
    for each in (value, slots):
        for slot in _SLOTS:
            text = str(each.get(slot) or "").rstrip("/").rpartition("/")[2]
            if text.isascii() and text.isdigit() and len(text) <= 18:  # noqa: PLR2004 - what a bigint holds
                return [int(text)]
            if text.startswith(PREFIX):
                return [brought_files.number_in(request.engine, text)]
    return []


def _show(file: Brought) -> FileTold:
    return FileTold(
        id=str(file.number),
        file_name=file.name,
        access_token=file.token,
        token=file.token,
        path=f"{_STORAGE}/{file.token}",
        size=file.size,
    )
