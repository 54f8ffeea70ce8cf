"""Task packages (§1.7, §1.8), and the list of them, which is our own."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from controlroom.border.asking import Asking, Body, Path, Permission, Query
from controlroom.border.links import download_url
from controlroom.dialects.robocorp.answers import Deleted, Download, OwnBody, Shape, UploadForm, shown_as, shown_with
from controlroom.dialects.robocorp.git_packages import PushHook, SetGitSource, push_hook, wanted
from controlroom.dialects.robocorp.routing import Page, Pages, delete, get, post
from controlroom.engine.downloads.model import DownloadKind
from controlroom.engine.packages import actions, labels, sources, store
from controlroom.engine.packages.labels import LabelledVersion
from controlroom.engine.packages.model import Package
from controlroom.errors import Invalid, NotFound
from controlroom.ids import PackageId, PackageVersionId, TaskId
from controlroom.robots.choosing import inner_folder
from controlroom.robots.exclude_newer import parse_moment


class TaskName(Shape, frozen=True):
    """A task of the package's latest version."""

    name: str
    id: TaskId | UnsetType = UNSET
    """The same in every version; told where one package is asked for."""


class TaskPackage(Shape, frozen=True, kw_only=True):
    """A task package. Without tasks and download until its first upload."""

    id: PackageId
    name: str
    type: Literal["zip"] = "zip"
    tasks: list[TaskName]
    exclude_newer: datetime | None
    """Packages of the world that are newer do not count in its robots' environments; null: as the room says."""
    download: Download | None
    upload: UploadForm | UnsetType = UNSET
    """Where to post the next version: for those who may write packages, where one package is asked for."""
    push_hook: PushHook | UnsetType = UNSET
    """Told once, to who creates a package that is fetched from git."""


class CreateTaskPackage(Shape, frozen=True):
    """A new package; its content is uploaded afterwards, or fetched from git."""

    name: str
    type: Literal["zip"] = "zip"
    folder: str = ""
    """Where the robot lies in what will be uploaded: for a zip with several."""
    source: SetGitSource | None = None
    """Where its content comes from. If it is refused, no package is created."""
    exclude_newer: str | None = None
    """A date (until its end, UTC) or a time with its zone; null: as the room says."""


class PushTaskPackage(OwnBody, frozen=True, kw_only=True):
    """A version of the package of this name, which is created if there is none."""

    name: str
    folder: str = ""
    """Where the robot lies in what will be uploaded: for a zip with several."""


class EditTaskPackage(OwnBody, frozen=True, kw_only=True):
    """What is set of a package."""

    exclude_newer: str | None
    """A date (until its end, UTC) or a time with its zone; null: as the room says."""


class TaskPackageVersion(Shape, frozen=True, kw_only=True):
    """A version of a task package."""

    id: PackageVersionId
    version: int
    """Counts from 1."""
    tasks: list[str]
    labels: list[str]
    size: int
    created_at: datetime


class SetLabel(OwnBody, frozen=True):
    """Which version shall bear a label."""

    version: Annotated[int, Meta(ge=1, le=2**31 - 1)]


@get("/task-packages", needs=Permission.READ_PACKAGES)
async def list_task_packages(request: Asking, paging: Pages, name: Query[str | None] = None) -> Page[TaskPackage]:
    """List task packages, oldest first; with `name`, the one that is called so."""
    if name is not None:
        named = await store.by_name(*request.reading, name)
        rows = [] if named is None else [named]
    else:
        rows = await store.list_packages(*request.reading, **paging.after(PackageId))
    return paging.page(rows, lambda package: _show(request, package))


@post("/task-packages")
async def create_task_package(request: Asking, data: Body[CreateTaskPackage]) -> TaskPackage:
    """Create a task package without content, and tell where to upload it; or one that is fetched from git."""
    moment = parse_moment(data.exclude_newer) if data.exclude_newer is not None else None
    secret, folder = None, inner_folder(data.folder)
    if data.source is None:
        package = await actions.create(*request.acting, data.name, exclude_newer=moment)
    elif folder:
        raise Invalid("The folder of what is fetched is part of its source.", code="INVALID_BODY")
    else:
        source = wanted(data.source)
        package, secret = await sources.create_package(*request.acting, data.name, source, exclude_newer=moment)
    if secret is not None:
        return msgspec.structs.replace(_show(request, package), push_hook=push_hook(request, package.id, secret))
    return await _with_upload(request, package, folder=folder)


