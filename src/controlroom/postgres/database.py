"""Statements and transactions.

    database = await Database.connect(dsn)
    run = await database.one_or_none(Run, "select id, state from run where id = %(id)s", id=run_id)
    async with database.transaction() as tx:
        await tx.execute("update run set state = %(state)s where id = %(id)s", state=RunState.STOPPING, id=run_id)

Rows become frozen Structs by the names of their columns (see `rows`), or single values of the first column. Parameters
are named (see `statement`); a null in JSON is `msgspec.Raw(b"null")`, because None is SQL's null. Each text is prepared
once by a connection and kept, unless a `Statement` says that it is not.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol, Self, TypeAlias, TypeVar

import msgspec
import structlog

from controlroom.errors import Unavailable
from controlroom.postgres.connection import Connection
from controlroom.postgres.errors import Collision, NoRows, is_closed_connection, is_confused, translate
from controlroom.postgres.pool import Pool
from controlroom.postgres.rows import conversion
from controlroom.postgres.statement import Statement, sendable, statement

T = TypeVar("T")
R = TypeVar("R")

log = structlog.get_logger(__name__)

_ATTEMPTS = 3
_STREAM_BATCH = 500
_MOST_COLLECTED = 1000


class Statements(Protocol):
    """What a transaction and a database share: store functions take either."""

    async def one(self, into: type[T], sql: str | Statement, /, **params: Any) -> T:
        """The row of a statement that always returns exactly one.

        Raises:
            NoRows: if it does not.
        """
        ...

    async def one_or_none(self, into: type[T], sql: str | Statement, /, **params: Any) -> T | None:
        """The only row, or None.

        Raises:
            NoRows: if there are several.
        """
        ...

    async def all(self, into: type[T], sql: str | Statement, /, **params: Any) -> list[T]:
        """Every row."""
        ...

    async def value(self, sql: str, /, **params: Any) -> Any:
        """The first column of the first row, or None if there is no row; JSON is decoded."""
        ...

    async def execute(self, sql: str, /, **params: Any) -> int:
        """Run a statement; the number of rows that it touched."""
        ...


class _Runner:
    """The statements themselves, run by whoever has a connection."""

    async def _run(self, work: Callable[[Connection], Awaitable[R]]) -> R:
        raise NotImplementedError

    async def one(self, into: type[T], sql: str | Statement, /, **params: Any) -> T:
        """See `Statements.one`."""
        rows = await self._fetch(into, sql, params)
        if len(rows) != 1:
            raise NoRows(f"{len(rows)} rows instead of one: {sql}")
        return rows[0]

    async def one_or_none(self, into: type[T], sql: str | Statement, /, **params: Any) -> T | None:
        """See `Statements.one_or_none`."""
        rows = await self._fetch(into, sql, params)
        if len(rows) > 1:
            raise NoRows(f"{len(rows)} rows instead of one or none: {sql}")
        return rows[0] if rows else None

    async def all(self, into: type[T], sql: str | Statement, /, **params: Any) -> list[T]:
        """See `Statements.all`."""
        return await self._fetch(into, sql, params)

    async def value(self, sql: str, /, **params: Any) -> Any:
        """See `Statements.value`."""
        asked = statement(sql, params)
        arguments = asked.arguments(params)
        found = await self._run(lambda connection: connection.fetchval(asked.text, *arguments))
        return msgspec.json.decode(found) if type(found) is msgspec.Raw else found

    async def execute(self, sql: str, /, **params: Any) -> int:
        """See `Statements.execute`."""
        asked = statement(sql, params)
        arguments = asked.arguments(params)
        return _rows_of(await self._run(lambda connection: connection.execute(asked.text, *arguments)))

    async def _fetch(self, into: type[T], sql: str | Statement, params: dict[str, Any]) -> list[T]:
        asked = statement(sql, params)
        arguments = asked.arguments(params)
        return await self._run(lambda connection: _fetched(connection, asked, into, arguments))


Collected: TypeAlias = Callable[[Any, list[Any]], Awaitable[None]]
"""Writes rows that were collected in a transaction, which it is given."""


class Tx(_Runner):
    """One transaction: everything of it is committed, or nothing.

    For one task: a connection runs one statement at a time. After the block has ended it can do nothing more.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection: Connection | None = connection
        self._after_commit: list[Callable[[], None]] = []
        self._collected: dict[Collected, list[Any]] = {}

    async def collect(self, write: Collected, rows: Iterable[Any]) -> None:
        """Have rows written in one statement at the end of the transaction, with what else is collected for `write`."""
        collected = self._collected.setdefault(write, [])
        collected.extend(rows)
        if len(collected) >= _MOST_COLLECTED:
            del self._collected[write]
            await write(self, collected)

    async def write_collected(self) -> None:
        """Write what was collected; done by the end of the block."""
        while self._collected:
            write, rows = self._collected.popitem()
            await write(self, rows)

    async def stream(self, into: type[T], sql: str, /, **params: Any) -> AsyncIterator[T]:
        """Every row, a few hundred at a time: for results that may not fit into memory.

        While the caller works on a row the transaction is idle; it may be for five minutes.
        """
        asked = statement(sql, params)
        arguments = asked.arguments(params)
        await self._run(lambda open_: open_.execute("set local idle_in_transaction_session_timeout = '5min'"))
        convert = await self._run(lambda open_: _conversion(open_, asked, into))
        cursor = await self._run(lambda open_: _cursor(open_, asked, arguments))
        while rows := await self._run(lambda _: cursor.fetch(_STREAM_BATCH)):
            for row in convert(rows):
                yield row

    async def copy_in(self, table: str, columns: Sequence[str], records: Iterable[tuple[Any, ...]]) -> int:
        """Append records to a table by COPY, the fastest way for more than some hundred rows; the number of them."""
        plain = ([sendable(value) for value in record] for record in records)
        status = await self._run(lambda open_: open_.copy_records_to_table(table, columns=list(columns), records=plain))
        return _rows_of(status)

    def after_commit(self, call: Callable[[], None]) -> None:
        """Have something called once the transaction is committed; never if it is not."""
        self._after_commit.append(call)

    async def _run(self, work: Callable[[Connection], Awaitable[R]]) -> R:
        if self._connection is None:
            raise RuntimeError("the transaction has ended")
        try:
            return await work(self._connection)
        except Exception as error:
            translated = _told(error, self._connection)
            if translated is error:
                raise
            raise translated from error

    def _end(self) -> None:
        self._connection = None

    def _committed(self) -> None:
        for call in self._after_commit:
            try:
                call()
            except Exception:  # what is committed is committed: the caller must not believe otherwise
                log.exception("a call after commit failed", call=repr(call))


