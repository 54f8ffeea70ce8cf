"""What JSON schemas say of payloads, and which of them may be asked in the loop."""

import json
import time

import pytest

from controlroom.engine.work_items.schema_rules import (
    Fault,
    Misfit,
    check_schema,
    first_misfit,
    fits,
    is_cheap,
    weight_of,
)
from controlroom.errors import Invalid


def text(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def fan_out(levels: int) -> dict:
    """Each definition refers twice to the next."""
    definitions = {
        f"d{level}": {"allOf": [{"$ref": f"#/$defs/d{level + 1}"}, {"$ref": f"#/$defs/d{level + 1}"}]}
        for level in range(levels)
    }
    return {"$ref": "#/$defs/d0", "$defs": {**definitions, f"d{levels}": {"type": "object"}}}


RECURSIVE = {"$defs": {"n": {"anyOf": [{"items": {"$ref": "#/$defs/n"}}] * 2}}, "$ref": "#/$defs/n"}


@pytest.mark.parametrize(
    "schema",
    [
        True,
        {"type": "object", "required": ["a"], "properties": {"a": {"type": "string", "format": "date"}}},
        {"$schema": "https://json-schema.org/draft/2020-12/schema", "anyOf": [{"type": "string"}, {"enum": [1, 2]}]},
        {"$defs": {"money": {"type": "number", "minimum": 0}}, "items": {"$ref": "#/$defs/money"}},
        {"definitions": {"n": {"$ref": "#/definitions/n"}}, "type": "object"},
        fan_out(3),
    ],
)
def test_plain_schemas_are_cheap(schema):
    """What a payload is compared with part by part, with references that lead to an end."""
    assert is_cheap(text(schema), 1000)


@pytest.mark.parametrize(
    "schema",
    [
        fan_out(27),
        RECURSIVE,
        {"$ref": "#"},
        {"$ref": "#/properties/a", "properties": {"a": {"$ref": "#"}}},
        {"$ref": "other.json"},
        {"pattern": "(a+)+$"},
        {"patternProperties": {"(a+)+$": True}},
        {"format": "regex"},
        {"uniqueItems": True},
        {"unevaluatedProperties": False},
        {"multipleOf": 1e-300},
        {"$dynamicRef": "#x"},
        {"$id": "x", "type": "object"},
        {"$schema": "https://example.com/own"},
        {"properties": [1]},
        {"anyOf": 1},
        {"items": "x"},
        {"$ref": "#/$defs/none"},
        {"enum": list(range(20_000))},
        {"allOf": [{"allOf": [{"type": "object"}] * 200}] * 200},
    ],
)
def test_schemas_that_may_repeat_themselves_are_not(schema):
    """Nor those of which nobody knows."""
    assert not is_cheap(text(schema), 10)


def test_cheap_goes_by_the_payload_too():
    """A small schema over a large payload takes as long as a large one over a small."""
    schema = text({"items": {"type": "integer"}})

    assert is_cheap(schema, 10_000)
    assert not is_cheap(schema, 1_000_000)


@pytest.mark.parametrize("part", ["[]", "1", '"x"', '{"a":1}', "[[[[]]]]", "1.5"])
@pytest.mark.parametrize(
    "schema",
    [
        {"items": {"enum": list(range(100, 300))}},
        {"items": {"allOf": [{"type": ["integer", "array", "object", "string", "number"]}] * 100}},
        {"items": {"anyOf": [{"type": "null"}] * 100}},
        {"items": {"oneOf": [{"type": "null"}] * 100 + [True]}},
        {"items": {"not": {"anyOf": [{"items": {"type": "null"}}] * 50}}},
        {"contains": {"type": "null"}},
        {"items": {"allOf": [{"format": "email"}] * 100}, "$schema": "http://json-schema.org/draft-07/schema#"},
    ],
)
def test_what_is_cheap_is_done_in_milliseconds(schema, part):
    """The largest payload that is looked at in the loop."""
    payload, length = b"[]", 1
    while is_cheap(text(schema), length * (len(part) + 1) + 4):
        length *= 2
    payload = b"[[%b]]" % b",".join([part.encode()] * (length // 2))
    assert is_cheap(text(schema), len(payload))
    fits(text(schema), b"[]")

    began = time.process_time()
    fits(text(schema), payload)

    assert time.process_time() - began < 1  # a bound against what grows faster than the payload, not a figure


def test_the_first_payload_that_does_not_fit_is_told():
    """With where and why; none if all fit."""
    schema = text({"properties": {"a/b": {"type": "integer"}}})

    assert first_misfit(schema, b'[{"a/b":1},{"a/b":"x"},{"a/b":"y"}]') == Misfit(
        1, Fault("/a~1b", '"x" is not of type "integer"')
    )
    assert first_misfit(schema, b'[{"a/b":1}]') is None
    assert fits(schema, b'[{"a/b":1},3]')
    assert not fits(schema, b'[{"a/b":1},{"a/b":"x"}]')


@pytest.mark.parametrize("schema", [b'{"type": 3}', b'{"$ref": "http://example.com/x"}', b'{"pattern": "("}'])
def test_what_is_no_schema_is_refused(schema):
    """With the reason."""
    with pytest.raises(Invalid) as refused:
        check_schema(schema)

    assert refused.value.code == "SCHEMA_INVALID"


def test_references_weigh_what_they_stand_for():
    """However they are shared."""
    assert weight_of(text(fan_out(2))) > 3 * weight_of(text(fan_out(0)))
