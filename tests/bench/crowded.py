"""A room that has worked for 90 days: five million work items of 200,000 runs, and what belongs to them; kept.

    async with crowded(folder, items=5_000_000) as room: …

It is put straight into the tables (`crowded.sql`), with the indexes of the largest dropped meanwhile: a process that
has a million of the items in runs of 5,000, one with four million, 198 small ones; 1,000 workers, 10,000 schedules,
hundreds of packages, assets, secrets and people; what the loops would have counted is counted. The server runs in this
process: what is measured is its work alone, statement by statement.
"""

import asyncio
import io
import time
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import asyncpg
from msgspec import Struct
from tests.bench.figures import note

from controlroom import app
from controlroom.engine.access.model import system
from controlroom.engine.access.scope import Room
from controlroom.engine.console.actions import compact_ended
from controlroom.engine.packages.actions import push
from controlroom.engine.statistics.model import Noun
from controlroom.engine.statistics.rules import fingerprint, pattern_of
from controlroom.ids import OrganizationId, WorkspaceId
from controlroom.postgres.embedded import EmbeddedPostgres
from controlroom.settings import Limits, Settings

OF_SMALL: Final = 22
"""Items of an ordinary run of the largest process."""
_FILLED: Final = "filled"
_BARE: Final = ("work_item", "step_run", "event", "artifact", "work_item_attempt")
"""Tables that are filled without their indexes."""
_CAUSES: Final = (
    ("business", "INVALID_VAT_NUMBER", "number %s of supplier %s is no VAT number"),
    ("business", "UNKNOWN_SUPPLIER", "supplier %s is not in the ledger"),
    ("application", "SELECTOR_NOT_FOUND", "no element matches '#row-%s' after %s s"),
    ("application", "TIMEOUT", "the page did not load within %s s"),
    ("application", "", "KeyError: 'total_%s'"),
    ("business", "CLOSED_PERIOD", "period %s is closed"),
    ("application", "HTTP_502", "https://erp.example.com/%s answered 502 after %s tries"),
    ("application", "DISK", "no space left on device, %s bytes wanted"),
)


class Crowded(Struct, frozen=True):
    """The room, as it is measured."""

    folder: Path
    room: app.Room
    asgi: app.App
    dsn: str
    username: str
    password: str
    organization: OrganizationId
    workspace: WorkspaceId


@asynccontextmanager
async def crowded(folder: Path, *, items: int) -> AsyncIterator[Crowded]:
    """The room in a folder, filled if it is not yet."""
    postgres = await EmbeddedPostgres.start(folder / "postgres")
    try:
        if not (folder / _FILLED).exists():
            async with opened(folder, postgres.dsn) as room:
                blob = await room.room.engine.objects.put_bytes(_robot())
                await push(room.room.engine, system(room.organization), room.workspace, "robot", blob)
            await _fill(room, items)  # while no loop looks at what is half there
            async with opened(folder, postgres.dsn) as room:
                await _compact(room)
            (folder / _FILLED).touch()
        async with opened(folder, postgres.dsn) as room:
            yield room
    finally:
        await postgres.stop()


@asynccontextmanager
async def opened(folder: Path, dsn: str) -> AsyncIterator[Crowded]:
    """The server over a database, in this process."""
    kept = 10_000  # days: nothing is pruned
    limits = Limits(
        run_days=kept,
        assistant_run_days=kept,
        console_days=kept,
        artifact_days=kept,
        event_days=kept,
        delivery_days=kept,
    )
    room = await app.build(Settings(data=folder, database_url=dsn, limits=limits))
    try:
        told = await app.founding(room)
        organization = OrganizationId(
            await room.engine.database.value("select id from organization order by number limit 1")
        )
        yield Crowded(
            folder,
            room,
            app.asgi(room),
            dsn,
            told.username,
            told.password or "",
            organization,
            told.workspace_id,
        )
    finally:
        await room.close()


