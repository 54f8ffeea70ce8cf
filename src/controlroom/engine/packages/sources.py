"""Packages whose content comes from git: where from, what of it, and the fetches that are asked for.

The fetching itself speaks to the world, and is the matter of `maintenance/git_fetcher.py`.
"""

import re
import secrets
from datetime import datetime
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from controlroom.engine.access.model import Actor, ActorKind, Permission
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import Room, Scope, ScopedTx, ensure_seen, scope_of, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.events.store import By
from controlroom.engine.packages import actions, commits, fetches, source_store, store
from controlroom.engine.packages.commits import RefFetch
from controlroom.engine.packages.fetches import Fetch, RefKind
from controlroom.engine.packages.model import Package
from controlroom.engine.packages.source_store import Ref, Source
from controlroom.engine.vault import store as vault
from controlroom.engine.vault.errors import SecretNotFound
from controlroom.errors import Invalid, NotFound
from controlroom.ids import PackageId, WorkspaceId
from controlroom.objects.store import Blob
from controlroom.postgres.database import Statements
from controlroom.robots.choosing import inner_folder

_LONGEST_URL = 2000
_REF = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/@+-]{0,199}")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_SHOWN_ERROR = 1000


class Wanted(Struct, frozen=True, kw_only=True):
    """What a package's source is to be."""

    url: str
    ref: Ref
    folder: str = ""
    """Of the repository: where the robot lies, chosen where there are several; only that folder is fetched."""
    secret_name: str | None = None


class SourceView(Struct, frozen=True, kw_only=True):
    """Where a package's content comes from, and how the last fetch went."""

    package_id: PackageId
    url: str
    ref: Ref
    folder: str
    secret_name: str | None
    is_wanted: bool
    fetched_at: datetime | None
    fetched_commit: str | None
    error: str


class SourceNotFound(NotFound):
    """The package's content is uploaded, not fetched."""

    def __init__(self, package: PackageId) -> None:
        super().__init__(f"package {package} has no git source", code="PACKAGE_SOURCE_NOT_FOUND")


async def set_source(
    engine: Engine,
    actor: Actor,
    workspace: WorkspaceId,
    package: PackageId,
    wanted: Wanted,
    *,
    keeps_hook: bool = False,
) -> tuple[SourceView, str | None]:
    """Say where a package's content comes from, want a fetch, and give the new secret of its push hook.

    The secret is None where the package has a hook already that is to be kept. Who names a secret of the vault must be
    allowed to use secrets: its values go to the address. Raises Invalid, PackageNotFound.
    """
    scope = scope_of(actor, Permission.WRITE_PACKAGES, workspace)
    async with scoped(engine.database, scope) as tx:
        await ensure_seen(tx, scope)
        hook = await set_in(engine, tx, actor, scope, package, wanted, keeps_hook=keeps_hook)
    return await get(engine.database, scope, package), hook


async def set_in(
    engine: Engine,
    tx: ScopedTx,
    actor: Actor,
    scope: Scope,
    package: PackageId,
    wanted: Wanted,
    *,
    keeps_hook: bool = False,
) -> str | None:
    """Likewise, in a transaction that does more; the new secret of the hook."""
    wanted = _checked(actor, scope.workspace, wanted)
    await store.hold(tx, scope, package)
    return await _put(engine, tx, actor, scope, package, wanted, keeps_hook=keeps_hook)


async def create_package(
    engine: Engine,
    actor: Actor,
    workspace: WorkspaceId,
    name: str,
    wanted: Wanted,
    *,
    exclude_newer: datetime | None = None,
) -> tuple[Package, str]:
    """Create a package that is fetched, and give the secret of its push hook: both, or nothing if one is refused."""
    scope = scope_of(actor, Permission.WRITE_PACKAGES, workspace)
    wanted = _checked(actor, workspace, wanted)
    async with scoped(engine.database, scope) as tx:
        package = await actions.create_in(engine, tx, actor, scope, name, exclude_newer)
        hook = await _put(engine, tx, actor, scope, package, wanted, keeps_hook=False)
        assert hook is not None  # noqa: S101  # a new package has no hook to keep
        return await store.get(tx, scope, package), hook


