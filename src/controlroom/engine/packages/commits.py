"""What a git package's repository holds at a ref that somebody asks for, beside the package's own versions.

    match await commits.at(engine, scope, package, Ref(RefKind.BRANCH, "feature"), within="", since=asked_at):

Whoever wants it says since when they do: a branch is what it is then or later, never what it was before. Contents are
kept by commit, so that a commit is fetched once. The fetching is the matter of `maintenance/git_fetcher.py`.
"""

from datetime import datetime, timedelta
from typing import ClassVar, Final

from msgspec import Struct

from controlroom.engine.access.scope import SEEN, Room, Scope, ScopedTx, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.packages import actions, source_store, store
from controlroom.engine.packages.fetches import LEASE, Fetch, RefKind, hold
from controlroom.engine.packages.source_store import Ref
from controlroom.ids import PackageId, uuid7
from controlroom.objects.store import Blob
from controlroom.postgres.database import Statements

KEPT: Final = timedelta(days=30)
"""For how long the content of a commit is kept that nobody asks for. Why: it can be fetched again."""
_SHOWN_ERROR: Final = 1000


class Content(Struct, frozen=True, kw_only=True):
    """The zip of a commit, and where in it robot.yaml or dbt_project.yml lies."""

    commit: str
    root: str
    hash: str
    size: int


class Failed(Struct, frozen=True):
    """The last fetch that answers the question went wrong."""

    error: str


class RefFetch(Fetch, frozen=True, kw_only=True):
    """A fetch of a ref that somebody has asked for."""

    table: ClassVar[str] = "package_ref"


class _Answer(Struct, frozen=True):
    commit: str | None
    error: str


async def at(
    engine: Engine, scope: Scope, package: PackageId, ref: Ref, *, within: str, since: datetime
) -> Content | Failed | None:
    """The content of a ref as it is since a moment; None while it is fetched, which this asks for.

    `within` chooses one of several robots or projects by its folder.
    """
    if ref.kind is RefKind.COMMIT and (kept := await _content(engine.database, scope, package, ref.name, within)):
        return kept
    found = await _answer(engine.database, scope, package, ref, within, since)
    if found is not None and found.error:
        return Failed(found.error)
    if found is not None and found.commit is not None:
        kept = await _content(engine.database, scope, package, found.commit, within)
        if kept is not None:
            return kept
    await _want(engine.database, scope, package, ref, within, since)
    return None


async def take(engine: Engine, fetch: RefFetch, *, commit: str, blob: Blob) -> bool:
    """What was fetched is kept by its commit, and is the latest version of a package that follows this very ref.

    Whether that is a new one; a claim that was lost meanwhile brings nothing. Raises Invalid for what is no package.
    """
    within = fetch.within or fetch.folder
    read = await actions.read_robot(engine, fetch.workspace_id, blob, folder=within, place=fetch.package_id)
    async with scoped(engine.database, fetch.scope) as tx:
        await store.lock(tx, fetch.scope, fetch.package_id)  # first, as whoever sets the source does
        if not await hold(tx, fetch):
            return False
        is_new = False
        await _keep(tx, fetch, commit, read.folder, blob)
        source = await source_store.get(tx, fetch.scope, fetch.package_id)
        if source is not None and (source.ref_kind, source.ref) == (fetch.ref_kind, fetch.ref):
            is_new = await actions.add_version(engine, tx, fetch.scope, fetch.package_id, blob, read)
            await source_store.is_at(tx, fetch.scope, fetch.package_id, commit)
        await _done(tx, fetch, commit=commit, error="")
        return is_new


async def give_up(engine: Engine, fetch: RefFetch, why: str) -> None:
    """Note why a fetch failed, for those who have asked until now; who asks later has it tried again."""
    async with scoped(engine.database, fetch.scope) as tx:
        await _done(tx, fetch, commit=None, error=why[:_SHOWN_ERROR])


# ---------------------------------------------------------------------------------------------------- asking
async def _content(db: Statements, scope: Scope, package: PackageId, commit: str, within: str) -> Content | None:
    """What is kept of a commit; it is kept on as long as somebody asks."""
    return await db.one_or_none(
        Content,
        f"""
        update package_commit set asked_at = clock_now()
         where package_id = %(package)s and commit = %(commit)s and folder = %(within)s and workspace_id = {SEEN}
        returning commit, root, hash, size
        """,
        package=package,
        commit=commit,
        within=within,
        **scope.params,
    )


