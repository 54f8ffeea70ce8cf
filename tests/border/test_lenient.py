"""Bodies as clients write them."""

from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from controlroom.border.lenient import LEFT_OUT, read
from controlroom.errors import Invalid


class Level(StrEnum):
    HIGH = "PRIORITY_HIGH"
    LOW = "PRIORITY_LOW"


class Inner(Struct, frozen=True, rename="camel"):
    file_id: int
    note: str = "none"


class Asked(Struct, frozen=True, rename="camel"):
    count: int = 3
    ratio: float = 0.5
    is_fine: bool = False
    name: str = "unnamed"
    title: str | None = None
    due: datetime | None = None
    ids: list[int] = []
    words: tuple[str, ...] = ()
    inner: Inner | None = None
    inners: list[Inner] = []
    level: Level = Level.LOW
    unit: Literal["DAYS", "HOURS"] = "DAYS"
    either: int | str | None = None
    maybe: int | UnsetType = UNSET
    by_name: dict[str, int] = {}
    payload: Raw = LEFT_OUT
    key: UUID | None = None
    code: Annotated[str, Meta(min_length=1, max_length=3)] | None = None


def given_(text: str) -> Any:
    """The one field that a body gives."""
    found = read(text.encode(), Asked)
    [changed] = [
        getattr(found, name) for name in found.__struct_fields__ if getattr(found, name) != getattr(Asked(), name)
    ]
    return changed


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ('{"count": "12"}', 12),
        ('{"count": 12.0}', 12),
        ('{"COUNT": 12}', 12),
        ('{"COUNT": 11, "count": 12}', 12),
        ('{"count": 12, "COUNT": 11}', 12),
        ('{"is_fine": true}', True),
        ('{"isFine": true, "is_fine": false}', True),
        ('{"ratio": "1.5"}', 1.5),
        ('{"isFine": "True"}', True),
        ('{"isfine": 1}', True),
        ('{"name": 7}', "7"),
        ('{"name": true}', "true"),
        ('{"name": ""}', ""),
        ('{"title": ""}', ""),
        ('{"due": "2026-01-31"}', datetime(2026, 1, 31, tzinfo=UTC)),
        ('{"due": "2026-01-31T10:00:00"}', datetime(2026, 1, 31, 10, tzinfo=UTC)),
        ('{"due": "2026-01-31T10:00:00.123456789Z"}', datetime(2026, 1, 31, 10, 0, 0, 123457, tzinfo=UTC)),
        ('{"ids": ["1", 2]}', [1, 2]),
        ('{"ids": "5"}', [5]),
        ('{"words": "one"}', ("one",)),
        ('{"inner": {"FileId": "4", "note": null, "odd": [1]}}', Inner(4)),
        ('{"inners": {"fileId": 4}}', [Inner(4)]),
        ('{"level": "priority_high"}', Level.HIGH),
        ('{"unit": "hours"}', "HOURS"),
        ('{"either": "7"}', 7),
        ('{"either": "seven"}', "seven"),
        ('{"maybe": "7"}', 7),
        ('{"byName": {"a": "1"}}', {"a": 1}),
        ('{"payload": {"big": 1e5, "n": 12345678901234567890}}', Raw(b'{"big": 1e5, "n": 12345678901234567890}')),
        ('{"code": "abc"}', "abc"),
        ('{"key": "01890000-0000-7000-8000-000000000001"}', UUID("01890000-0000-7000-8000-000000000001")),
    ],
)
def test_values_are_taken_as_they_are_meant(body, value):
    """Numbers as text, text as numbers, one for a list, keys and words in any case."""
    assert given_(body) == value


@pytest.mark.parametrize("nothing", ["null", '""'])
def test_what_is_null_or_empty_is_left_out(nothing):
    """A field has its default then; an empty text is a text where one is asked for."""
    names = [
        name for name in Asked.__struct_encode_fields__ if name not in {"name", "title", "payload", "either", "code"}
    ]
    body = "{" + ", ".join(f'"{name}": {nothing}' for name in names) + "}"

    assert read(body.encode(), Asked) == Asked()


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ('{"count": "many"}', ".count"),
        ('{"count": 1.5}', ".count"),
        ('{"count": true}', ".count"),
        ('{"count": [1]}', ".count"),
        ('{"ratio": "nan"}', ".ratio"),
        ('{"code": "abcd"}', ".code"),
        ('{"code": ""}', ".code"),
        ('{"isFine": "perhaps"}', ".isFine"),
        ('{"name": {}}', ".name"),
        ('{"due": "yesterday"}', ".due"),
        ('{"ids": [1, "x"]}', ".ids[1]"),
        ('{"inner": {}}', ".inner"),
        ('{"inner": [1]}', ".inner"),
        ('{"inners": [{"fileId": 1}, {"fileId": "x"}]}', ".inners[1].fileId"),
        ('{"level": "urgent"}', ".level"),
        ('{"byName": {"a": "x"}}', ".byName.a"),
        ("[]", ""),
        ("7", ""),
    ],
)
def test_what_is_no_such_thing_is_refused_with_its_place(body, place):
    """As Invalid, which becomes 400."""
    with pytest.raises(Invalid) as refused:
        read(body.encode(), Asked)

    assert refused.value.code == "INVALID_BODY"
    assert f"`${place}`" in refused.value.message


@pytest.mark.parametrize("body", ["{", '{"a": }', "nonsense", '{"odd": [1,,2]}', '{"a": 1} x'])
def test_what_is_no_json_is_refused(body):
    """Also where it stands in what would be passed over."""
    with pytest.raises(Invalid) as refused:
        read(body.encode(), Asked)

    assert refused.value.code == "MALFORMED_JSON"


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda of: st.lists(of) | st.dictionaries(st.sampled_from(Asked.__struct_encode_fields__) | st.text(), of)))  # fmt: skip  # noqa: E501
def test_any_json_is_read_or_refused(value):
    """Never a bug."""
    with suppress(Invalid):
        read(msgspec.json.encode(value), Asked)
