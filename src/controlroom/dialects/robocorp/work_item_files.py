"""The files of work items: promised, posted by a form, and told with their links (§1.7)."""

from collections import defaultdict
from collections.abc import Sequence

from msgspec import Raw

from controlroom.border.asking import Asking, Body, Path
from controlroom.border.links import download_url
from controlroom.dialects.robocorp.answers import Download, OwnBody, Shape, UploadForm
from controlroom.dialects.robocorp.routing import post
from controlroom.engine.downloads.model import DownloadKind
from controlroom.engine.work_items import actions, store
from controlroom.engine.work_items.model import WorkItem
from controlroom.ids import FileId, WorkItemId

NOTHING = Raw(b"{}")
"""The payload of an item that never had one: the model of the vendor's own client has no null (§1.6)."""


class FileAnswer(Shape, frozen=True):
    """A file of a work item; the link is good for an hour."""

    id: FileId
    size: int
    name: str
    download: Download


class FileRequest(OwnBody, frozen=True):
    """A file that shall be added to an item."""

    file_name: str
    file_size: int


class UploadAnswer(Shape, frozen=True):
    """Where to post the file."""

    upload: UploadForm


@post("/work-items/{item_id:uuid}/files")
async def create_work_item_file(request: Asking, item_id: Path[WorkItemId], data: Body[FileRequest]) -> UploadAnswer:
    """Promise a file: where to post it as a form. It replaces one of the same name."""
    return UploadAnswer(await _promise(request, item_id, data))


@post("/work-items/{item_id:uuid}/files/upload")
async def create_work_item_file_upload(
    request: Asking, item_id: Path[WorkItemId], data: Body[FileRequest]
) -> UploadForm:
    """Promise a file, in the older form of the answer (§1.8)."""
    return await _promise(request, item_id, data)


async def _promise(request: Asking, item: WorkItemId, asked: FileRequest) -> UploadForm:
    return UploadForm.of(request, await actions.promise_file(*request.acting, item, asked.file_name, asked.file_size))


async def files_of(request: Asking, items: Sequence[WorkItem]) -> dict[WorkItemId, list[FileAnswer]]:
    """The files of items that the request sees, by item."""
    files: dict[WorkItemId, list[FileAnswer]] = defaultdict(list)
    if items:
        for file in await store.list_files(*request.reading, [item.id for item in items]):
            url = download_url(request, DownloadKind.WORK_ITEM_FILE, file.id, file_name=file.name)
            files[file.work_item_id].append(FileAnswer(file.id, file.size, file.name, Download(url)))
    return files
