"""BLM API v2 (§2.16): bots are exported to an archive and imported from one."""

from typing import Annotated, Final, Literal

from litestar.response import Stream
from msgspec import Meta

from controlroom.border.forms import Form, form_of
from controlroom.dialects.automation360 import bodies
from controlroom.dialects.automation360.answers import Shape
from controlroom.dialects.automation360.asking import Asking, Body
from controlroom.dialects.automation360.ids import Id
from controlroom.dialects.automation360.repository_answers import PRODUCTION
from controlroom.dialects.automation360.routing import Pair, get, post
from controlroom.engine.transfers import actions, store
from controlroom.engine.transfers.model import Target, Transfer, TransferKind, TransferState
from controlroom.engine.wakes import Topic
from controlroom.errors import Invalid, NotFound

_EXPORT = Pair("repositorymanager", "export")
_IMPORT = Pair("repositorymanager", "import")
_LONGEST_WAIT: Final = 300_000
"""Milliseconds that a question for the status is held at most."""


class Export(Shape, frozen=True, kw_only=True):
    """Which bots are exported. What they need comes along."""

    name: str
    file_ids: list[int]
    include_packages: Annotated[bool, Meta(description="Accepted: a bot has with it what it runs with.")] = True
    archive_password: str | None = None
    include_global_values: bool = False


class FileVersion(Shape, frozen=True):
    """A version of a bot or file."""

    id: int
    version: int | None = None


class ExportVersion(Shape, frozen=True, kw_only=True):
    """Which versions are exported."""

    name: str
    files: list[FileVersion]
    package_ids: Annotated[tuple[int, ...], Meta(description="Bots or packages that go along.")] = ()
    skip_dashboard: bool = False
    label: str | None = None
    archive_password: str | None = None
    include_global_values: bool = False


class TargetRoom(Shape, frozen=True, kw_only=True):
    """The Control Room that imports."""

    url: str
    username: str
    api_key: str
    skip_existing_files: bool = True


class Promote(Shape, frozen=True, kw_only=True):
    """Which bots another Control Room gets."""

    name: str
    files: list[FileVersion]
    package_ids: tuple[int, ...] = ()
    target_control_room: TargetRoom
    label: str | None = None


class Requested(Shape, frozen=True):
    """By what the request is asked for."""

    request_id: str


class BlmStatus(Shape, frozen=True, kw_only=True):
    """How far an export or import is."""

    request_id: str
    type: Literal["IMPORT", "EXPORT"]
    status: Literal["IN_PROGRESS", "COMPLETED", "FAILED"]
    download_file_name: str
    download_file_id: str
    error_message: str


_STATES: Final[dict[TransferState, Literal["IN_PROGRESS", "COMPLETED", "FAILED"]]] = {
    TransferState.IN_PROGRESS: "IN_PROGRESS",
    TransferState.COMPLETED: "COMPLETED",
    TransferState.FAILED: "FAILED",
}


@post("/v2/blm/export", status=202, pair=_EXPORT, number_codes=True)
async def export_bots(request: Asking, data: Body[Export]) -> Requested:
    """Export bots, files and folders with all that they need to an archive, encrypted if there is a password."""
    made = await actions.export(
        *request.governing,
        data.name,
        [(file, None) for file in data.file_ids],
        with_values=data.include_global_values,
        password=data.archive_password,
    )
    return Requested(str(made.id))


@post("/v2/blm/export/version", status=202, pair=_EXPORT, number_codes=True)
async def export_bot_versions(request: Asking, data: Body[ExportVersion]) -> Requested:
    """Export versions of bots: those that are named, or those with the label."""
    made = await actions.export(
        *request.governing,
        data.name,
        _files(data.files, data.package_ids),
        label=_label(data.label),
        with_values=data.include_global_values,
        password=data.archive_password,
    )
    return Requested(str(made.id))


@post("/v2/blm/promoteBot", status=202, pair=_EXPORT, number_codes=True)
async def promote_bots(request: Asking, data: Body[Promote]) -> Requested:
    """Let another Control Room import bots. It fails unless whoever operates this one allows the address."""
    room = data.target_control_room
    target = Target(url=room.url, username=room.username, overwrites=not room.skip_existing_files)
    made = await actions.promote(
        *request.governing,
        data.name,
        _files(data.files, data.package_ids),
        target=target,
        key=room.api_key,
        label=_label(data.label),
    )
    return Requested(str(made.id))


