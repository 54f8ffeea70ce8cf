"""Task packages from git (our management API): where a package's content is fetched from, on demand or on a push."""

from datetime import datetime
from typing import Literal

from litestar import Router
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Struct, UnsetType

from controlroom.border.origin import Origins
from controlroom.dialects.robocorp.answers import Accepted, Deleted
from controlroom.dialects.robocorp.asking import AnyRequest, Asker, InWorkspace, Pages, TheEngine
from controlroom.dialects.robocorp.paging import Page
from controlroom.dialects.robocorp.routing import delete, get, post, update
from controlroom.engine.packages import sources
from controlroom.engine.packages.source_store import Ref, RefKind
from controlroom.engine.packages.sources import HookForm, SourceView, Wanted
from controlroom.errors import Invalid, Unauthenticated
from controlroom.ids import PackageId

_PACKAGE = "/task-packages/{package_id:uuid}"
_GITHUB = "x-hub-signature-256"
_GITLAB = "x-gitlab-token"


class PushHook(Struct, frozen=True):
    """What to enter as a push hook at GitHub or GitLab; the secret is shown once, to who sets the source."""

    url: str
    secret: str | UnsetType = UNSET


class GitSource(Struct, frozen=True, kw_only=True):
    """Where a package's content comes from, and how the last fetch went."""

    package_id: PackageId
    type: Literal["git"] = "git"
    url: str
    branch: str | None
    tag: str | None
    commit: str | None
    folder: str | None
    """The robot's, where one of several in the repository was chosen."""
    secret: str | None
    """The name of a secret of the vault."""
    fetching: bool
    fetched_at: datetime | None
    fetched_commit: str | None
    error: str | None
    push_hook: PushHook


class SetGitSource(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An https or ssh address, and one of branch, tag and commit.

    The secret has `username` and `password` (or `token`) for https, `private_key` and `known_hosts` for ssh.
    """

    url: str
    branch: str | None = None
    tag: str | None = None
    commit: str | None = None
    folder: str | None = None
    """Where the robot lies in the repository; only that folder is fetched. For repositories with several."""
    secret: str | None = None
    keep_push_hook: bool = False
    """The push hook that is entered already goes on working: no new secret is made."""


@get("/task-package-sources", operation_id="listTaskPackageSources")
async def list_sources(
    engine: TheEngine, actor: Asker, request: AnyRequest, paging: Pages, workspace_id: InWorkspace
) -> Page[GitSource]:
    """List where packages are fetched from, oldest package first; those that are uploaded have no source."""
    rows = await sources.list_sources(engine, actor, workspace_id, after=paging.after(PackageId), limit=paging.fetch)
    return paging.page(rows, lambda source: _show(request, source), lambda source: source.package_id)


@get(f"{_PACKAGE}/source", operation_id="getTaskPackageSource")
async def get_source(
    engine: TheEngine, actor: Asker, request: AnyRequest, workspace_id: InWorkspace, package_id: FromPath[PackageId]
) -> GitSource:
    """Get where a package's content comes from; 404 for one that is uploaded."""
    return _show(request, await sources.get(engine, actor, workspace_id, package_id))


@update(f"{_PACKAGE}/source", operation_id="setTaskPackageSource")
async def set_source(
    engine: TheEngine,
    actor: Asker,
    request: AnyRequest,
    workspace_id: InWorkspace,
    package_id: FromPath[PackageId],
    data: JSONBody[SetGitSource],
) -> GitSource:
    """Say where a package's content comes from, and fetch it; the answer tells the push hook's new secret."""
    source, secret = await sources.set_source(
        engine, actor, workspace_id, package_id, wanted(data), keeps_hook=data.keep_push_hook
    )
    return _show(request, source, UNSET if secret is None else secret)


@delete(f"{_PACKAGE}/source", operation_id="deleteTaskPackageSource")
async def delete_source(
    engine: TheEngine, actor: Asker, workspace_id: InWorkspace, package_id: FromPath[PackageId]
) -> Deleted:
    """Fetch no more; the package keeps its versions."""
    await sources.remove(engine, actor, workspace_id, package_id)
    return Deleted(package_id)


@post(f"{_PACKAGE}/fetch", operation_id="fetchTaskPackage")
async def fetch(
    engine: TheEngine, actor: Asker, request: AnyRequest, workspace_id: InWorkspace, package_id: FromPath[PackageId]
) -> GitSource:
    """Fetch a package's content soon; its source tells how that went."""
    return _show(request, await sources.want(engine, actor, workspace_id, package_id))


@post("/{package_id:uuid}", operation_id="receiveGitPush")
async def receive_push(engine: TheEngine, request: AnyRequest, package_id: FromPath[PackageId]) -> Accepted:
    """A push hook of GitHub or GitLab: fetch soon. The hook's own signature or token is the credential."""
    body = await request.body()
    if (signature := request.headers.get(_GITHUB)) is not None:
        form, proof = HookForm.GITHUB, signature
    elif (token := request.headers.get(_GITLAB)) is not None:
        form, proof = HookForm.GITLAB, token
    else:
        raise Unauthenticated("A push hook signs itself: X-Hub-Signature-256 or X-Gitlab-Token.")
    await sources.want_by_hook(engine, package_id, form=form, body=body, proof=proof)
    return Accepted(accepted=True)


def wanted(asked: SetGitSource) -> Wanted:
    """What of which repository is asked for. Raises Invalid."""
    return Wanted(url=asked.url, ref=_ref(asked), folder=asked.folder or "", secret_name=asked.secret)


def _ref(asked: SetGitSource) -> Ref:
    given = [
        Ref(kind, name)
        for kind, name in ((RefKind.BRANCH, asked.branch), (RefKind.TAG, asked.tag), (RefKind.COMMIT, asked.commit))
        if name is not None
    ]
    if len(given) != 1:
        raise Invalid("Name one of branch, tag and commit.", code="GIT_REF_INVALID")
    return given[0]


def _show(request: AnyRequest, source: SourceView, secret: str | UnsetType = UNSET) -> GitSource:
    def named(kind: RefKind) -> str | None:
        return source.ref.name if source.ref.kind is kind else None

    return GitSource(
        package_id=source.package_id,
        url=source.url,
        branch=named(RefKind.BRANCH),
        tag=named(RefKind.TAG),
        commit=named(RefKind.COMMIT),
        folder=source.folder or None,
        secret=source.secret_name,
        fetching=source.is_wanted,
        fetched_at=source.fetched_at,
        fetched_commit=source.fetched_commit,
        error=source.error or None,
        push_hook=push_hook(request, source.package_id, secret),
    )


def push_hook(request: AnyRequest, package: PackageId, secret: str | UnsetType = UNSET) -> PushHook:
    """Where pushes of a package's repository are told."""
    origins: Origins = request.app.state.origins
    origin = origins.of(request.scope)  # type: ignore[arg-type]  # a scope is a dict
    return PushHook(f"{origin}/api/v1/git-hooks/{package}", secret)


handlers = [list_sources, get_source, set_source, delete_source, fetch]


def hook_router() -> Router:
    """Where pushes are told: it takes no API key."""
    return Router("/api/v1/git-hooks", route_handlers=[receive_push], include_in_schema=False)
