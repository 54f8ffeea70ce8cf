"""How the repository is told: bots, files and folders (§2.14.2), and by what they are searched.

A task is a bot, a package the folder that has it, a workspace a folder below the root. All ids are the rooms' numbers.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

from controlroom.border.columns import NOTHING, As, Words
from controlroom.dialects.automation360.answers import Shape, moment
from controlroom.dialects.automation360.columns import Columns, constants, nothing_is_zero
from controlroom.dialects.automation360.ids import shown
from controlroom.dialects.automation360.paths import ROOT, path_read
from controlroom.engine.analyses.model import Severity
from controlroom.engine.lists.model import AllOf, AnyOf, Direction, Not, Sort, equal
from controlroom.engine.repository import nodes
from controlroom.engine.repository.model import ListedNode, NodeKind, Right
from controlroom.engine.repository.rights import Rights

FOLDER: Final = "application/vnd.aa.directory"
BOT: Final = "application/vnd.aa.taskbot"
PRODUCTION: Final = "PRODUCTION"
"""The only label that this grammar has."""

NODES: Final = nodes.listing(
    nodes.Words(root=ROOT, root_name="Bots", separator="\\", folder_type=FOLDER, task_type=BOT, label=PRODUCTION)
)


class BotPermission(Shape, frozen=True, kw_only=True):
    """What the caller may do with a bot or folder."""

    delete: bool
    download: bool
    upload: bool
    run: bool


class Bot(Shape, frozen=True, kw_only=True):
    """A bot, a file or a folder, as a search tells it."""

    id: str
    parent_id: str
    name: str
    permission: BotPermission
    last_modified: str
    last_modified_by: str
    path: str
    directory: bool
    size: str
    locked: bool
    locked_by: str
    production_version: str
    latest_version: str
    file_last_modified: str


class FilePermission(Shape, frozen=True, kw_only=True):
    """What the caller may do with a file or folder."""

    delete: bool
    download: bool
    clone: bool
    upload: bool
    run: bool
    view_content: bool
    publish_botstore: bool = False
    edit_content: bool
    create_folder: bool
    move: bool
    cancel_checkout: bool
    revert_checkout: bool
    view_history: bool
    label_bots: bool


class Tag(Shape, frozen=True):
    """A word about a file."""

    namespace: str
    value: str


class File(Shape, frozen=True, kw_only=True):
    """A file or folder, as the lists of workspaces and folders tell it."""

    id: str
    parent_id: str
    name: str
    folder: bool
    folder_count: str
    description: str
    type: str
    type_label: str
    path: str
    size: str
    locked: bool
    locked_by: str
    last_modified: str
    last_modified_by: str
    created_by: str
    created_on: str
    workspace_id: str
    workspace_type: str
    bot_status: str
    has_errors: bool
    metadata: bool = False
    uri: str
    uuid: str
    version: str
    version_number: str
    original_version: str
    has_triggers: bool = False
    is_edited: bool = False
    production_version: str
    latest_version: str
    bot_version_label: str
    code_analysis_result: str
    created_from_file_path: str = ""
    created_from_file_version: str = ""
    git_repository_folder: bool = False
    author: str = ""
    tags: tuple[Tag, ...] = ()
    content_modified_timestamp: str
    resource_modified_timestamp: str
    permission: FilePermission


def _number_in_uri(value: Any) -> str:
    """The id that an address names. Raises ValueError."""
    found = _FILE_ID.search(str(value))
    if found is None:
        raise ValueError(value)
    return found[1]


_FILE_ID: Final = re.compile(r"[?&]fileId=([0-9]{1,18})(?:&|$)")
_PRIVATE: Final = equal(is_private=True)
_IS_FOLDER: Final = equal(is_folder=True)
_IS_BOT: Final = AllOf((Not(_IS_FOLDER), equal(content_type=BOT)))
_COPY: Final = equal(is_copy=True)
_VERSION: Final = As("version", read=lambda value: value or 0)
FILES: Final = Columns(
    NODES,
    {
        **constants(File),
        "id": As("number"),
        "uuid": As("id", sort=""),
        "parentId": "parent",
        "name": "name",
        "path": As("path", read=path_read),
        "directory": "is_folder",
        "folder": "is_folder",
        "type": "content_type",
        "description": "description",
        "size": "kilobytes",
        "locked": "is_locked",
        "hasErrors": "has_errors",
        "version": _VERSION,
        "originalVersion": _VERSION,
        "versionNumber": _VERSION,
        "latestVersion": _VERSION,
        "lockedBy": "locked_by",
        "workspaceId": "owner",
        "folderCount": As("folder_count", sort=""),
        "productionVersion": As("labelled_version", read=lambda value: value or 0),
        "botVersionLabel": Words({PRODUCTION: equal(is_labelled=True), "": equal(is_labelled=False)}),
        "uri": As("number", read=_number_in_uri),
        "createdOn": "created_at",
        "createdBy": nothing_is_zero("created_by"),
        "lastModified": "updated_at",
        "fileLastModified": "updated_at",
        "contentModifiedTimestamp": "updated_at",
        "resourceModifiedTimestamp": "updated_at",
        "lastModifiedBy": nothing_is_zero("updated_by"),
        "typeLabel": Words({"FOLDER": _IS_FOLDER, "TASKBOT": _IS_BOT, "FILE": Not(AnyOf((_IS_FOLDER, _IS_BOT)))}),
        "workspaceType": Words({"PUBLIC": Not(_PRIVATE), "PRIVATE": _PRIVATE}),
        "botStatus": Words(
            {
                "PUBLIC": Not(_PRIVATE),
                "CHECKED_OUT": AllOf((_PRIVATE, _COPY)),
                "NEW": AllOf((_PRIVATE, Not(_COPY))),
                "DRAFT": NOTHING,
                "CLONED": NOTHING,
            }
        ),
    },
    order=(Sort("number", Direction.DESCENDING),),
)


def bot_of(rights: Rights) -> Callable[[ListedNode], Bot]:
    """How a row is told to who has these rights."""

    def show(row: ListedNode) -> Bot:
        held = rights.at(row.container_id, row.workspace_id, row.owner_id)
        return Bot(
            id=shown(row.number),
            parent_id=_parent(row),
            name=_name(row),
            permission=BotPermission(
                delete=Right.DELETE in held and row.kind is not NodeKind.ROOT,
                download=Right.DOWNLOAD in held,
                upload=Right.UPDATE in held,
                run=_runs(row, held),
            ),
            last_modified=moment(row.updated_at),
            last_modified_by=_person(row.updated_by_number),
            path=row.path,
            directory=row.is_folder,
            size=_kilobytes(row.size),
            locked=row.locked_by_number is not None,
            locked_by=_person(row.locked_by_number),
            production_version=_version(row.labelled_version),
            latest_version=_version(row.version),
            file_last_modified=moment(row.updated_at),
        )

    return show


ANALYSED: Final = {
    None: "NO_VIOLATIONS",
    Severity.LOW: "LOW_SEVERITY_VIOLATIONS",
    Severity.HIGH: "HIGH_SEVERITY_VIOLATIONS",
    Severity.CRITICAL: "HIGH_SEVERITY_VIOLATIONS",
}
"""What was found in a bot's code, by the worst of it."""


