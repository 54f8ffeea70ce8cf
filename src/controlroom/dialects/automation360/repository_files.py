"""Repository Management API v2 (§2.14): what is in files and bots, and which version of it counts."""

from typing import Annotated, Any

import msgspec
from litestar import Response

from controlroom.dialects.automation360 import bodies
from controlroom.dialects.automation360.answers import Shape
from controlroom.dialects.automation360.asking import Asking, Body, QueryParameter
from controlroom.dialects.automation360.bot_content import content_of, variables_in, variables_of
from controlroom.dialects.automation360.ids import Id, number_of
from controlroom.dialects.automation360.preconditions import preconditions
from controlroom.dialects.automation360.repository import told_file
from controlroom.dialects.automation360.repository_answers import BOT, PRODUCTION, File
from controlroom.dialects.automation360.routing import Pair, get, post, put
from controlroom.engine.packages import interfaces
from controlroom.engine.repository import actions, checkouts, contents, nodes, versions
from controlroom.engine.repository.errors import NotPossible
from controlroom.engine.repository.model import Node, NodeKind, Right
from controlroom.engine.repository.rights import rights_of
from controlroom.errors import Invalid
from controlroom.ids import TaskId

_VIEW = Pair("repositorymanager", "view")
_IMPORT = Pair("repositorymanager", "import")


class CreateFile(Shape, frozen=True, kw_only=True):
    """A file without content."""

    name: str
    content_type: str = ""
    description: str = ""
    parent_folder_id: str


class CopyFile(Shape, frozen=True):
    """A file of the same content."""

    name: str
    parent_id: str = ""


class AssignLabel(Shape, frozen=True, kw_only=True):
    """Which version of a bot is in production."""

    file_id: int
    label: str = PRODUCTION
    version_number: int


class PackageVersion(Shape, frozen=True):
    """To which version of a package bots go; keys in snake case are taken, too."""

    package_name: str
    package_version: str


class UpdatePackages(Shape, frozen=True, kw_only=True):
    """Which bots go to which version of their package."""

    name: str = ""
    package_info: list[PackageVersion]
    file_ids: list[int]
    downgrade_version: bool = False
    label: str = ""


class Recover(Shape, frozen=True, kw_only=True):
    """Whose private files whom are given to."""

    name: str = ""
    source_user_id: int
    target_user_id: int


class BotInterface(Shape, frozen=True):
    """What a bot takes and gives."""

    variables: list[dict[str, Any]]


@post("/v2/repository/files", pair=Pair("repositorymanager", "createfolders"))
async def create_file(request: Asking, data: Body[CreateFile]) -> File:
    """Make a file without content. It is a bot once a zip with a robot is put into it."""
    with preconditions():
        made = await actions.create_file(
            *request.governing,
            number_of(data.parent_folder_id),
            data.name,
            content_type=data.content_type,
            description=data.description,
        )
    return await told_file(request, made.number)


@put("/v2/repository/files/{file:str}/content", pair=_IMPORT)
async def put_file_content(
    request: Asking, file: Id, *, has_errors: Annotated[bool, QueryParameter(name="hasErrors")] = False
) -> File:
    """Put content into a file: its next version. A zip with a robot in it makes a bot of it.

    A bot of the vendor's own form is kept as it is, with `hasErrors`: none runs here.
    """
    content_type = (request.headers.get("content-type") or "").partition(";")[0].strip().lower()
    with preconditions():
        rights = await rights_of(request.db, request.actor)
        target = await nodes.get(request.db, rights, number_of(file), Right.UPDATE)
        blob = await bodies.taken(request)
        is_vendors = BOT in {content_type, target.content_type} and not await contents.is_robot(
            request.engine, rights.organization, blob
        )
        if is_vendors and target.kind is NodeKind.FILE:
            await _check_bot(request, blob.hash, blob.size)
        after = await contents.put(
            *request.governing, target.id, blob, content_type=content_type, has_errors=has_errors or is_vendors
        )
    return await told_file(request, after.number)


async def _check_bot(request: Asking, digest: str, size: int) -> None:
    if not isinstance(await _json(request, digest, size), dict):
        raise Invalid("A bot is a JSON object, or a zip with a robot.yaml in it.", code="BOT_INVALID")


_LARGEST_BOT = 16 << 20
"""Bytes of a bot of the vendor's. Why: the largest known have three; it is read at once."""


