"""What models of items say of payloads."""

import string

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from msgspec.structs import replace

from controlroom.engine.item_models import actions, store
from controlroom.engine.item_models.errors import AttributeMissing, ItemModelInUse, ItemModelNameTaken
from controlroom.engine.item_models.model import Attribute, AttributeKind, NewAttribute
from controlroom.engine.item_models.rules import fault_of, fitted, schema_of
from controlroom.engine.queues import actions as queues
from controlroom.engine.queues.model import QueueSettings
from controlroom.engine.work_items.schema_rules import fits, is_cheap
from controlroom.errors import Forbidden, Invalid, NotFound
from controlroom.ids import ItemAttributeId, uuid7

KINDS = {"name": AttributeKind.TEXT, "amount": AttributeKind.NUMBER, "due": AttributeKind.DATE}
ATTRIBUTES = tuple(
    Attribute(id=ItemAttributeId(uuid7()), number=number, name=name, kind=kind)
    for number, (name, kind) in enumerate(KINDS.items(), 1)
)
WANTED = tuple(NewAttribute(name, kind) for name, kind in KINDS.items())

texts = st.text(string.printable, max_size=20)
values = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts


def payload(**given) -> dict[str, Raw]:
    return {name: Raw(msgspec.json.encode(value)) for name, value in given.items()}


def read(**given):
    """The payload as it is kept, and its fault."""
    kept = fitted(ATTRIBUTES, payload(**given))
    return msgspec.json.decode(msgspec.json.encode(kept)), fault_of(ATTRIBUTES, kept)


@given(name=values, amount=values, due=values, more=values)
def test_what_a_model_takes_its_schema_takes(name, amount, due, more):
    """Whatever is kept without a fault fits the schema that the model is compiled to, which is cheap to ask."""
    kept, fault = read(name=name, amount=amount, due=due, more=more)
    array = msgspec.json.encode([kept])
    schema = bytes(schema_of(ATTRIBUTES))
    assert kept["more"] == more
    assert is_cheap(schema, len(array))
    if fault is None:
        assert fits(schema, array)


@given(st.integers(-(10**15), 10**15) | st.floats(-1e15, 1e15, allow_nan=False))
def test_a_number_may_come_as_text(number):
    """It is kept as a number."""
    kept, fault = read(name="", amount=f" {number!r} ", due="")
    assert (kept["amount"], kept["due"], fault) == (number, None, None)


@pytest.mark.parametrize(
    "text",
    ["2026-11-29", "2026-11-29T08:30:00Z", "2026-11-29T08:30:00.123+01:00", "11/29/2026",
     "2025-04-27T00:15:00-06:00[America/Denver]"],
)  # fmt: skip
def test_a_date_is_written_in_some_ways(text):
    """It is kept as it came."""
    assert read(name="a", amount=1, due=text) == ({"name": "a", "amount": 1, "due": text}, None)


@pytest.mark.parametrize("wrong", [{"amount": "1,200"}, {"amount": True}, {"due": "soon"}, {"due": 5}, {"name": 5}])
def test_what_does_not_fit_is_told(wrong):
    """The fault names the attribute."""
    _, fault = read(**{"name": "a", "amount": 1, "due": None} | wrong)
    assert fault is not None
    assert fault.startswith(next(iter(wrong)))


def test_every_attribute_is_there():
    """What lacks one is no item of the model."""
    with pytest.raises(AttributeMissing, match="column due is missing in json"):
        fitted(ATTRIBUTES, payload(name="a", amount=1))


async def test_a_model_is_the_organizations(engine, ada, ben, team):
    """Who governs queues makes it; it stays while a queue has it; nobody of another organization finds it."""
    made = await actions.create(engine, ada, name=f"Invoices {uuid7()}", attributes=WANTED)
    assert [(each.name, each.kind) for each in made.attributes] == list(KINDS.items())
    assert len({each.number for each in made.attributes} | {made.number}) == 4
    with pytest.raises(ItemModelNameTaken):
        await actions.create(engine, ben, name=made.name.upper(), attributes=WANTED)
    with pytest.raises(Invalid):
        await actions.create(engine, ada, name="Twice", attributes=(WANTED[0], WANTED[0]))
    with pytest.raises(Forbidden):
        await actions.create(engine, replace(ben, grants={}), name="Mine", attributes=WANTED)
    with pytest.raises(NotFound):
        await store.get(engine.database, team.elsewhere, made.id)

    queue = await queues.create(
        engine, ada, team.workspace, name=f"{uuid7()}", settings=QueueSettings(item_model=made.id)
    )
    with pytest.raises(ItemModelInUse):
        await actions.delete(engine, ada, made.id)
    await queues.delete(engine, ada, team.workspace, queue.id)
    await actions.delete(engine, ada, made.id)
    with pytest.raises(NotFound):
        await store.get(engine.database, team.organization, made.id)