def file_of(rights: Rights, analysed: Mapping[UUID, str], *, makes_workspaces: bool) -> Callable[[ListedNode], File]:
    """Likewise, with all that is known of it; `analysed` says what was found in which packages."""

    def show(row: ListedNode) -> File:
        held = rights.at(row.container_id, row.workspace_id, row.owner_id)
        is_bot = row.kind is NodeKind.TASK
        return File(
            id=shown(row.number),
            parent_id=_parent(row),
            name=_name(row),
            folder=row.is_folder,
            folder_count=str(row.folder_count),
            description=row.description,
            type=row.content_type,
            type_label="FOLDER" if row.is_folder else "TASKBOT" if row.content_type == BOT else "FILE",
            path=row.path,
            size=_kilobytes(row.size),
            locked=row.locked_by_number is not None,
            locked_by=_person(row.locked_by_number),
            last_modified=moment(row.updated_at),
            last_modified_by=_person(row.updated_by_number),
            created_by=_person(row.created_by_number),
            created_on=moment(row.created_at),
            workspace_id="0" if row.owner_number is None else shown(row.owner_number),
            workspace_type="PUBLIC" if row.owner_number is None else "PRIVATE",
            bot_status=status_of(row),
            has_errors=row.has_errors,
            uri=address(row),
            uuid=str(row.id),
            version=_version(row.version),
            version_number=_version(row.version),
            original_version=_version(row.version),
            production_version=_version(row.labelled_version),
            latest_version=_version(row.version),
            bot_version_label=PRODUCTION if row.labelled_version and row.labelled_version == row.version else "",
            code_analysis_result=analysed.get(row.container_id, "NOT_SCANNED") if is_bot else "NOT_APPLICABLE",
            content_modified_timestamp=moment(row.updated_at),
            resource_modified_timestamp=moment(row.updated_at),
            permission=_permission(row, held, makes_workspaces=makes_workspaces),
        )

    return show


