"""A table of a few hundred odd rows of three tenants, and its list."""

import random
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import UUID

import pytest

from controlroom.engine.lists.model import Field, Kind, Listing
from controlroom.ids import uuid7
from controlroom.postgres.database import Database

BUDDY = "left join buddy on buddy.id = specimen.buddy_id"

SPECIMENS = Listing(
    noun="specimens",
    table="specimen",
    columns="specimen.id, specimen.rank, buddy.name as buddy",
    joins=BUDDY,
    tenant="specimen.tenant_id",
    fields=(
        Field("id", Kind.ID, is_sortable=True),
        Field("rank", Kind.INTEGER, is_sortable=True),
        Field("size", Kind.INTEGER, is_sortable=True, is_nullable=True),
        Field("ratio", Kind.NUMBER, is_sortable=True, is_nullable=True),
        Field("name", Kind.TEXT, is_sortable=True),
        Field("note", Kind.TEXT, is_sortable=True, is_nullable=True),
        Field("at", Kind.INSTANT, is_sortable=True, is_nullable=True),
        Field("is_fine", Kind.TRUTH, is_sortable=True, is_nullable=True),
        Field("buddy", Kind.TEXT, column="buddy.name", is_sortable=True, is_nullable=True, join=BUDDY),
        Field("color", Kind.TEXT, column="specimen.name", choices=frozenset({"red", "blue"})),
    ),
    always="not specimen.is_hidden",
)

WORDS = ["", "a", "A", "ab", "Äb", "äB", "100%", "100", "a_b", "acb", "\\", "a\\%", "ß", "Σ", "😀 b", "z", "Z", "İx"]
MOMENT = datetime(2026, 11, 29, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
async def specimens(new_database):
    """The database, its tenants, and its rows as Python has them."""
    database = await Database.connect(await new_database())
    await database.execute("create table buddy (id int primary key, name text)")
    await database.execute("insert into buddy values (1, 'Äb'), (2, 'z'), (3, null)")
    await database.execute(
        """
        create table specimen (
            id uuid primary key, tenant_id uuid not null, is_hidden boolean not null, rank int not null, size bigint,
            ratio double precision, name text not null, note text, at timestamptz, is_fine boolean, buddy_id int)
        """
    )
    chance = random.Random(8)
    tenants = [uuid7() for _ in range(3)]
    rows = [_row(chance, chance.choice(tenants)) for _ in range(300)]
    for row in rows:
        await database.execute(
            """
            insert into specimen (id, tenant_id, is_hidden, rank, size, ratio, name, note, at, is_fine, buddy_id)
            values (%(id)s, %(tenant)s, %(is_hidden)s, %(rank)s, %(size)s, %(ratio)s, %(name)s, %(note)s, %(at)s,
                    %(is_fine)s, %(buddy_id)s)
            """,
            **{name: value for name, value in row.items() if name != "buddy"},
        )
    yield SimpleNamespace(
        database=database,
        tenants=tenants,
        rows=[SimpleNamespace(**row) for row in rows if not row["is_hidden"]],
        listing=SPECIMENS,
    )
    await database.close()


def _row(chance: random.Random, tenant: UUID) -> dict:
    def maybe(value):
        return None if chance.random() < 0.25 else value

    buddy = maybe(chance.randint(1, 3))
    return {
        "id": UUID(int=chance.getrandbits(128)),
        "tenant": tenant,
        "is_hidden": chance.random() < 0.1,
        "rank": chance.randint(-2, 2),
        "size": maybe(chance.choice([-(2**63), -1, 0, 1, 20, 2**63 - 1])),
        "ratio": maybe(chance.choice([-1.5, 0.0, 0.1, 1e300])),
        "name": chance.choice(WORDS),
        "note": maybe(chance.choice(WORDS)),
        "at": maybe(MOMENT + timedelta(seconds=chance.randint(0, 3), microseconds=chance.randint(0, 1))),
        "is_fine": maybe(chance.random() < 0.5),
        "buddy_id": buddy,
        "buddy": {1: "Äb", 2: "z"}.get(buddy),
    }
