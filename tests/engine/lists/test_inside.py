"""What is asked of JSON: how it is read, and what PostgreSQL finds by it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.engine.lists.inside import jsonpath_of
from controlroom.errors import Invalid

PAYLOAD = """{"supplier": {"country": "NO", "name": "Fjordkraft \\"AS\\""}, "total": 48210.50, "paid": false,
  "memo": null,              "lines": [{"sku": "12"}, {"sku": 7}], "a key": ["x"], "æ": 1}"""

HOLD = [
    *("$.supplier.country = NO", "supplier.country = NO", "  $.supplier.country=NO", "$.supplier.country == NO"),
    *("$.total = 48210.5", "$.total >= 48210", "$.total < 50000", "$.paid = false", "$.memo = null"),
    *("$.lines[*].sku = 12", '$.lines[*].sku = "12"', "$.lines[1].sku = 7", "$.lines.sku = 7", "$.æ = 1"),
    *('$["a key"][0] = x', "$.supplier", "$.supplier.name ~ FJORDKRAFT", "$.supplier.country != SE"),
    '$.supplier.name = "Fjordkraft \\"AS\\""',
]
FAIL = [
    *("$.supplier.country = no", "$.supplier.town = Oslo", "$.total > 50000", '$.lines[*].sku = "7"', "$.nothing"),
    *("$.supplier.name ~ .*", "$.supplier.country != NO", "$.total = x", "$.lines[5].sku"),
]
UNREADABLE = ["", "$", "=", "$.a =", "$.a b = c", "a..b", "$.a ? (@ == 1)", "[", '$["a', "$.a ! 1", "x" * 1001, "$..a"]


@pytest.mark.parametrize("asked", HOLD)
async def test_what_holds_is_found(engine, asked):
    """Numbers as numbers and texts as texts, of any entry of a list."""
    assert await found(engine, asked)


@pytest.mark.parametrize("asked", FAIL)
async def test_what_does_not_hold_is_not_found(engine, asked):
    """A path that does not fit is no failure."""
    assert not await found(engine, asked)


@pytest.mark.parametrize("asked", UNREADABLE)
def test_what_cannot_be_read_is_refused(asked):
    """And not what PostgreSQL would make of it."""
    with pytest.raises(Invalid):
        jsonpath_of(asked)


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=60), st.sampled_from(["=", "~", "<", "!="])
)
def test_whatever_is_sought_stands_in_quotes(value, operator):
    """No value ends the text in which it stands."""
    if not value.strip():
        return
    try:
        path = jsonpath_of(f"$.a {operator} {value}")
    except Invalid:
        return
    head, _, rest = path.partition(" ? (")
    assert head == '$."a"'
    assert rest.endswith(")")


@pytest.mark.parametrize("value", ['" || true || "', "\\", "a\nb", "') or 1=1", "é😀", '"\\u0041"'])
async def test_hostile_values_are_values(engine, value):
    """PostgreSQL reads every path that is written."""
    assert not await found(engine, f"$.supplier.name = {value}")


async def found(engine, asked) -> bool:
    return await engine.database.value(
        "select %(payload)s::text::jsonb @? %(asked)s::text::jsonpath", payload=PAYLOAD, asked=jsonpath_of(asked)
    )
