"""The filter grammar of all lists (§1.5): what it finds is what a plain reading of the same words finds."""

from types import SimpleNamespace
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from controlroom.border.columns import NOTHING, As, Words
from controlroom.dialects.automation360.columns import LENGTH, MOST, Columns
from controlroom.dialects.automation360.filters import filter_of
from controlroom.dialects.automation360.lists import Search, asked_of, page
from controlroom.engine.lists.model import (
    EVERYTHING,
    AnyOf,
    Compare,
    Direction,
    Not,
    Operator,
    Skip,
    Sort,
    Within,
    equal,
)
from controlroom.errors import Invalid
from engine.lists.conftest import SPECIMENS, specimens  # noqa: F401 - a fixture is found by being here
from engine.lists.test_composer import ordered

COLUMNS = Columns(
    SPECIMENS,
    {
        "id": As("id"),
        "rank": "rank",
        "size": "size",
        "name": "name",
        "note": "note",
        "at": "at",
        "isFine": "is_fine",
        "level": Words(
            {
                "LOW": Compare("rank", Operator.LT, 0),
                "ZERO": equal(rank=0),
                "HIGH": Compare("rank", Operator.GT, 0),
            },
            sort="rank",
        ),
        "kind": Words({"SPECIMEN": EVERYTHING}),
        "key": As("rank", read=lambda value: {"minus": -1, "plus": 1}.get(value) or int("none")),
    },
    most=250,
    length=200,
)


