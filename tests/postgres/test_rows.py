import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Annotated, Any, NewType
from uuid import UUID, uuid4

import msgspec
import pytest

RunId = NewType("RunId", UUID)


class State(Enum):
    NEW = "new"
    DONE = "done"


class Kind(StrEnum):
    A = "a"


class Policy(msgspec.Struct, frozen=True):
    attempts: int
    kinds: tuple[Kind, ...] = ()


class Everything(msgspec.Struct, frozen=True, kw_only=True):
    id: RunId
    state: State
    kind: Kind | None
    number: int
    ratio: float
    price: Decimal
    at: datetime
    on: date
    wait: timedelta
    data: bytes
    name: str | None
    flag: bool
    note: Annotated[str, "a note"] = "none"


async def test_columns_fill_the_fields_of_their_names(database):
    """In any order; columns without a field are left, fields without a column have their default."""
    id_ = uuid4()

    found = await database.one(
        Everything,
        """
        select 1 as other, true as flag, null::text as name, 'x'::bytea as data, '90 minutes'::interval as wait,
               '2026-02-03'::date as on, '2026-02-03 04:05:06+00'::timestamptz as at, 1.5::numeric as price,
               2 as ratio, sum(3::bigint) as number, null::text as kind, %(state)s as state, %(id)s::uuid as id
        """,
        id=id_,
        state=State.DONE,
    )

    assert found == Everything(
        id=RunId(id_),
        state=State.DONE,
        kind=None,
        number=3,
        ratio=2.0,
        price=Decimal("1.5"),
        at=datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC),
        on=date(2026, 2, 3),
        wait=timedelta(minutes=90),
        data=b"x",
        name=None,
        flag=True,
    )
    assert (type(found.number), type(found.ratio), found.note) == (int, float, "none")


async def test_identifiers_are_uuids(database):
    """An id from the database is equal to a plain one, is found by it in a dict, and goes into JSON."""
    id_ = uuid4()

    found = await database.value("select %(id)s::uuid", id=id_)

    assert isinstance(found, UUID)
    assert {found: 1}[id_] == {id_: 1}[found] == 1
    assert msgspec.json.encode(found) == msgspec.json.encode(id_)


class Item(msgspec.Struct, frozen=True):
    payload: msgspec.Raw
    policy: Policy | None = None
    policies: list[Policy] = []
    extra: dict[str, Any] = {}
    anything: Any = None


async def test_json_is_decoded_into_what_the_field_is(database):
    """A Struct, a list of Structs, a dict, anything; and a `Raw` gets the bytes as they came."""
    found = await database.one(
        Item,
        """
        select '{"a": [1, 2]}'::jsonb as payload, '{"attempts": 3, "kinds": ["a"]}'::jsonb as policy,
               '[{"attempts": 1}]'::json as policies, '{"b": null}'::jsonb as extra, '[true]'::jsonb as anything
        """,
    )

    assert bytes(found.payload) == b'{"a": [1, 2]}'
    assert found.policy == Policy(3, (Kind.A,))
    assert found.policies == [Policy(1)]
    assert found.extra == {"b": None}
    assert found.anything == [True]


async def test_null_in_a_json_column_is_none(database):
    """SQL's null and JSON's null are both None where the field allows it."""
    sql = "select '1'::jsonb as payload, %(policy)s::jsonb as policy"

    assert (await database.one(Item, sql, policy=None)).policy is None
    assert (await database.one(Item, sql, policy=msgspec.Raw(b"null"))).policy is None


JSON_VALUES = {
    "dict": {"a": 1},
    "list": [1, "x", None],
    "text": "text",
    "number": 3,
    "true": True,
    "raw": msgspec.Raw(b'{"raw": [1]}'),
    "struct": Policy(2, (Kind.A,)),
    "structs": [Policy(1), Policy(2)],
    "others": {"id": UUID(int=7), "at": datetime(2026, 1, 1, tzinfo=UTC), "state": State.NEW},
}


@pytest.mark.parametrize("value", JSON_VALUES.values(), ids=JSON_VALUES)
async def test_any_value_is_sent_as_json(database, value):
    """What msgspec can encode is a parameter of jsonb and of json."""
    for kind in ("jsonb", "json"):
        assert await database.value(f"select %(value)s::{kind}", value=value) == json.loads(msgspec.json.encode(value))


async def test_raw_json_is_sent_as_it_is(database):
    """The bytes of a `Raw` reach a json column unchanged, blanks and all."""
    sent = msgspec.Raw(b'{ "b":1,  "a":2 }')

    assert bytes(await database.one(msgspec.Raw, "select %(sent)s::json", sent=sent)) == bytes(sent)


class Arrays(msgspec.Struct, frozen=True):
    ids: list[UUID]
    names: tuple[str, ...]
    kinds: frozenset[Kind]
    policies: list[Policy]
    none: list[int] | None = None


async def test_arrays_become_the_fields_collections(database):
    """Lists, tuples and sets of plain values, of enums and of Structs; and sets and tuples are sent as arrays."""
    id_ = uuid4()

    found = await database.one(
        Arrays,
        """
        select %(ids)s::uuid[] as ids, %(names)s::text[] as names, %(kinds)s::text[] as kinds,
               array['{"attempts": 1}'::jsonb] as policies, null::int[] as none
        """,
        ids={id_},
        names=("b", "a"),
        kinds=[Kind.A],
    )

    assert found == Arrays([id_], ("b", "a"), frozenset({Kind.A}), [Policy(1)])


@pytest.mark.parametrize(
    ("into", "sql", "expected"),
    [
        (int, "select 7, 8", 7),
        (str, "select 'x'::text", "x"),
        (dict, """select '{"a": 1}'::jsonb""", {"a": 1}),
        (Policy, """select 2 as attempts""", Policy(2)),
        (State, "select 'new'::text", State.NEW),
        (list, "select array[1, 2]", [1, 2]),
        (datetime, "select '2026-01-01 00:00+00'::timestamptz", datetime(2026, 1, 1, tzinfo=UTC)),
        (str, "select '01a20110-0ea0-746d-a0f8-a853f09dd456'::uuid", "01a20110-0ea0-746d-a0f8-a853f09dd456"),
    ],
)
async def test_other_types_take_the_first_column(database, into, sql, expected):
    """A single value needs no Struct."""
    assert await database.one(into, sql) == expected


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("select 'new'::text as state", "Row.id: the statement returns no such column, only"),
        ("select 1 as id, 'x'::text as state", "column id is int4, which is no UUID"),
        ("select uuidv4() as id, 'x'::text as state, 'y'::text as state", "Row.state: the statement returns several"),
        ("select uuidv4() as id, array['x'] as state", "column state is text\\[\\], which is no"),
    ],
)
async def test_a_mismatch_is_told_even_without_rows(database, sql, message):
    """A statement that does not fit its Struct fails at its first use, and says which column of which field."""

    class Row(msgspec.Struct):
        id: UUID
        state: str

    with pytest.raises(TypeError, match=message):
        await database.all(Row, f"{sql} where false")


async def test_an_unknown_member_is_an_error(database):
    """A value that the enum does not have is never passed on as text."""
    with pytest.raises(ValueError, match="'lost' is not a valid State"):
        await database.one(State, "select 'lost'::text")