def _makes_folders(row: ListedNode, held: frozenset[Right], *, makes_workspaces: bool) -> bool:
    if row.kind is NodeKind.ROOT and row.owner_id is None:  # what is made there is a workspace
        return makes_workspaces
    return Right.UPDATE in held and row.is_folder and row.kind is not NodeKind.PACKAGE


def _permission(row: ListedNode, held: frozenset[Right], *, makes_workspaces: bool) -> FilePermission:
    is_own = row.owner_id is not None
    return FilePermission(
        delete=Right.DELETE in held and row.kind is not NodeKind.ROOT,
        download=Right.DOWNLOAD in held,
        clone=Right.CLONE in held and not row.is_folder,
        upload=Right.UPDATE in held,
        run=_runs(row, held),
        view_content=Right.VIEW in held,
        edit_content=Right.UPDATE in held,
        create_folder=_makes_folders(row, held, makes_workspaces=makes_workspaces),
        move=Right.UPDATE in held and row.kind not in {NodeKind.ROOT, NodeKind.WORKSPACE},
        cancel_checkout=row.locked_by_number is not None and Right.UPDATE in held,
        revert_checkout=is_own and row.is_copy,
        view_history=Right.VIEW in held and not row.is_folder,
        label_bots=Right.UPDATE in held and row.kind in {NodeKind.TASK, NodeKind.FILE} and not is_own,
    )


def status_of(row: ListedNode) -> str:
    """In which state of its making a file is."""
    if row.owner_number is None:
        return "PUBLIC"
    return "CHECKED_OUT" if row.is_copy else "NEW"


def address(row: ListedNode) -> str:
    """As the vendor writes where a file is."""
    place = "public" if row.owner_number is None else "private"
    path = quote(row.path.replace("\\", "/"))
    return f"repository:///{path}?fileId={row.number}&workspace={place}"


def _runs(row: ListedNode, held: frozenset[Right]) -> bool:
    return Right.RUN in held and row.kind in {NodeKind.TASK, NodeKind.PACKAGE, NodeKind.FOLDER, NodeKind.WORKSPACE}


def _name(row: ListedNode) -> str:
    return row.name or "Bots"


def _parent(row: ListedNode) -> str:
    return "0" if row.parent_number is None else shown(row.parent_number)


def _person(number: int | None) -> str:
    return "0" if number is None else str(number)


def _version(number: int) -> str:
    return str(number) if number else ""


def _kilobytes(size: int) -> str:
    """In whole ones, as the vendor counts."""
    return str((size + 1023) // 1024)