def _files(files: list[FileVersion], packages: tuple[int, ...]) -> list[tuple[int, int | None]]:
    return [*((file.id, file.version) for file in files), *((package, None) for package in packages)]


def _label(label: str | None) -> str | None:
    if label and label != PRODUCTION:
        raise Invalid(f"The only label is {PRODUCTION}.", code="LABEL_UNKNOWN")
    return label or None


_YES: Final = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False, "": False}


@post("/v2/blm/import", status=202, pair=_IMPORT, number_codes=True)
async def import_bots(request: Asking) -> Requested:
    """Import an archive, which is the part `upload` of a form with `actionIfExisting` and `publicWorkspace`."""
    content_type = request.headers.get("content-type") or ""
    form = form_of(content_type, request.stream(), file="upload")
    archive = await request.engine.objects.put(form.content(), max_size=_most(request))
    action = form.field("actionIfExisting").upper() or "SKIP"
    if action not in {"SKIP", "OVERWRITE"}:
        raise Invalid("actionIfExisting is SKIP or OVERWRITE.", code="ACTION_UNKNOWN")
    made = await actions.import_(
        *request.governing,
        form.file_name or "archive",
        archive,
        overwrites=action == "OVERWRITE",
        is_public=_truth(form, "publicWorkspace"),
        with_values=_truth(form, "includeGlobalValues"),
        password=form.field("archivePassword"),
    )
    return Requested(str(made.id))


def _most(request: Asking) -> int:
    return max(request.engine.limits.package_bytes, request.engine.limits.file_bytes)


def _truth(form: Form, field: str) -> bool:
    found = _YES.get(form.field(field).strip().casefold())
    if found is None:
        raise Invalid(f"{field} is true or false.", code="INVALID_BODY")
    return found


@get("/v2/blm/status/{transfer:str}", pair=_EXPORT, number_codes=True)
async def get_blm_status(request: Asking, transfer: Id) -> BlmStatus:
    """Get how far an export or import is."""
    return _shown(request, await store.get(request.db, request.actor, transfer))


@get("/v2/blm/status/{transfer:str}/timeout/{milliseconds:int}", pair=_EXPORT, number_codes=True)
async def await_blm_status(request: Asking, transfer: Id, milliseconds: Annotated[int, Meta(ge=0)]) -> BlmStatus:
    """Likewise, once it has ended, or when so many milliseconds are over."""
    found = await store.get(request.db, request.actor, transfer)
    await request.body()
    with request.engine.wakes.watch(Topic.TRANSFER_ENDED, found.id) as watch:
        seconds = min(milliseconds, _LONGEST_WAIT) / 1000
        async with request.holds.hold(request, watch, seconds) as hold:
            found = await store.get(request.db, request.actor, transfer)
            while found.state is TransferState.IN_PROGRESS and await hold.goes_on():
                found = await store.get(request.db, request.actor, transfer)
    return _shown(request, found)


@get("/v2/blm/download/{transfer:str}", pair=_EXPORT, number_codes=True)
async def download_export(request: Asking, transfer: Id) -> Stream:
    """Get the archive of an export, by its `downloadFileId`."""
    found = await store.get(request.db, request.actor, transfer)
    if found.hash is None or found.size is None or found.kind is TransferKind.IMPORT:
        raise NotFound("there is nothing to be downloaded", code="NO_ARCHIVE")
    name = actions.file_name(found, request.actor.name)
    return await bodies.given(request.engine, found.hash, size=found.size, name=name, media_type="application/zip")


def _shown(request: Asking, found: Transfer) -> BlmStatus:
    is_there = (
        found.hash is not None and found.kind is not TransferKind.IMPORT and found.state is TransferState.COMPLETED
    )
    return BlmStatus(
        request_id=str(found.id),
        type="IMPORT" if found.kind is TransferKind.IMPORT else "EXPORT",
        status=_STATES[found.state],
        download_file_name=actions.file_name(found, request.actor.name) if is_there else "",
        download_file_id=str(found.number) if is_there else "",
        error_message=found.reason,
    )