async def _answer(
    db: Statements, scope: Scope, package: PackageId, ref: Ref, within: str, since: datetime
) -> _Answer | None:
    """How the fetch went that began after a moment; None if there was none."""
    return await db.one_or_none(
        _Answer,
        f"""
        select commit, error from package_ref
         where package_id = %(package)s and ref_kind = %(kind)s and ref = %(ref)s and folder = %(within)s
           and workspace_id = {SEEN} and answers >= %(since)s
        """,
        package=package,
        kind=ref.kind,
        ref=ref.name,
        within=within,
        since=since,
        **scope.params,
    )


async def _want(db: Statements, scope: Scope, package: PackageId, ref: Ref, within: str, since: datetime) -> None:
    """Note that a fetch is wanted. One that waits already will do, if it was asked for since then."""
    await db.execute(
        f"""
        insert into package_ref (package_id, workspace_id, ref_kind, ref, folder, wanted_at)
        select %(package)s, seen.id, %(kind)s, %(ref)s, %(within)s, clock_now() from {SEEN} as seen
        on conflict (package_id, ref_kind, ref, folder) do update set wanted_at = clock_now()
         where package_ref.wanted_at is null or package_ref.wanted_at < %(since)s
        """,
        package=package,
        kind=ref.kind,
        ref=ref.name,
        within=within,
        since=since,
        **scope.params,
    )


# ---------------------------------------------------------------------------------------------------- fetching
async def claim(tx: Statements, _room: Room) -> RefFetch | None:
    """Claim the fetch that waits the longest; each goes to one server."""
    return await tx.one_or_none(
        RefFetch,
        """
        with picked as (
            select wanted.package_id, wanted.ref_kind, wanted.ref, wanted.folder, workspace.organization_id,
                   source.url, source.folder as taken, source.secret_name
              from package_ref as wanted
              join package_source as source on source.package_id = wanted.package_id
              join package on package.id = wanted.package_id and package.deleted_at is null
              join workspace on workspace.id = wanted.workspace_id and workspace.deleted_at is null
             where wanted.wanted_at is not null and (wanted.lease_until is null or wanted.lease_until < clock_now())
             order by wanted.wanted_at
             limit 1
               for no key update of wanted skip locked
        )
        update package_ref set lease_until = clock_now() + %(lease)s::interval, lease_id = %(id)s
          from picked
         where package_ref.package_id = picked.package_id and package_ref.ref_kind = picked.ref_kind
           and package_ref.ref = picked.ref and package_ref.folder = picked.folder
        returning package_ref.package_id, package_ref.workspace_id, picked.organization_id, picked.url,
                  package_ref.ref_kind, package_ref.ref, picked.taken as folder, package_ref.folder as within,
                  picked.secret_name,
                  package_ref.wanted_at, package_ref.lease_id
        """,
        lease=LEASE,
        id=uuid7(),
    )


async def forget(tx: ScopedTx, package: PackageId) -> None:
    """Whatever was fetched of a package is of another repository by now, or of none."""
    await tx.execute("delete from package_ref where package_id = %(package)s", package=package)
    await tx.execute("delete from package_commit where package_id = %(package)s", package=package)


async def prune(tx: Statements, _room: Room, kept: timedelta = KEPT) -> int:
    """Forget the contents that nobody has asked for; how many. Their objects are swept later."""
    return await tx.execute("delete from package_commit where asked_at < clock_now() - %(kept)s::interval", kept=kept)


async def _keep(tx: ScopedTx, fetch: RefFetch, commit: str, root: str, blob: Blob) -> None:
    await tx.execute(
        """
        insert into package_commit (package_id, workspace_id, commit, folder, root, hash, size)
        values (%(package)s, %(workspace)s, %(commit)s, %(folder)s, %(root)s, %(hash)s, %(size)s)
        on conflict (package_id, commit, folder) do update
           set root = excluded.root, hash = excluded.hash, size = excluded.size, asked_at = clock_now()
        """,
        package=fetch.package_id,
        workspace=fetch.workspace_id,
        commit=commit,
        folder=fetch.within,
        root=root,
        hash=blob.hash,
        size=blob.size,
    )


async def _done(tx: ScopedTx, fetch: RefFetch, *, commit: str | None, error: str) -> None:
    await tx.execute(
        """
        update package_ref
           set lease_until = null, lease_id = null, wanted_at = nullif(wanted_at, %(wanted)s), answers = %(wanted)s,
               commit = %(commit)s, error = %(error)s
         where package_id = %(package)s and lease_id = %(id)s
        """,
        package=fetch.package_id,
        id=fetch.lease_id,
        wanted=fetch.wanted_at,
        commit=commit,
        error=error,
    )
