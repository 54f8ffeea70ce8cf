"""The schema moves forward, never back.

A migration is a file `YYYYMMDDHHMMSS_{pre|post}_title.sql` in `migrations/`: `pre` ones are safe while the previous
release still runs, `post` ones clean up behind it: they wait, and let later ones pass, while a server is connected that
does not know them; the next start of a server tries again. Each is applied once, in the order of their names, in a
transaction of its own. One whose first line is `-- no transaction` is sent statement by statement (`create index
concurrently`), and must be written so that it can be run again after it was interrupted.

The first file is the whole schema as it was when it was frozen. A database that was made by the files before it is not
carried over: it is refused.
"""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from importlib import resources
from importlib.resources.abc import Traversable

import asyncpg
import msgspec
import structlog

from controlroom.errors import Conflict
from controlroom.postgres.connection import tls_of
from controlroom.postgres.errors import UNREACHABLE, translate
from controlroom.postgres.release import FIRST_RELEASE, STAMP_DIGITS
from controlroom.postgres.statement import statements

log = structlog.get_logger(__name__)

_NAME = re.compile(r"\d{14}_(pre|post)_[a-z0-9_]+\.sql")
_NO_TRANSACTION = "-- no transaction"
_LOCK = 4_208_170_001
"""The advisory lock of all migrators of a database: any number that nobody else uses."""
_LOCK_TIMEOUT = "2s"
_ATTEMPTS = 30
"""How often a migration waits for a busy table, two seconds at a time: in between the table's users get their turn."""


class MigrationError(Conflict):
    """The migrations and the database do not fit together; nothing was changed."""

    code = "SCHEMA"


class Migration(msgspec.Struct, frozen=True):
    """A file, as it is now."""

    name: str
    sql: str

    @property
    def digest(self) -> str:
        """What its content is known by."""
        return hashlib.sha256(self.sql.encode()).hexdigest()

    @property
    def is_post(self) -> bool:
        """Whether it takes away what the release before needs."""
        return self.name[STAMP_DIGITS:].startswith("_post_")

    @property
    def in_transaction(self) -> bool:
        """Whether all of it is applied, or nothing."""
        return self.sql.partition("\n")[0].strip() != _NO_TRANSACTION


def migrations(folder: Traversable | None = None) -> list[Migration]:
    """All migrations of this release, in order.

    Raises:
        MigrationError: if a file is named otherwise.
    """
    folder = folder or resources.files("controlroom.postgres") / "migrations"
    found = [Migration(file.name, file.read_text()) for file in folder.iterdir() if file.name.endswith(".sql")]
    for migration in found:
        if not _NAME.fullmatch(migration.name):
            raise MigrationError(f"{migration.name}: a migration is named YYYYMMDDHHMMSS_pre|post_title.sql")
    return sorted(found, key=lambda migration: migration.name)


async def pending(dsn: str, folder: Traversable | None = None) -> list[str]:
    """The names of the migrations that have not been applied, in order.

    Raises:
        MigrationError: if an applied one has another content now, or is not known: another release has been here.
        Unavailable: if the database cannot be reached.
    """
    async with _connected(dsn) as connection:
        return [migration.name for migration in await _pending(connection, migrations(folder))]


async def newest_applied(connection: asyncpg.Connection) -> str | None:
    """The newest migration of a database, whether this release knows it or not; None where there is no room.

    Raises:
        MigrationError: if the database is of the days before the first file.
    """
    applied = await _applied(connection)
    _refuse_of_before(applied, migrations())
    return max(applied, default=None)