async def get(db: Statements, scope: Scope, package: PackageId) -> SourceView:
    """Where a package's content comes from. Raises SourceNotFound."""
    return _view(await _found(db, scope, package))


async def list_sources(db: Statements, scope: Scope, *, after: PackageId | None = None, limit: int) -> list[SourceView]:
    """The sources of all packages that have one, oldest package first."""
    return [_view(each) for each in await source_store.list_sources(db, scope, after=after, limit=limit)]


async def remove(engine: Engine, actor: Actor, workspace: WorkspaceId, package: PackageId) -> None:
    """Fetch no more; the versions that there are stay. Raises SourceNotFound."""
    scope = scope_of(actor, Permission.WRITE_PACKAGES, workspace)
    async with scoped(engine.database, scope) as tx:
        if not await remove_in(engine, tx, actor, scope, package):
            raise SourceNotFound(package)


async def remove_in(engine: Engine, tx: ScopedTx, actor: Actor, scope: Scope, package: PackageId) -> bool:
    """Likewise, in a transaction that does more; whether it was fetched before."""
    was_there = await source_store.remove(tx, scope, package)
    if was_there:
        await commits.forget(tx, package)
        await record(engine, tx, actor, scope, "package_source.removed", package)
    return was_there


async def want(engine: Engine, actor: Actor, workspace: WorkspaceId, package: PackageId) -> SourceView:
    """Ask for a fetch, which some server does soon; several that wait are one. Raises SourceNotFound."""
    scope = scope_of(actor, Permission.WRITE_PACKAGES, workspace)
    found = await _found(engine.database, scope, package)
    await source_store.want(engine.database, scope, found.package_id)
    return await get(engine.database, scope, package)


def hook_secret(engine: Engine, source: Source) -> bytes:
    """What the push hook of a source signs with."""
    return engine.keys.unseal(source.hook_sealed, place=_place(source.package_id))


# ---------------------------------------------------------------------------------------------------- fetching
async def claim(engine: Engine, room: Room) -> Fetch | None:
    """A fetch that is to be done now, claimed for a while; None if there is none. Those that runs wait for go first."""
    return await commits.claim(engine.database, room) or await source_store.claim(engine.database, room)


async def renew(engine: Engine, room: Room, fetch: Fetch) -> bool:
    """Keep a claimed fetch for another while; whether it is still ours: its source may be another by now."""
    return await fetches.renew(engine.database, room, fetch)


async def let_go(engine: Engine, room: Room, fetch: Fetch) -> None:
    """Give a claimed fetch to whoever claims it next, at once."""
    await fetches.let_go(engine.database, room, fetch)


async def take(engine: Engine, fetch: Fetch, *, commit: str, blob: Blob) -> bool:
    """What was fetched becomes the latest version, if it is another; whether it is. Raises Invalid with the reason.

    A claim that was lost meanwhile (another server has it, the source was changed or removed) brings nothing.
    """
    if isinstance(fetch, RefFetch):
        return await commits.take(engine, fetch, commit=commit, blob=blob)
    within = fetch.within or fetch.folder
    read = await actions.read_robot(engine, fetch.workspace_id, blob, folder=within, place=fetch.package_id)
    async with scoped(engine.database, fetch.scope) as tx:
        await store.lock(tx, fetch.scope, fetch.package_id)  # first, as whoever sets the source does
        if not await fetches.hold(tx, fetch):
            return False
        is_new = await actions.add_version(engine, tx, fetch.scope, fetch.package_id, blob, read)
        await source_store.done(tx, fetch, commit=commit)
        return is_new


async def give_up(engine: Engine, fetch: Fetch, why: str) -> None:
    """Note why a fetch failed, unless it was lost meanwhile; the version before it stays the latest."""
    if isinstance(fetch, RefFetch):
        await commits.give_up(engine, fetch, why)
        return
    error = why[:_SHOWN_ERROR]
    async with scoped(engine.database, fetch.scope) as tx:
        if await source_store.failed(tx, fetch, error):
            system = By(ActorKind.SYSTEM.value)
            await record(engine, tx, system, fetch, "package_source.failed", fetch.package_id, error=error)


