"""Projects (our own management API): workspaces in which dbt builds tables by jobs."""

from datetime import datetime

from msgspec import UNSET, UnsetType

from controlroom.border.asking import Asking, Body, Permission
from controlroom.dialects.robocorp.answers import Deleted, OwnBody, Shape, shown_as
from controlroom.dialects.robocorp.routing import Page, Pages, delete, get, update
from controlroom.engine.access.scope import within
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import Asked, Compare, Operator, behind
from controlroom.engine.projects import actions, model, store
from controlroom.engine.projects.listings import PROJECTS
from controlroom.ids import PackageId, ProcessId, WorkspaceId


class ProjectAnswer(Shape, frozen=True, kw_only=True):
    """A project. Its id and number are those of its workspace."""

    id: WorkspaceId
    number: int
    name: str
    description: str
    subdirectory: str
    """Of the package: where dbt_project.yml lies, if it must be said."""
    package_id: PackageId | None
    package_number: int | None
    docs_process_id: ProcessId | None
    freshness_process_id: ProcessId | None
    revision: int
    created_at: datetime
    updated_at: datetime


class SetProject(OwnBody, frozen=True, kw_only=True):
    """What to settle; what is left out stays. With a revision, only while it is the one there."""

    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    subdirectory: str | UnsetType = UNSET
    package_id: PackageId | UnsetType | None = UNSET
    docs_process_id: ProcessId | UnsetType | None = UNSET
    freshness_process_id: ProcessId | UnsetType | None = UNSET
    revision: int | None = None


@get("/projects", above_workspaces=True, needs=Permission.READ_PACKAGES)
async def list_projects(request: Asking, paging: Pages) -> Page[ProjectAnswer]:
    """List the projects of the workspaces in which you may see packages, oldest workspace first."""
    position = paging.after(WorkspaceId)
    there = Compare("state", Operator.EQ, model.ProjectState.ACTIVE.value)
    asked = Asked(filter=there, start=behind(position["after"]), length=position["limit"])
    rows = await pages.rows(request.db, model.Project, PROJECTS, within(request.seen), asked)
    return paging.page(rows, _show)


@get("/project", needs=Permission.READ_PACKAGES)
async def get_project(request: Asking) -> ProjectAnswer:
    """Get the workspace as a project; 404 where it is none."""
    return _show(await store.get(*request.reading))


@update("/project")
async def set_project(request: Asking, data: Body[SetProject]) -> ProjectAnswer:
    """Let the workspace be a project, and settle what it is like."""
    return _show(await actions.found(*request.acting, _change_of(data)))


@delete("/project")
async def delete_project(request: Asking) -> Deleted:
    """Let the workspace be a project no more; what is in it stays."""
    return await Deleted.after(request.workspace, actions.delete(*request.acting))


_show = shown_as(ProjectAnswer, model.Project)
_change_of = shown_as(model.ProjectChange, SetProject, connection_id=lambda _: UNSET)