@post("/task-package-uploads")
async def push_task_package(request: Asking, data: Body[PushTaskPackage]) -> UploadForm:
    """Tell where to post a version of the package of a name; the upload creates it if there is none.

    So content that is refused leaves no package behind, and of several first pushes at once each succeeds.
    """
    return UploadForm.of(request, await actions.promise_push(*request.acting, data.name, folder=data.folder))


@get("/task-packages/{package_id:uuid}", needs=Permission.READ_PACKAGES)
async def get_task_package(request: Asking, package_id: Path[PackageId]) -> TaskPackage:
    """Get a task package; who may write packages is told where to upload the next version."""
    package = await store.get(*request.reading, package_id)
    ids = {task.name: task.id for task in await store.list_tasks(*request.reading, package_id)}
    tasks = [TaskName(name, ids[name]) for name in package.task_names]
    may_write = request.actor.may(Permission.WRITE_PACKAGES, request.workspace)
    shown = await _with_upload(request, package) if may_write else _show(request, package)
    return msgspec.structs.replace(shown, tasks=tasks)


@post("/task-packages/{package_id:uuid}")
async def edit_task_package(request: Asking, package_id: Path[PackageId], data: Body[EditTaskPackage]) -> TaskPackage:
    """Say how new the packages of the world may be that its robots get; steps that begin from now on heed it."""
    moment = parse_moment(data.exclude_newer) if data.exclude_newer is not None else None
    return _show(request, await actions.set_exclude_newer(*request.acting, package_id, moment))


@get("/task-packages/{package_id:uuid}/versions", needs=Permission.READ_PACKAGES)
async def list_task_package_versions(
    request: Asking, paging: Pages, package_id: Path[PackageId]
) -> Page[TaskPackageVersion]:
    """List the versions of a task package with their labels, newest first."""
    await store.get(*request.reading, package_id)
    rows = await labels.list_versions(*request.reading, package_id, **paging.before(int))
    return paging.page(rows, _show_version, lambda row: row.version)


@post("/task-packages/{package_id:uuid}/labels/{label:str}")
async def set_task_package_label(
    request: Asking, package_id: Path[PackageId], label: Path[str], data: Body[SetLabel]
) -> TaskPackageVersion:
    """Give a label to a version; another one that bears it loses it. Starts may name it in place of a version."""
    return _show_version(await labels.set_label(*request.acting, package_id, label, data.version))


@delete("/task-packages/{package_id:uuid}/labels/{label:str}")
async def remove_task_package_label(request: Asking, package_id: Path[PackageId], label: Path[str]) -> Deleted:
    """Take a label away from the version that bears it."""
    return await Deleted.after(package_id, labels.remove_label(*request.acting, package_id, label))


@delete("/task-packages/{package_id:uuid}")
async def delete_task_package(request: Asking, package_id: Path[PackageId]) -> Deleted:
    """Delete a task package that no step uses."""
    return await Deleted.after(package_id, actions.delete(*request.acting, package_id))


@get("/task-packages/{package_id:uuid}/download", needs=Permission.READ_PACKAGES)
async def get_task_package_download(request: Asking, package_id: Path[PackageId]) -> Download:
    """Tell where the latest version is fetched."""
    download = _download(request, await store.get(*request.reading, package_id))
    if download is None:
        raise NotFound("nothing has been uploaded into this task package yet", code="TASK_PACKAGE_EMPTY")
    return download


@get("/task-packages/{package_id:uuid}/upload")
async def get_task_package_upload(request: Asking, package_id: Path[PackageId], folder: Query[str] = "") -> UploadForm:
    """Tell where to post the next version; `folder` is where the robot lies in it, for a zip with several."""
    return UploadForm.of(request, await actions.promise_upload(*request.acting, package_id, folder=folder))


async def _with_upload(request: Asking, package: Package, *, folder: str = "") -> TaskPackage:
    upload = await actions.promise_upload(*request.acting, package.id, folder=folder)
    return _show(request, package, UploadForm.of(request, upload))


def _show(request: Asking, package: Package, upload: UploadForm | UnsetType = UNSET) -> TaskPackage:
    return _shown(package, download=_download(request, package), upload=upload)


_show_version = shown_as(TaskPackageVersion, LabelledVersion)
_shown = shown_with(
    ("download", "upload"), TaskPackage, Package, tasks=lambda package: [TaskName(name) for name in package.task_names]
)


def _download(request: Asking, package: Package) -> Download | None:
    if package.latest is None:
        return None
    kind, version = DownloadKind.PACKAGE_VERSION, package.latest.id
    return Download(download_url(request, kind, version, file_name=f"{package.name}.zip"))