# ---------------------------------------------------------------------------------------------------- plain reading
def told(row, field):
    """A row's value as its list would tell it."""
    match field:
        case "level":
            return "LOW" if row.rank < 0 else "HIGH" if row.rank > 0 else "ZERO"
        case "kind":
            return "SPECIMEN"
        case "key":
            return {-1: "minus", 1: "plus"}.get(row.rank)
        case "isFine":
            return row.is_fine
        case "at":
            return None if row.at is None else row.at.replace(microsecond=row.at.microsecond // 1000 * 1000)
        case _:
            return getattr(row, field)


def folded(text):
    return "".join(one.lower()[0] for one in text)


COMPARED = {
    "lt": lambda one, other: one < other,
    "le": lambda one, other: one <= other,
    "gt": lambda one, other: one > other,
    "ge": lambda one, other: one >= other,
}


def holds(asked, row) -> bool:
    """Whether a row is meant: read from the words of the grammar alone."""
    if not asked:
        return True
    if isinstance(asked, list):
        return all(holds(one, row) for one in asked)
    operator = (asked.get("operator") or "").lower()
    if operator in {"and", "or", "not"}:
        of = asked.get("operands") or []
        each = [holds(one, row) for one in (of if isinstance(of, list) else [of])]
        if not each:
            return True
        return {"and": all, "or": any, "not": lambda found: not all(found)}[operator](each)
    if operator in {"", "none"}:
        return True
    return leaf(operator, told(row, asked["field"]), asked["value"], asked["meant"])


def leaf(operator, mine, value, meant) -> bool:
    if operator == "ne":
        return not leaf("eq", mine, value, meant)
    if isinstance(value, list):
        return any(leaf("eq", mine, one, other) for one, other in zip(value, meant, strict=True))
    if operator == "eq" and value in (None, ""):
        return mine in (None, "")
    if operator == "substring":
        return mine is not None and folded(value or "") in folded(str(mine))
    if mine is None:
        return False
    return mine == meant if operator == "eq" else COMPARED[operator](mine, meant)


# ---------------------------------------------------------------------------------------------------- what is asked
def written(value):
    """A value as clients write it: mostly as text."""
    if value is None:
        return st.sampled_from(["", None])
    if isinstance(value, bool):
        return st.sampled_from([value, str(value), str(value).lower()])
    if hasattr(value, "isoformat"):
        text = value.isoformat()
        return st.sampled_from([text, text.replace("+00:00", "Z"), text.replace("+00:00", "")])
    return st.sampled_from([str(value), value, float(value)] if isinstance(value, int) else [value])


def cased(word):
    return st.sampled_from([word, word.upper(), word.capitalize()])


class Rows(tuple):
    """Rows, of which Hypothesis has nothing to print when it prints what is made of them."""

    __slots__ = ()

    def __repr__(self):
        return "rows"


@st.composite
def leaves(draw, rows):
    field = draw(st.sampled_from([*COLUMNS.fields]).filter(lambda name: name != "id"))
    compared = ["eq", "ne"]
    if field not in {"isFine", "key"}:
        compared += ["lt", "le", "gt", "ge"]
    if field in {"name", "note", "level", "kind", "size", "rank"}:
        compared.append("substring")
    operator = draw(st.sampled_from(compared))
    if operator == "substring":
        value = meant = draw(st.text("aAbBäÄ%_\\-0129LOWe", max_size=3))
    else:
        present = sorted({told(row, field) for row in rows} - {None}, key=str)
        if field in {"level", "kind", "key"}:
            present = [*present, "ANY"]
        if field in {"note", "size"} and operator in {"eq", "ne"}:
            present = [*present, None]
        meant = draw(st.sampled_from(present))
        value = draw(written(meant))
        if operator in {"eq", "ne"} and draw(st.booleans()) and meant is not None:
            meant = [meant, draw(st.sampled_from([one for one in present if one is not None]))]
            value = [value, draw(written(meant[1]))]
    return {"operator": draw(cased(operator)), "field": field, "value": value, "meant": meant}


def trees(rows):
    """Filters, and what is sent in the place of none."""
    nothing = st.sampled_from(
        [None, {}, {"operator": "and", "operands": []}, {"operator": "NONE"}, [], {"operands": None}]
    )
    joined = st.sampled_from(["and", "or", "not"]).flatmap(cased)
    return nothing | st.recursive(
        leaves(rows),
        lambda inner: st.one_of(
            st.fixed_dictionaries({"operator": joined, "operands": st.lists(inner, max_size=3)}),
            st.fixed_dictionaries({"operator": joined, "operands": inner}),
            st.lists(inner, max_size=2),
        ),
        max_leaves=6,
    )


SORTS = st.none() | st.lists(
    st.fixed_dictionaries(
        {
            "field": st.sampled_from(["id", "rank", "name", "level", "at"]),
            "direction": st.sampled_from(["asc", "desc", "ASC", "DESC", None]),
        }
    ),
    max_size=3,
)


class Found(Struct):
    id: UUID


@settings(max_examples=30)
@given(data=st.data())
async def test_any_filter_finds_what_a_plain_reading_finds(specimens, data):  # noqa: F811 - the fixture
    """Nested as it may be, in any case, with numbers as text and text as numbers; and totals are those of the rows."""
    tenant = specimens.tenants[0]
    mine = [row for row in specimens.rows if row.tenant == tenant]
    asked, sort = data.draw(trees(Rows(specimens.rows))), data.draw(SORTS)
    offset, length = data.draw(st.integers(0, 120)), data.draw(st.integers(1, 60))
    shape = data.draw(
        st.sampled_from([{"offset": offset, "length": length}, {"Offset": str(offset), "length": str(length)}])
    )
    request = SimpleNamespace(db=specimens.database)

    found = await page(
        request,
        Search(filter=asked, sort=sort, page=shape),
        COLUMNS,
        Found,
        within=Within.one("%(tenant)s", tenant=tenant),
    )

    keys = tuple(
        Sort({"level": "rank"}.get(key["field"], key["field"]), Direction((key["direction"] or "asc").lower()))
        for key in sort or [{"field": "id", "direction": "desc"}]
    )
    expected = [row.id for row in ordered([row for row in mine if holds(asked, row)], keys)]
    assert found.page.total == len(mine)
    assert found.page.total_filter == len(expected)
    assert found.page.offset == offset
    assert [row.id for row in found.rows] == expected[offset:][:length]


# ---------------------------------------------------------------------------------------------------- single rules
@pytest.mark.parametrize("empty", [None, {}, [], "", {"operator": "and", "operands": []}, {"operator": None}])
def test_what_is_empty_restricts_nothing(empty):
    """In filter, sort and page."""
    asked, offset = asked_of(Search(filter=empty, sort=[], page={}), COLUMNS)

    assert (asked.filter, asked.sort, offset, asked.length) == (
        EVERYTHING,
        (Sort("id", Direction.DESCENDING),),
        0,
        COLUMNS.length,
    )


@pytest.mark.parametrize(("field", "value"), [("rank", "many"), ("isFine", "perhaps"), ("id", "abc"), ("key", "x")])
def test_what_no_row_can_have_is_no_fault(field, value):
    """Nothing has it, and everything has another; in every list alike."""
    asked, _ = asked_of(Search(filter={"operator": "eq", "field": field, "value": value}), COLUMNS)
    other, _ = asked_of(Search(filter={"operator": "ne", "field": field, "value": value}), COLUMNS)
    assert asked.filter == NOTHING
    assert other.filter == Not(NOTHING)


@pytest.mark.parametrize(
    ("operator", "value", "found"),
    [
        ("eq", "x", ()),
        ("gt", "9", (10, 50, 100)),
        ("le", "50", (0, 10, 50)),
        ("lt", 100.0, (0, 10, 50)),
        ("ne", 10, (0, 50, 100)),
    ],
)
def test_words_that_are_numbers_are_compared_as_such(operator, value, found):
    """`progress gt 9` finds 10 and 100."""
    words = Words({str(number): equal(rank=number) for number in (0, 10, 50, 100)}, are_numbers=True)
    columns = Columns(SPECIMENS, {"progress": words})
    asked = filter_of({"operator": operator, "field": "progress", "value": value}, columns)
    assert asked == AnyOf(tuple(equal(rank=number) for number in found))


def test_lengths_are_clipped():
    """More than the list's most is taken as that, none and nothing as its usual length."""
    for sent, taken in ((0, 200), (None, 200), ("", 200), (5, 5), ("5", 5), (5.0, 5), (10_000, 250), ("9" * 40, 250)):
        assert asked_of(Search(page={"length": sent}), COLUMNS)[0].length == taken
    assert LENGTH < MOST


def test_an_offset_beyond_all_rows_is_an_empty_page():
    """However large: it is no fault of the caller's loop."""
    asked, offset = asked_of(Search(page={"offset": "9" * 30}), COLUMNS)

    assert isinstance(asked.start, Skip)
    assert offset >= asked.start.rows


@pytest.mark.parametrize(
    "search",
    [
        Search(filter={"operator": "eq", "field": "shoes", "value": 1}),
        Search(filter={"operator": "eq", "field": "", "value": 1}),
        Search(filter={"operator": "between", "field": "rank", "value": 1}),
        Search(filter={"field": "rank", "value": 1}),
        Search(filter="rank"),
        Search(filter={"operator": "gt", "field": "at", "value": "yesterday"}),
        Search(filter={"operator": "substring", "field": "at", "value": "2026"}),
        Search(sort=[{"field": "shoes"}]),
        Search(sort=[{"field": "rank", "direction": "up"}]),
        Search(sort="rank"),
        Search(page={"offset": -1}),
        Search(page={"length": "all"}),
        Search(page=7),
    ],
)
def test_what_a_list_cannot_have_is_refused(search):
    """By a failure that becomes 400."""
    with pytest.raises(Invalid):
        asked_of(search, COLUMNS)