async def migrate(dsn: str, folder: Traversable | None = None) -> list[str]:
    """Apply what is pending and return the names; any number of servers may ask at once, one of them does it.

    Costs one query when there is nothing to do.

    Raises:
        MigrationError: if an applied migration has another content now or is not known, or a table stays busy for too
            long.
        Unavailable: if the database cannot be reached.
    """
    known = migrations(folder)
    async with _connected(dsn) as connection:
        if not await _pending(connection, known):
            return []
        # Why not a waiting lock: who waits in a statement has a snapshot, and `create index concurrently` waits for it.
        while not await connection.fetchval("select pg_try_advisory_lock($1)", _LOCK):  # noqa: ASYNC110 - another host's
            await asyncio.sleep(0.05)
        await connection.execute(
            """
            create table if not exists schema_migration (
                name text primary key,
                sha256 text not null,
                applied_at timestamptz not null default now()
            )
            """
        )
        await connection.execute(f"set lock_timeout = '{_LOCK_TIMEOUT}'")
        applied = []
        for migration in await _pending(connection, known):
            if migration.is_post and (older := await _older_sessions(connection, migration)):
                log.warning("migration waits for servers of an older release", migration=migration.name, sessions=older)
                continue
            await _apply(connection, migration)
            log.info("migration applied", migration=migration.name)
            applied.append(migration.name)
        return applied


@asynccontextmanager
async def _connected(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    try:
        connection = await asyncpg.connect(
            dsn, ssl=tls_of(dsn), server_settings={"application_name": "controlroom migrate"}
        )
    except UNREACHABLE as error:
        raise translate(error) from error
    try:
        yield connection
    finally:
        await connection.close()  # and with it goes the lock


async def _applied(connection: asyncpg.Connection) -> dict[str, str]:
    """The migrations of a database and what their contents were known by."""
    try:
        rows = await connection.fetch("select name, sha256 from schema_migration")
    except asyncpg.UndefinedTableError:
        return {}
    return {row["name"]: row["sha256"] for row in rows}


def _refuse_of_before(applied: Iterable[str], known: Sequence[Migration]) -> None:
    oldest = min(applied, default=None)
    if oldest is not None and known and oldest < known[0].name:
        raise MigrationError(
            f"the database was made by a release before {FIRST_RELEASE} (by {oldest}), and its schema is not carried "
            "over to this one; nothing was changed. Start afresh with another data folder, or an empty database; or go "
            "on with the release that made it"
        )


async def _pending(connection: asyncpg.Connection, known: Sequence[Migration]) -> list[Migration]:
    applied = await _applied(connection)
    _refuse_of_before(applied, known)
    if newer := sorted(applied.keys() - {migration.name for migration in known}):
        others = f" and {len(newer) - 1} more" if len(newer) > 1 else ""
        raise MigrationError(
            f"the database belongs to a newer release: this one does not know {newer[-1]}{others}. A schema never "
            "moves back: start the newer release, or restore a backup that was made before it"
        )
    for migration in known:
        if applied.get(migration.name, migration.digest) != migration.digest:
            raise MigrationError(
                f"{migration.name} was changed after it had been applied: what is applied is never edited, "
                "a further migration corrects it"
            )
    return [migration for migration in known if migration.name not in applied]


async def _apply(connection: asyncpg.Connection, migration: Migration) -> None:
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            if migration.in_transaction:
                async with connection.transaction():
                    await connection.execute(migration.sql)
                    await _record(connection, migration)
            else:
                for sql in statements(migration.sql):
                    await connection.execute(sql)
                await _record(connection, migration)
        except asyncpg.LockNotAvailableError:
            log.info("migration waits for a busy table", migration=migration.name, attempt=attempt)
            await asyncio.sleep(0.2)
        else:
            return
    raise MigrationError(f"{migration.name}: a table that it changes stays busy")


async def _older_sessions(connection: asyncpg.Connection, migration: Migration) -> int:
    """Connections of servers to which this migration is not known: they end with their server, whatever ends it."""
    older: int = await connection.fetchval(
        """
        select count(*) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid()
           and application_name ~ '^controlroom.* [0-9]{14}$' and right(application_name, 14) < $1
        """,
        migration.name[:STAMP_DIGITS],
    )
    return older


async def _record(connection: asyncpg.Connection, migration: Migration) -> None:
    await connection.execute(
        "insert into schema_migration (name, sha256) values ($1, $2)", migration.name, migration.digest
    )
