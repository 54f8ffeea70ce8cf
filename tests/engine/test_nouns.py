"""How a text is read that names something."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from controlroom.engine.nouns import Ways, reading

NUMBERS = st.integers(1, 2**63 - 1)
IDS = st.uuids()


@given(st.one_of(st.text(), NUMBERS.map(str), IDS.map(str), st.text("0123456789-+ ._eE٣߁", max_size=22)))
def test_any_text_is_read(text):
    """A text is a number only if it is how the number is written, an id only if it is one, and a name as it stands."""
    read = reading(text)

    assert read.number is None or (str(read.number) == text and 1 <= read.number < 2**63)
    assert read.id is None or read.id == UUID(text)
    assert read.name in {None, text}
    if read.name is not None:
        assert text.encode().decode() == text != ""
        assert "\0" not in text


@given(NUMBERS)
def test_a_number_is_a_number_and_maybe_a_name(number):
    """Somebody may be called 2024: it is tried after the number."""
    read = reading(str(number))

    assert (read.number, read.name) == (number, str(number))


@given(IDS)
def test_an_id_is_known_in_each_of_its_forms(id_):
    """Upper case, without hyphens, in braces, as a URN: as clients write them."""
    for text in (str(id_), str(id_).upper(), id_.hex, f"{{{id_}}}", id_.urn):
        assert reading(text).id == id_


@given(st.one_of(st.integers(2**63, 2**70), st.integers(max_value=0)))
def test_what_no_number_can_be_is_a_name(number):
    """Beyond what the database can hold, zero and below nothing is numbered."""
    read = reading(str(number))

    assert (read.number, read.name) == (None, str(number))


@given(st.one_of(NUMBERS.map(str), IDS.map(str), st.text()), st.sampled_from([*Ways, Ways.ID_OR_NAME, Ways.ANY]))
def test_only_what_a_grammar_offers_is_tried(text, ways):
    """To a grammar that knows no numbers, a number is a name."""
    read, whole = reading(text, ways), reading(text)

    assert read.id == (whole.id if Ways.ID in ways else None)
    assert read.number == (whole.number if Ways.NUMBER in ways else None)
    assert read.name == (whole.name if Ways.NAME in ways else None)
