"""Projects (our own management API): workspaces in which dbt builds tables by jobs."""

from datetime import datetime
from uuid import UUID

from msgspec import UNSET, UnsetType

from controlroom.border.asking import Asking, Body, Permission
from controlroom.dialects.robocorp.answers import Deleted, OwnBody, Shape, UploadForm, shown_as
from controlroom.dialects.robocorp.git_packages import SetGitSource, wanted
from controlroom.dialects.robocorp.routing import Page, Pages, delete, get, post, update
from controlroom.engine.access.scope import within
from controlroom.engine.connections.model import LoginChange, Settings
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import Asked, Compare, Operator, behind
from controlroom.engine.packages.fetches import RefKind
from controlroom.engine.packages.source_store import OWN_BRANCH, Ref
from controlroom.engine.packages.sources import Wanted
from controlroom.engine.projects import actions, model, store
from controlroom.engine.projects.listings import PROJECTS
from controlroom.engine.targets.settling import PRODUCTION, Settlement, settle
from controlroom.errors import Invalid
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


class GitOf(OwnBody, frozen=True, kw_only=True):
    """An https or ssh address, and one of branch, tag and commit; without any, the branch that is its own."""

    url: str
    branch: str | None = None
    tag: str | None = None
    commit: str | None = None
    folder: str = ""
    secret: str | None = None
    """The name of a secret of the vault."""


class LoginOf(OwnBody, frozen=True, kw_only=True):
    """As whom the connection is used; what is left out stays."""

    username: str | UnsetType = UNSET
    password: str | UnsetType = UNSET
    schema: str | UnsetType = UNSET
    threads: int | UnsetType = UNSET


class SettleProject(OwnBody, frozen=True, kw_only=True):
    """A project and its production, by name; what is left out stays, or is as usual."""

    name: str
    description: str | UnsetType = UNSET
    subdirectory: str | UnsetType = UNSET
    git: GitOf | None = None
    upload: bool = False
    """A zip is about to be uploaded: the answer says where."""
    connection: str | None = None
    """Its name: one that is there, or a new one; without, that of the project."""
    settings: Settings | None = None
    """Of the connection. A new one without is a DuckDB file that the room keeps."""
    login: LoginOf = LoginOf()
    target: str = PRODUCTION


class Numbered(Shape, frozen=True):
    """Something by its id and its number."""

    id: UUID
    number: int


class SettledAnswer(Shape, frozen=True, kw_only=True):
    """What is there now. The organization is told by its number: `account_id` to programs that speak of accounts."""

    organization_number: int
    project: ProjectAnswer
    package: Numbered
    connection: Numbered
    login: Numbered
    target: Numbered
    upload: UploadForm | None


@post("/projects", above_workspaces=True)
async def settle_project(request: Asking, data: Body[SettleProject]) -> SettledAnswer:
    """Let there be a project with workspace, package, connection, log-in and a target for production, in one commit.

    The same again changes nothing. It takes `workspaces.write` of the organization for a new workspace, and
    `connections.write` for a new connection.
    """
    done = await settle(*request.governing, _settlement_of(data))
    return SettledAnswer(
        organization_number=done.project.organization_number,
        project=_show(done.project),
        package=Numbered(done.package_id, done.package_number),
        connection=Numbered(done.connection.id, done.connection.number),
        login=Numbered(done.login.id, done.login.number),
        target=Numbered(done.target.id, done.target.number),
        upload=None if done.upload is None else UploadForm.of(request, done.upload),
    )


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


def _settlement_of(data: SettleProject) -> Settlement:
    """Raises Invalid for a source of several kinds."""
    if data.upload and data.git is not None:
        raise Invalid("A project is uploaded or fetched from git, not both.", code="SOURCE_INVALID")
    return Settlement(
        name=data.name,
        description=data.description,
        subdirectory=data.subdirectory,
        source=None if data.git is None else _source_of(data.git),
        is_pushed=data.upload,
        connection=data.connection,
        settings=data.settings,
        login=LoginChange(
            username=data.login.username,
            password=data.login.password,
            schema_name=data.login.schema,
            threads=data.login.threads,
        ),
        target=data.target,
    )


def _source_of(git: GitOf) -> Wanted:
    if git.branch is git.tag is git.commit is None:
        return Wanted(url=git.url, ref=Ref(RefKind.BRANCH, OWN_BRANCH), folder=git.folder, secret_name=git.secret)
    asked = SetGitSource(
        url=git.url, branch=git.branch, tag=git.tag, commit=git.commit, folder=git.folder, secret=git.secret
    )
    return wanted(asked)
