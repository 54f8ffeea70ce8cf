"""Workspaces and what is in them, as rcc and editors list them (§8.3)."""

from functools import partial
from typing import Literal

from litestar import get

from controlroom.border.asking import Asking, Permission
from controlroom.dialects.robocorp.answers import Named, OlderShape, Shape
from controlroom.engine.access.model import Actor
from controlroom.engine.packages import model
from controlroom.engine.packages import store as packages
from controlroom.engine.workspaces import actions as workspaces
from controlroom.engine.workspaces.model import Workspace
from controlroom.ids import OrganizationId, PackageId, WorkspaceId
from controlroom.postgres.keyset import whole


class WorkspacePermissions(OlderShape, frozen=True):
    """What the user may do there. Editors leave a workspace out in which robots cannot be read."""

    can_read_robots: bool
    can_write_robots: bool
    can_run_robots: bool
    can_read_assistants: bool


class WorkspaceAnswer(OlderShape, frozen=True, kw_only=True):
    """A workspace."""

    id: WorkspaceId
    name: str
    short_name: str
    org_id: OrganizationId
    org_name: str
    org_short_name: str
    state: Literal["active"] = "active"
    url: str
    permissions: WorkspacePermissions


class RobotPackage(OlderShape, frozen=True):
    """The latest version of a robot."""

    file_name: str
    file_size: int
    sha256: str


class RobotAnswer(Shape, frozen=True):
    """A robot; without a package until something is uploaded."""

    id: PackageId
    name: str
    package: RobotPackage | None


class Tree(Shape, frozen=True):
    """What is in a workspace."""

    id: WorkspaceId
    name: str
    robots: list[RobotAnswer]
    activities: list[Named]
    """Likewise, as editors read them."""


@get("/workspaces")
async def list_workspaces(request: Asking) -> list[WorkspaceAnswer]:
    """List the user's workspaces: all of them, because this API has no pages."""
    rows = await whole(partial(workspaces.list_workspaces, *request.governing), request.engine.limits.max_page_size)
    return [_show(workspace, request.actor, request.origin) for workspace in rows]


@get("/workspaces/{workspace_id:uuid}/tree", needs=Permission.READ_PACKAGES)
async def get_tree(request: Asking) -> Tree:
    """List the robots of a workspace."""
    workspace = await workspaces.get(*request.acting)
    rows = await whole(partial(packages.list_packages, *request.reading), request.engine.limits.max_page_size)
    robots, activities = [show_robot(row) for row in rows], [Named(row.id, row.name) for row in rows]
    return Tree(workspace.id, workspace.name, robots, activities)


def show_robot(package: model.Package) -> RobotAnswer:
    """A package as this surface writes it."""
    latest = package.latest
    content = None if latest is None else RobotPackage(f"{package.name}.zip", latest.size, latest.hash)
    return RobotAnswer(package.id, package.name, content)


def _show(workspace: Workspace, actor: Actor, url: str) -> WorkspaceAnswer:
    return WorkspaceAnswer(
        id=workspace.id,
        name=workspace.name,
        short_name=f"ws{workspace.number}",
        org_id=workspace.organization.id,
        org_name=workspace.organization.name,
        org_short_name=workspace.organization.name,
        url=url,
        permissions=WorkspacePermissions(
            can_read_robots=actor.may(Permission.READ_PACKAGES, workspace.id),
            can_write_robots=actor.may(Permission.WRITE_PACKAGES, workspace.id),
            can_run_robots=actor.may(Permission.START_RUNS, workspace.id),
            can_read_assistants=actor.may(Permission.READ_ASSISTANTS, workspace.id),
        ),
    )
