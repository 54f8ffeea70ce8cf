"""Task packages from git (our management API): where a package's content is fetched from, on demand or on a push."""

from collections.abc import Callable
from datetime import datetime
from typing import Literal

from msgspec import UNSET, UnsetType

from controlroom.border import git_hooks
from controlroom.border.asking import Asking, Body, Path, Permission
from controlroom.dialects.robocorp.answers import Deleted, OwnBody, Shape, shown_with
from controlroom.dialects.robocorp.routing import Page, Pages, delete, get, post, update
from controlroom.engine.packages import sources
from controlroom.engine.packages.fetches import RefKind
from controlroom.engine.packages.source_store import Ref
from controlroom.engine.packages.sources import SourceView, Wanted
from controlroom.errors import Invalid
from controlroom.ids import PackageId

_PACKAGE = "/task-packages/{package_id:uuid}"


class PushHook(Shape, frozen=True):
    """What to enter as a push hook at GitHub or GitLab; the secret is shown once, to who sets the source."""

    url: str
    secret: str | UnsetType = UNSET


class GitSource(Shape, frozen=True, kw_only=True):
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


class SetGitSource(OwnBody, frozen=True, kw_only=True):
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
    rows = await sources.list_sources(*request.reading, **paging.after(PackageId))
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
    return await Deleted.after(package_id, sources.remove(*request.acting, package_id))


@post(f"{_PACKAGE}/fetch")
async def fetch_task_package(request: Asking, package_id: Path[PackageId]) -> GitSource:
    """Fetch a package's content soon; its source tells how that went."""
    return _show(request, await sources.want(*request.acting, package_id))


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


def _show(request: Asking, source: SourceView, secret: str | UnsetType = UNSET) -> GitSource:
    return _shown(source, push_hook=push_hook(request, source.package_id, secret))


def _named(kind: RefKind) -> Callable[[SourceView], str | None]:
    return lambda source: source.ref.name if source.ref.kind is kind else None


_shown = shown_with(
    ("push_hook",),
    GitSource,
    SourceView,
    branch=_named(RefKind.BRANCH),
    tag=_named(RefKind.TAG),
    commit=_named(RefKind.COMMIT),
    folder=lambda source: source.folder or None,
    secret="secret_name",  # noqa: S106 - the name of an attribute
    fetching="is_wanted",
    error=lambda source: source.error or None,
)


def push_hook(request: Asking, package: PackageId, secret: str | UnsetType = UNSET) -> PushHook:
    """Where pushes of a package's repository are told."""
    return PushHook(git_hooks.address(request, package), secret)