class Database(_Runner):
    """A pool of connections to one database, good for the life of the process.

    Each statement is a transaction of its own and costs one round trip. When the database restarts, idle connections
    are replaced unseen and callers wait a few seconds for it to come back; only a statement that was under way, and may
    or may not have been done, gets `Unavailable`.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @classmethod
    async def connect(
        cls, dsn: str, *, min_size: int = 2, max_size: int = 16, application_name: str = "controlroom"
    ) -> Self:
        """Open the pool.

        Raises:
            Unavailable: if the database cannot be reached in a few seconds.
        """
        pool = Pool(dsn, min_size=min_size, max_size=max_size, application_name=application_name)
        await pool.open()
        return cls(pool)

    async def close(self) -> None:
        """Close the pool."""
        await self._pool.close()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tx]:
        """A transaction (read committed): committed when the block ends, rolled back when it raises.

        Raises:
            Unavailable: if the database cannot be reached; if that happens in the commit (`commit="unknown"` in its
                fields), nobody knows whether it was done.
        """
        connection = await self._begun()
        tx = Tx(connection)
        try:
            yield tx
            await tx.write_collected()
        except Exception:
            tx._end()  # noqa: SLF001 - the two are one thing
            await self._pool.settled(connection)  # the caller may rely on its locks being gone
            raise
        except BaseException:  # cancelled: the caller is in a hurry
            tx._end()  # noqa: SLF001 - likewise
            self._pool.settle(connection)
            raise
        tx._end()  # noqa: SLF001 - likewise
        await self._commit(connection)
        tx._committed()  # noqa: SLF001 - likewise

    async def _begun(self) -> Connection:
        while True:
            connection = await self._pool.acquire()
            fresh = connection.idle_since == 0
            try:
                await connection.execute("begin")
            except asyncio.CancelledError:
                self._pool.settle(connection)
                raise
            except Exception as error:
                self._pool.discard(connection)
                translated = translate(error, is_lost=True)
                if not isinstance(translated, Unavailable):
                    raise
                if fresh:
                    raise translated from error
                # a connection that died while it was idle; beginning elsewhere does no harm
            else:
                return connection

    async def _commit(self, connection: Connection) -> None:
        try:
            status = await connection.execute("commit")
        except asyncio.CancelledError:
            self._pool.settle(connection)
            raise
        except Exception as error:
            translated = _told(error, connection)
            self._pool.settle(connection)
            if isinstance(translated, Unavailable):
                translated.fields["commit"] = "unknown"
            if translated is error:
                raise
            raise translated from error
        self._pool.release(connection)
        if status != "COMMIT":  # PostgreSQL answers so when a statement had failed and the caller went on regardless
            raise RuntimeError("the transaction was rolled back, because an error in it was passed over")

    async def _run(self, work: Callable[[Connection], Awaitable[R]]) -> R:
        while True:
            connection = await self._pool.acquire()
            try:
                result = await work(connection)
            except asyncio.CancelledError:
                self._pool.settle(connection)
                raise
            except Exception as error:
                translated = _told(error, connection)
                if is_confused(error):
                    self._pool.discard(connection)
                else:
                    self._pool.release(connection)
                if is_closed_connection(error):
                    continue  # nothing was sent: another connection will do it
                if translated is error:
                    raise
                raise translated from error
            self._pool.release(connection)
            return result


def _told(error: Exception, connection: Connection) -> BaseException:
    """An error of a statement in our words; a full disk is for the operator to know, whoever met it."""
    translated = translate(error, is_lost=connection.is_closed())
    if isinstance(translated, Unavailable) and translated.code == "DATABASE_FULL" and _full.is_due():
        log.error("the disk of the database is full", reason=str(error))
    return translated


class _Reminder:
    """Says when something may be said again: a full disk meets every statement."""

    def __init__(self, every: float) -> None:
        self._every = every
        self._next = 0.0

    def is_due(self) -> bool:
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + self._every
        return True


_full = _Reminder(10.0)


async def retrying(database: Database, call: Callable[[Tx], Awaitable[R]]) -> R:
    """Run a transaction, and again (three times at most) when it collided with another one.

    For calls that have no effect outside of the transaction.

    Raises:
        Collision: if it collided every time.
    """
    for _ in range(_ATTEMPTS - 1):
        try:
            async with database.transaction() as tx:
                return await call(tx)
        except Collision as error:
            log.info("transaction is run again", error=str(error))
    async with database.transaction() as tx:
        return await call(tx)


async def _fetched(connection: Connection, asked: Statement, into: type[T], arguments: list[Any]) -> list[T]:
    if not asked.is_kept:
        passing = await connection.prepare(asked.text)  # closed when it is let go
        return conversion(into, passing.get_attributes())(await passing.fetch(*arguments))
    convert = asked.conversions.get(into)
    if convert is None:
        convert = await _conversion(connection, asked, into)
    return convert(await connection.fetch(asked.text, *arguments))


async def _conversion(connection: Connection, asked: Statement, into: type[T]) -> Callable[[list[Any]], list[T]]:
    convert = asked.conversions.get(into)
    if convert is None:
        described = await connection.prepare(asked.text)  # once in the life of the process
        try:
            convert = conversion(into, described.get_attributes())
        except TypeError as error:
            error.add_note(asked.written)
            raise
        asked.conversions[into] = convert
    return convert


async def _cursor(connection: Connection, asked: Statement, arguments: list[Any]) -> Any:
    return await connection.cursor(asked.text, *arguments)


def _rows_of(status: str) -> int:
    """The number at the end of a command tag (`UPDATE 3`, `INSERT 0 3`); 0 if it has none."""
    number = status.rpartition(" ")[2]
    return int(number) if number.isdigit() else 0