async def _fill(room: Crowded, items: int) -> None:
    began = time.monotonic()
    connection = await asyncpg.connect(room.dsn)
    await connection.execute("set session_replication_role = replica; set synchronous_commit = off")
    await connection.execute("set maintenance_work_mem = '512MB'; set work_mem = '256MB'")
    runs = max(1000, items // 25)
    await connection.execute(
        """create temporary table told (workspace uuid, organization uuid, admin uuid, items int, runs int, workers int,
                                        schedules int, consoles int)"""
    )
    await connection.execute(
        "insert into told select $1, $2, (select id from app_user order by number limit 1), $3, $4, $5, $6, $7",
        *(room.workspace, room.organization, items, runs),
        *(min(most, runs // 10) for most in (1000, 10_000, 5000)),
    )
    async with _without_indexes(connection):
        for sql in (Path(__file__).with_name("crowded.sql")).read_text().split("--;\n"):
            at = time.monotonic()
            if "/*items*/" in sql:
                await _put_items(connection, sql, runs)
            else:
                await connection.execute(sql)
            if "insert into process " in sql:
                await _tell_causes(connection)
            if (took := time.monotonic() - at) > 5:
                note(f"{took:.0f} s: {' '.join(sql.split()[:6])}")
    note(f"filled within {time.monotonic() - began:.0f} s")
    await connection.execute("vacuum analyze")
    await connection.execute("checkpoint")
    count = await connection.fetchval("select count(*) from work_item")
    note(f"{count:,} items, put in within {time.monotonic() - began:.0f} s")
    await connection.close()


async def _compact(room: Crowded) -> None:
    """Have consoles archived, as they are in a room that has worked for long: nothing of it is done meanwhile."""
    began = time.monotonic()
    while await compact_ended(room.room.engine, Room(), limit=200):
        pass
    note(f"consoles archived within {time.monotonic() - began:.0f} s")


async def _put_items(connection: asyncpg.Connection, sql: str, runs: int) -> None:
    for first in range(1, runs + 1, 20_000):
        await connection.execute(sql, first, first + 19_999)


async def _tell_causes(connection: asyncpg.Connection) -> None:
    """Why items fail: of each large process, and of the small ones, as the loops would mark them."""
    await connection.execute(
        "create temporary table cause (kind int, place int, type text, code text, message text, mark text)"
    )
    for kind, name in ((1, "Supplier invoices"), (2, "Ledger entries"), (3, "Process 3")):
        process = await connection.fetchval("select id from process where name = $1", name)
        for place, (type_, code, message) in enumerate(_CAUSES):
            said = message.replace("%s", "17")
            mark = fingerprint(Noun.WORK_ITEM, process, type_, code, pattern_of(said))
            await connection.execute(
                "insert into cause values ($1, $2, $3, $4, $5, $6)", kind, place, type_, code, message, mark
            )


@asynccontextmanager
async def _without_indexes(connection: asyncpg.Connection) -> AsyncIterator[None]:
    indexes = await connection.fetch(
        """
        select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition, conname,
               conrelid::regclass::text as "table", pg_get_constraintdef(pg_constraint.oid) as kept
          from pg_index left join pg_constraint on conindid = indexrelid and contype in ('u', 'p')
         where indrelid = any($1::text[]::regclass[]) and not indisprimary
        """,
        list(_BARE),
    )
    for each in indexes:
        if each["conname"]:
            await connection.execute(f'alter table {each["table"]} drop constraint "{each["conname"]}" cascade')
        else:
            await connection.execute(f"drop index {each['name']}")
    yield
    for each in indexes:
        if each["conname"]:
            await connection.execute(f'alter table {each["table"]} add constraint "{each["conname"]}" {each["kept"]}')
        else:
            await connection.execute(each["definition"])


def _robot() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as files:
        files.writestr("robot.yaml", "tasks:\n  Read:\n    shell: python3 task.py\nartifactsDir: output\n")
        files.writestr("task.py", "print('read')\n")
    return content.getvalue()


if __name__ == "__main__":
    import sys

    async def main() -> None:
        async with crowded(Path(sys.argv[1]), items=int(sys.argv[2])):
            pass

    asyncio.run(main())
