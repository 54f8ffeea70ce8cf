"""Repository Management API v2 (§2.14): which files a bot needs, and which need it."""

from typing import Any

from controlroom.dialects.automation360.answers import Shape
from controlroom.dialects.automation360.asking import Asking, Body
from controlroom.dialects.automation360.ids import Id, number_of
from controlroom.dialects.automation360.paths import path_of
from controlroom.dialects.automation360.preconditions import preconditions
from controlroom.dialects.automation360.repository_answers import BOT, FOLDER, BotPermission
from controlroom.dialects.automation360.routing import Pair, get, post, put
from controlroom.engine.repository import dependencies, nodes
from controlroom.engine.repository.model import Dependency, Node, NodeKind, Right
from controlroom.engine.repository.rights import Rights, rights_of

_VIEW = Pair("repositorymanager", "view")


class ChildFiles(Shape, frozen=True):
    """What a file needs."""

    child_file_ids: tuple[int, ...] = ()


class Files(Shape, frozen=True):
    """Files by their numbers."""

    file_ids: tuple[int, ...] = ()


class FileRef(Shape, frozen=True, kw_only=True):
    """A file that needs another, or is needed. Its numbers are texts where a bot's needs are told, else numbers."""

    id: str
    name: str
    path: str
    size: str | int
    type: str
    dependency_type: str = "MANUAL"
    url: str
    required_by_file_id: str | int
    locked_by: str
    bot_status: str
    permission: BotPermission
    version_number: str | int
    label: str = ""


class Dependencies(Shape, frozen=True):
    """What something needs."""

    dependencies: list[FileRef]


@get("/v2/repository/files/{file:str}/dependencies", pair=_VIEW)
async def get_file_dependencies(request: Asking, file: Id) -> Dependencies:
    """Get all files that a bot or file needs, however far; people have said so, nothing is guessed from code."""
    rights = await rights_of(request.db, request.actor)
    node = await nodes.get(request.db, rights, number_of(file))
    found = await dependencies.needed_by(request.db, rights, node)
    return Dependencies([_shown(rights, each, as_text=True) for each in found])


@get("/v2/repository/files/{file:str}/parents", pair=_VIEW)
async def get_file_parents(request: Asking, file: Id) -> list[FileRef]:
    """Get the bots and files that need a file."""
    rights = await rights_of(request.db, request.actor)
    node = await nodes.get(request.db, rights, number_of(file))
    found = await dependencies.needing(request.db, rights, node)
    return [_shown(rights, each, as_text=False) for each in found]


@put("/v2/repository/files/{file:str}/dependencies/{workspace:str}", pair=_VIEW)
async def set_file_dependencies(
    request: Asking,
    file: Id,
    workspace: Id,  # noqa: ARG001 - a file's number says where it is
    data: Body[ChildFiles],
) -> Dependencies:
    """Say which files a bot or file needs, instead of those that were said before."""
    with preconditions():
        found = await dependencies.set_needed(*request.governing, number_of(file), data.child_file_ids)
    rights = await rights_of(request.db, request.actor)
    return Dependencies([_shown(rights, each, as_text=True) for each in found])


@post("/v2/repository/dependencies", pair=_VIEW)
async def list_dependencies(request: Asking, data: Body[Files]) -> Dependencies:
    """Get all that several files need, each file once."""
    rights = await rights_of(request.db, request.actor)
    told: dict[Any, FileRef] = {}
    for node in await nodes.get_all(request.db, rights, data.file_ids[: dependencies.MOST]):
        for each in await dependencies.needed_by(request.db, rights, node):
            told.setdefault(each.node.id, _shown(rights, each, as_text=True))
    return Dependencies(list(told.values()))


def _shown(rights: Rights, found: Dependency, *, as_text: bool) -> FileRef:
    node, held = found.node, rights.of(found.node)
    path = path_of(*node.path)
    place = "private" if node.owner_id is not None else "public"

    def number(value: int) -> str | int:
        return str(value) if as_text else value

    return FileRef(
        id=str(node.number),
        name=node.name,
        path=path,
        size=number(node.size),
        type=_type(node),
        url=f"repository:///{path}?fileId={node.number}&workspace={place}".replace("\\", "/").replace(" ", "%20"),
        required_by_file_id=number(found.needed_by_number),
        locked_by="0" if node.locked_by_number is None else str(node.locked_by_number),
        bot_status="PUBLIC" if node.owner_id is None else "NEW",
        permission=BotPermission(
            delete=Right.DELETE in held,
            download=Right.DOWNLOAD in held,
            upload=Right.UPDATE in held,
            run=Right.RUN in held and node.kind is NodeKind.TASK,
        ),
        version_number=number(node.version),
    )


def _type(node: Node) -> str:
    return FOLDER if node.is_folder else BOT if node.kind is NodeKind.TASK else node.content_type