async def _json(request: Asking, digest: str, size: int) -> Any:
    """What was stored, as JSON; None for what is none."""
    if size > _LARGEST_BOT:
        return None
    content = await request.engine.objects.read(digest)
    try:
        return msgspec.json.decode(content.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


@get("/v2/repository/files/{file:str}/content", pair=_VIEW)
async def get_file_content(request: Asking, file: Id) -> Response[Any]:
    """Get what is in a file; of a bot a JSON object that tells its task, inputs, outputs and package."""
    rights = await rights_of(request.db, request.actor)
    node = await nodes.get(request.db, rights, number_of(file), Right.DOWNLOAD)
    if node.kind is NodeKind.TASK:
        told = await _interface(request, node)
        content = msgspec.json.encode(content_of(node, node.path[-2], told.version, told.interface))
        return Response(content, media_type=BOT, headers=dict(bodies.disposition(node.name)))
    with preconditions():
        stored = await contents.content(request.db, node)
    media_type = node.content_type or ("application/zip" if node.is_folder else "application/octet-stream")
    return await bodies.given(request.engine, stored.hash, size=stored.size, name=node.name, media_type=media_type)


@get("/v1/filecontent/{file:str}/interface", pair=_VIEW)
async def get_bot_interface(request: Asking, file: Id) -> BotInterface:
    """Get the variables that are a bot's inputs and outputs."""
    rights = await rights_of(request.db, request.actor)
    node = await nodes.get(request.db, rights, number_of(file))
    if node.kind is NodeKind.TASK:
        return BotInterface(variables_of((await _interface(request, node)).interface))
    with preconditions():
        stored = await contents.content(request.db, node)
    found = await _json(request, stored.hash, stored.size) if node.kind is NodeKind.FILE else None
    return BotInterface(variables_in(found))


async def _interface(request: Asking, task: Node) -> interfaces.TaskInterface:
    return await interfaces.of_task(request.db, actions.place_of(task), TaskId(task.id))


@post("/v2/repository/files/{file:str}/copy", pair=Pair("repositorymanager", "view"))
async def copy_file(request: Asking, file: Id, data: Body[CopyFile]) -> File:
    """Make a file or bot of the same content, in the same folder or another."""
    with preconditions():
        parent = number_of(data.parent_id) if data.parent_id else None
        made = await contents.copy(*request.governing, number_of(file), data.name, parent)
    return await told_file(request, made.number)


@post("/v2/repository/files/version/assignLabel", pair=Pair("repositorymanager", "setproductionversion"))
async def assign_label(request: Asking, data: Body[AssignLabel]) -> None:
    """Say which version of a bot is in production: PRODUCTION is the only label."""
    if data.label != PRODUCTION:
        raise Invalid(f"The only label is {PRODUCTION}.", code="LABEL_UNKNOWN")
    with preconditions():
        await contents.set_label(*request.governing, data.file_id, data.label, data.version_number)


@post("/v2/repository/files/packagesVersionUpdate", pair=_IMPORT)
async def update_package_versions(request: Asking, data: Body[UpdatePackages]) -> None:
    """Let bots go on with another version of the package that has them: its content is the latest again."""
    wanted = {each.package_name: each.package_version for each in data.package_info}
    rights = await rights_of(request.db, request.actor)
    found = await nodes.get_all(request.db, rights, data.file_ids, Right.UPDATE)
    packages = {node.container_id: node for node in found if node.kind in {NodeKind.TASK, NodeKind.PACKAGE}}
    if not packages:
        raise Invalid("None of these files is a bot.", code="NOT_A_BOT")
    with preconditions():
        for package, node in packages.items():
            name = node.path[-1] if node.kind is NodeKind.PACKAGE else node.path[-2]
            version = wanted.get(name, "")
            if not version.isdecimal():
                raise Invalid(f"No version of {name} is named.", code="PACKAGE_VERSION_MISSING")
            if int(version) < node.version and not data.downgrade_version:
                raise NotPossible(f"{name} has version {node.version}: this would be a downgrade")
            made = await versions.take_again(*request.governing, package, int(version))
            if data.label:
                await contents.set_label(*request.governing, package, data.label, made)


@post("/v2/repository/recover", pair=Pair("usermanagement", "deleteuser"))
async def recover_files(request: Asking, data: Body[Recover]) -> None:
    """Give the private files of a user who is gone to one who has none."""
    with preconditions():
        await checkouts.recover(*request.governing, data.source_user_id, data.target_user_id)
