"""The versions of the file that a connection's database is: the latest is the current one.

A step run brings the next one before it ends (`bring`), and the commit that ends it makes it the current one
(`publish`), whether it succeeded or not. What a lost attempt has brought is never published. One run at a time works on
a file (`rules.lock_of`), so that nobody's version is written over another's that they have not seen.
"""

from typing import Final

from controlroom.engine.access.scope import ScopedTx
from controlroom.engine.connections.errors import DatabaseTooLarge
from controlroom.engine.connections.model import DatabaseVersion
from controlroom.ids import ConnectionId, OrganizationId, RunId, StepRunId
from controlroom.postgres.database import Statements

_COLUMNS: Final = """connection_file.connection_id, connection_file.version, connection_file.hash,
    connection_file.size, connection_file.run_id, connection_file.created_at"""


async def current(db: Statements, organization: OrganizationId, connection: ConnectionId) -> DatabaseVersion | None:
    """The version that a run works on; None: there is none yet, it begins with an empty one."""
    return await db.one_or_none(
        DatabaseVersion,
        f"""
        select {_COLUMNS} from connection_file join connection on connection.id = connection_file.connection_id
         where connection_file.connection_id = %(connection)s and connection.organization_id = %(organization)s
           and connection_file.version is not null
         order by connection_file.version desc
         limit 1
        """,
        connection=connection,
        organization=organization,
    )


async def versions(db: Statements, organization: OrganizationId, connection: ConnectionId) -> list[DatabaseVersion]:
    """All versions that are kept, the current one first."""
    return await db.all(
        DatabaseVersion,
        f"""
        select {_COLUMNS} from connection_file join connection on connection.id = connection_file.connection_id
         where connection_file.connection_id = %(connection)s and connection.organization_id = %(organization)s
           and connection_file.version is not null
         order by connection_file.version desc
        """,
        connection=connection,
        organization=organization,
    )


def ensure_fits(size: int, most: int) -> None:
    """A file is not too large to be kept. Raises DatabaseTooLarge."""
    if size > most:
        raise DatabaseTooLarge(most)


async def bring(
    tx: ScopedTx,
    *,
    connection: ConnectionId,
    run: RunId,
    step_run: StepRunId,
    attempt: int,
    hash_: str,
    size: int,
) -> None:
    """Note what an attempt that lives has brought, for when it ends; of several the last one counts."""
    await tx.execute(
        """
        insert into connection_file (connection_id, hash, size, run_id, step_run_id, attempt)
        values (%(connection)s, %(hash)s, %(size)s, %(run)s, %(step_run)s, %(attempt)s)
        on conflict (step_run_id, attempt, connection_id) do update
           set hash = excluded.hash, size = excluded.size, created_at = clock_now()
         where connection_file.version is null
        """,
        connection=connection,
        hash=hash_,
        size=size,
        run=run,
        step_run=step_run,
        attempt=attempt,
    )


async def publish(tx: ScopedTx, step_run: StepRunId, attempt: int, *, most: int) -> int | None:
    """Make what an attempt has brought the current version, in the commit that ends it; which one it is.

    Of older ones so many stay that there are `most`; what others brought and never published goes, too.
    """
    brought: ConnectionId | None = await tx.value(
        """
        select connection.id from connection join connection_file on connection_file.connection_id = connection.id
         where connection_file.step_run_id = %(step_run)s and connection_file.attempt = %(attempt)s
           and connection_file.version is null and connection.deleted_at is null
           for update of connection
        """,
        step_run=step_run,
        attempt=attempt,
    )
    if brought is None:
        return None
    version: int = await tx.value(
        """
        update connection_file
           set version = 1 + coalesce((select max(version) from connection_file where connection_id = %(brought)s), 0)
         where connection_id = %(brought)s and step_run_id = %(step_run)s and attempt = %(attempt)s
        returning version
        """,
        brought=brought,
        step_run=step_run,
        attempt=attempt,
    )
    await tx.execute(
        """
        delete from connection_file
         where connection_id = %(brought)s and (version is null or version <= %(version)s - greatest(%(most)s, 1))
        """,
        brought=brought,
        version=version,
        most=most,
    )
    return version