async def _put(
    engine: Engine, tx: ScopedTx, actor: Actor, scope: Scope, package: PackageId, wanted: Wanted, *, keeps_hook: bool
) -> str | None:
    """Write a source; the new secret of the hook, None if the one that is there is kept. Raises SecretNotFound."""
    if wanted.secret_name is not None and await vault.sealed(tx, scope, wanted.secret_name) is None:
        raise SecretNotFound(wanted.secret_name)
    kept = await source_store.get(tx, scope, package) if keeps_hook else None
    hook, sealed = (None, kept.hook_sealed) if kept is not None else _new_hook(engine, package)
    before = kept or await source_store.get(tx, scope, package)
    if before is not None and (before.url, before.folder) != (wanted.url, wanted.folder):
        await commits.forget(tx, package)
    await source_store.put(
        tx,
        scope,
        package,
        url=wanted.url,
        ref=wanted.ref,
        folder=wanted.folder,
        secret_name=wanted.secret_name,
        hook_sealed=sealed,
    )
    ref = f"{wanted.ref.kind.value} {wanted.ref.name}"
    await record(engine, tx, actor, scope, "package_source.set", package, url=wanted.url, ref=ref)
    return hook


# ---------------------------------------------------------------------------------------------------- rules
def _checked(actor: Actor, workspace: WorkspaceId, wanted: Wanted) -> Wanted:
    """What is wanted in its normal form. Raises Invalid; Forbidden who may not use the secret that it names."""
    if wanted.secret_name is not None:
        actor.require(Permission.USE_SECRETS, workspace)
    check_url(wanted.url)
    check_ref(wanted.ref)
    return msgspec.structs.replace(wanted, folder=inner_folder(wanted.folder))


def check_url(url: str) -> None:
    """Raise Invalid `GIT_URL_INVALID` for what is neither https nor ssh, or has a password in it."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = urlsplit(""), None
    if parts.scheme not in {"https", "ssh"} or not host or len(url) > _LONGEST_URL or not url.isprintable():
        raise Invalid("a git address begins with https:// or ssh:// and names a host", code="GIT_URL_INVALID")
    if parts.password or (parts.scheme == "https" and parts.username):
        raise Invalid("credentials belong into a secret of the vault, not into the address", code="GIT_URL_INVALID")
    if host.startswith("-") or (parts.username or "").startswith("-") or parts.query or parts.fragment:
        raise Invalid("this is no address of a git repository", code="GIT_URL_INVALID")


def check_ref(ref: Ref) -> Ref:
    """The ref, if it can be one. Raises Invalid `GIT_REF_INVALID`."""
    if ref.kind is RefKind.COMMIT:
        if not _COMMIT.fullmatch(ref.name):
            raise Invalid("a commit is named by its whole hash", code="GIT_REF_INVALID")
    elif not _REF.fullmatch(ref.name) or ".." in ref.name or "//" in ref.name or ref.name.endswith((".lock", "/")):
        raise Invalid(f"{ref.name!r} is no name of a {ref.kind.value}", code="GIT_REF_INVALID")
    return ref


async def _found(db: Statements, scope: Scope, package: PackageId) -> Source:
    found = await source_store.get(db, scope, package)
    if found is None:
        raise SourceNotFound(package)
    return found


def _new_hook(engine: Engine, package: PackageId) -> tuple[str, bytes]:
    """A secret for the push hook of a package, and how it is kept."""
    hook = secrets.token_urlsafe(32)
    return hook, engine.keys.seal(hook.encode(), place=_place(package))


def _place(package: PackageId) -> str:
    return f"package_source/{package}/hook"


def _view(source: Source) -> SourceView:
    return SourceView(
        package_id=source.package_id,
        url=source.url,
        ref=Ref(source.ref_kind, source.ref),
        folder=source.folder,
        secret_name=source.secret_name,
        is_wanted=source.wanted_at is not None,
        fetched_at=source.fetched_at,
        fetched_commit=source.fetched_commit,
        error=source.error,
    )
