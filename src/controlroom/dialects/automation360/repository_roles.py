"""Repository Management API v2 (§2.14): what holders of a role may do in which folder."""

from enum import StrEnum
from typing import Annotated, Final

from controlroom.dialects.automation360.answers import Shape
from controlroom.dialects.automation360.asking import Asking, Body, QueryParameter
from controlroom.dialects.automation360.ids import Id, number_of
from controlroom.dialects.automation360.preconditions import preconditions
from controlroom.dialects.automation360.routing import Pair, get, put
from controlroom.engine.repository import granting
from controlroom.engine.repository.granting import FolderRights
from controlroom.engine.repository.model import Right

_ROLES = Pair("rolesmanagement", "rolesmanagement")


class FolderPermission(StrEnum):
    """Rights in folders by the vendor's names."""

    CLONE = "clone"
    UPDATE = "update"
    DOWNLOAD = "download"
    DELETE = "delete"
    RUN = "run"
    VIEW_CONTENT = "viewcontent"


_RIGHTS: Final = {
    FolderPermission.CLONE: Right.CLONE,
    FolderPermission.UPDATE: Right.UPDATE,
    FolderPermission.DOWNLOAD: Right.DOWNLOAD,
    FolderPermission.DELETE: Right.DELETE,
    FolderPermission.RUN: Right.RUN,
    FolderPermission.VIEW_CONTENT: Right.VIEW,
}


class Enabled(Shape, frozen=True):
    """Whether a right is had."""

    name: FolderPermission
    enabled: bool


class FolderPermissions(Shape, frozen=True):
    """What a role may do in a folder, and below it where no nearer folder says otherwise."""

    folder_id: int
    permissions: list[Enabled]


@put("/v2/repository/role/{role:str}/permissions", status=201, pair=_ROLES)
async def set_role_permissions(
    request: Asking, role: Id, data: Body[list[FolderPermissions]]
) -> list[FolderPermissions]:
    """Give a role rights in folders, and take others; those that are not named stay as they were."""
    given = [(each.folder_id, {_RIGHTS[one.name]: one.enabled for one in each.permissions}) for each in data]
    with preconditions():
        return [_shown(each) for each in await granting.set_rights(*request.governing, number_of(role), given)]


@get("/v2/repository/role/{role:str}/folder/{folder:str}/permissions", pair=_ROLES)
async def get_role_permissions(
    request: Asking,
    role: Id,
    folder: Id,
    *,
    include_children: Annotated[bool, QueryParameter(name="includeChildren")] = False,
) -> list[FolderPermissions]:
    """Get what a role may do in a folder, and in those that lie directly in it."""
    found = await granting.rights_in(
        *request.governing, number_of(role), number_of(folder), with_children=include_children
    )
    return [_shown(each) for each in found]


def _shown(found: FolderRights) -> FolderPermissions:
    return FolderPermissions(
        found.folder_number, [Enabled(name, right in found.rights) for name, right in _RIGHTS.items()]
    )
