"""Task packages from git (our management API): where a package's content is fetched from, on demand or on a push."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Literal

from litestar import Router
from msgspec import UNSET, Struct, UnsetType

from controlroom.border.arrivals import allow, known
from controlroom.border.asking import Asking, Body, Path, Permission
from controlroom.dialects.robocorp.answers import Accepted, Deleted
from controlroom.dialects.robocorp.routing import Page, Pages, delete, get, post, undocumented, update
from controlroom.engine.packages import push_hooks, sources
from controlroom.engine.packages.source_store import Ref, RefKind
from controlroom.engine.packages.sources import SourceView, Wanted
from controlroom.errors import Invalid, Unauthenticated, Unavailable
from controlroom.ids import PackageId

_PACKAGE = "/task-packages/{package_id:uuid}"
_GITHUB = "x-hub-signature-256"
_GITLAB = "x-gitlab-token"
_TURN_SECONDS = 5.0  # Why: less than GitHub waits for an answer (10 s)


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


@get("/task-package-sources", needs=Permission.READ_PACKAGES)
async def list_task_package_sources(request: Asking, paging: Pages) -> Page[GitSource]:
    """List where packages are fetched from, oldest package first; those that are uploaded have no source."""
    rows = await sources.list_sources(*request.reading, after=paging.after(PackageId), limit=paging.fetch)
    return paging.page(rows, lambda source: _show(request, source), lambda source: source.package_id)


@get(f"{_PACKAGE}/source", needs=Permission.READ_PACKAGES)
async def get_task_package_source(request: Asking, package_id: Path[PackageId]) -> GitSource:
    """Get where a package's content comes from; 404 for one that is uploaded."""
    return _show(request, await sources.get(*request.reading, package_id))


@update(f"{_PACKAGE}/source")
async def set_task_package_source(request: Asking, package_id: Path[PackageId], data: Body[SetGitSource]) -> GitSource:
    """Say where a package's content comes from, and fetch it; the answer tells the push hook's new secret."""
    source, secret = await sources.set_source(*request.acting, package_id, wanted(data), keeps_hook=data.keep_push_hook)
    return _show(request, source, UNSET if secret is None else secret)


@delete(f"{_PACKAGE}/source")
async def delete_task_package_source(request: Asking, package_id: Path[PackageId]) -> Deleted:
    """Fetch no more; the package keeps its versions."""
    await sources.remove(*request.acting, package_id)
    return Deleted(package_id)


@post(f"{_PACKAGE}/fetch")
async def fetch_task_package(request: Asking, package_id: Path[PackageId]) -> GitSource:
    """Fetch a package's content soon; its source tells how that went."""
    return _show(request, await sources.want(*request.acting, package_id))


@post("/{package_id:uuid}", request_max_body_size=None)  # it allows so much itself
async def receive_git_push(request: Asking, package_id: Path[PackageId]) -> Accepted:
    """A push hook of GitHub or GitLab: fetch soon. The hook's own signature or token is the credential.

    What is signed is the whole body: it is read once it is known that there is such a hook, few at once, none kept.
    """
    hook = await push_hooks.find(request.engine, package_id)
    if (signature := request.headers.get(_GITHUB)) is not None:
        async with _turn(request):
            now, most = asyncio.get_running_loop().time(), request.engine.limits.git_hook_bytes
            allow(request.scope, most=most, seconds=request.engine.limits.stall_seconds, now=now)
            await hook.check_signature(signature, request.stream())
    elif (token := request.headers.get(_GITLAB)) is not None:
        hook.check_token(token)
    else:
        raise Unauthenticated("A push hook signs itself: X-Hub-Signature-256 or X-Gitlab-Token.")
    known(request.scope, f"push_hook:{package_id}")
    await hook.want_fetch()
    return Accepted(accepted=True)


def wanted(asked: SetGitSource) -> Wanted:
    """What of which repository is asked for. Raises Invalid."""
    return Wanted(url=asked.url, ref=_ref(asked), folder=asked.folder or "", secret_name=asked.secret)


@asynccontextmanager
async def _turn(request: Asking) -> AsyncIterator[None]:
    """One of the few hooks whose bodies are read at once; raises Unavailable when none ends in time."""
    turns: asyncio.Semaphore = request.app.state.push_hooks
    try:
        async with asyncio.timeout(_TURN_SECONDS):
            await turns.acquire()
    except TimeoutError:
        raise Unavailable("too many push hooks are being read: try again", code="CROWDED") from None
    try:
        yield
    finally:
        turns.release()


def _ref(asked: SetGitSource) -> Ref:
    given = [
        Ref(kind, name)
        for kind, name in ((RefKind.BRANCH, asked.branch), (RefKind.TAG, asked.tag), (RefKind.COMMIT, asked.commit))
        if name is not None
    ]
    if len(given) != 1:
        raise Invalid("Name one of branch, tag and commit.", code="GIT_REF_INVALID")
    return given[0]


def _show(request: Asking, source: SourceView, secret: str | UnsetType = UNSET) -> GitSource:
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


def push_hook(request: Asking, package: PackageId, secret: str | UnsetType = UNSET) -> PushHook:
    """Where pushes of a package's repository are told."""
    return PushHook(f"{request.origin}/api/v1/git-hooks/{package}", secret)


def hook_router() -> Router:
    """Where pushes are told: it takes no API key."""
    return undocumented("/api/v1/git-hooks", [receive_git_push])


handlers = [
    list_task_package_sources,
    get_task_package_source,
    set_task_package_source,
    delete_task_package_source,
    fetch_task_package,
]
