"""What JSON schemas say of payloads, and which of them say it quickly. Pure; called in the loop and aside.

Whether a payload fits is cheap to say by a product: what a schema weighs (its keywords and values, references followed)
times the bytes of the payload. Without what repeats itself (recursion, patterns, unique items, what is unevaluated) a
validator looks at no part of a payload more often than the schema has keywords. Why it does not fit is never cheap: the
validator gathers the faults of every branch, with copies of what they are about (a minute and a half for 12 KB).
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

import msgspec
from jsonschema_rs import ReferencingError, ValidationError, Validator, validator_for

from controlroom.errors import Invalid

LONGEST_SCHEMA: Final = 256 * 1024
_LONGEST_REASON: Final = 500

_CHEAP: Final = 1_000_000
"""Weight times bytes. Why: the worst we have made, long `enum`s of numbers, took 35 ms for it."""
_LONGEST_WEIGHED: Final = 32 * 1024
_HEAVIEST: Final = 10_000
_READING: Final = 20
"""What reading a payload costs by itself, in the same unit."""

_NOTES: Final = {"title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "$comment"}
_VALUES: Final = {
    **dict.fromkeys(("type", "required", "const", "minItems", "maxItems", "minLength", "maxLength"), 1),
    **dict.fromkeys(("minProperties", "maxProperties"), 1),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), 1),
    "enum": 4,  # its values may be numbers, which are compared slowly
}
"""What each of a keyword's values weighs."""
_FORMATS: Final = {"date", "date-time", "time", "email", "uuid", "ipv4", "ipv6"}
_DEFINITIONS: Final = {"$defs", "definitions"}
_DRAFTS: Final = ("http://json-schema.org/draft-", "https://json-schema.org/draft/")


class Fault(msgspec.Struct, frozen=True):
    """Where a payload does not fit, and why."""

    path: str
    """A JSON pointer (RFC 6901); empty for the payload itself."""
    reason: str

    def __str__(self) -> str:
        return f"{self.path or 'its top'}: {self.reason}"


class Misfit(msgspec.Struct, frozen=True):
    """The first of several payloads that does not fit, counted from 0."""

    index: int
    fault: Fault


def is_cheap(schema: bytes, payload_bytes: int) -> bool:
    """Whether it may be looked in the loop if payloads of so many bytes fit."""
    weight = weight_of(schema)
    return weight is not None and (weight + _READING) * payload_bytes <= _CHEAP


@lru_cache(maxsize=256)
def weight_of(schema: bytes) -> int | None:
    """How many keywords and values a payload is compared with; None for what may repeat itself, or is too much."""
    if len(schema) > _LONGEST_WEIGHED:
        return None
    try:
        read = msgspec.json.decode(schema)
        return _Scales(read).weight(read)
    except (_TooHeavy, msgspec.DecodeError, RecursionError):
        return None


def check_schema(schema: bytes) -> None:
    """Raise Invalid `SCHEMA_INVALID` for what is no JSON schema that can be kept for a queue."""
    if len(schema) > LONGEST_SCHEMA:
        raise Invalid(f"a schema has at most {LONGEST_SCHEMA:,} bytes", code="SCHEMA_INVALID")
    try:
        _validator(schema)
    except (ValidationError, ReferencingError, ValueError, TypeError, RecursionError) as wrong:
        first_line = str(wrong).partition("\n")[0]
        raise Invalid(f"this is no JSON schema: {_shortened(first_line)}", code="SCHEMA_INVALID") from wrong


def fits(schema: bytes, payloads: bytes) -> bool:
    """Whether all of a JSON array of payloads fit."""
    validator = _validator(schema)
    try:
        return all(map(validator.is_valid, msgspec.json.decode(payloads)))
    except ValueError:  # nested deeper than the validator goes
        return False


def first_misfit(schema: bytes, payloads: bytes) -> Misfit | None:
    """The first of a JSON array of payloads that does not fit; None if all do."""
    validator = _validator(schema)
    for index, payload in enumerate(msgspec.json.decode(payloads)):
        try:
            validator.validate(payload)
        except ValidationError as wrong:
            path = "".join(f"/{_escaped(part)}" for part in wrong.instance_path)
            return Misfit(index, Fault(path, _shortened(wrong.message)))
        except ValueError as unfit:
            return Misfit(index, Fault("", _shortened(str(unfit))))
    return None


class _TooHeavy(Exception):  # noqa: N818 - a verdict, not a fault
    """It weighs more than is asked for, or nobody knows."""


class _Scales:
    """Weighs a schema, each reference as what it stands for: references that fan out weigh what they cost."""

    def __init__(self, root: Any) -> None:
        self._root = root
        self._known: dict[str, int] = {}
        self._open: set[str] = set()

    def weight(self, schema: Any) -> int:
        if isinstance(schema, bool):
            return 1
        if not isinstance(schema, dict):
            raise _TooHeavy
        total = 1 + sum(self._of_keyword(name, value) for name, value in schema.items())
        if total > _HEAVIEST:
            raise _TooHeavy
        return total

    def _of_keyword(self, name: str, value: Any) -> int:
        if name in _NOTES or name in _DEFINITIONS:
            return 0  # definitions weigh where they are referred to
        if name in _VALUES:
            return _VALUES[name] * _values(value)
        match name, value:
            case "$ref", str():
                return self._of_reference(value)
            case "$schema", str() if value.startswith(_DRAFTS):
                return 0
            case "format", str() if value in _FORMATS:
                return 1
            case _:
                return sum(map(self.weight, _schemas_in(name, value)))

    def _of_reference(self, reference: str) -> int:
        if reference in self._open:  # a schema of itself
            raise _TooHeavy
        if reference not in self._known:
            self._open.add(reference)
            self._known[reference] = self.weight(self._target(reference))
            self._open.discard(reference)
        return self._known[reference]

    def _target(self, reference: str) -> Any:
        match reference.split("/"):
            case ["#", ("$defs" | "definitions") as where, name] if "%" not in name and "~" not in name:
                found = self._root.get(where)
                return found.get(name) if isinstance(found, dict) else None
            case _:
                raise _TooHeavy


def _schemas_in(name: str, value: Any) -> Iterable[Any]:
    """The schemas that a keyword applies. Raises _TooHeavy for keywords of which nobody said that they are cheap."""
    match name, value:
        case "properties", dict():
            return value.values()
        case (("anyOf" | "oneOf" | "allOf" | "prefixItems" | "items"), list()):
            return value
        case (("additionalProperties" | "items" | "not" | "if" | "then" | "else" | "propertyNames" | "contains"), _):
            return [value]
        case _:
            raise _TooHeavy


def _values(value: Any) -> int:
    """How many values there are in a value of a schema."""
    match value:
        case dict():
            return 1 + sum(map(_values, value.values()))
        case list():
            return 1 + sum(map(_values, value))
        case _:
            return 1


@lru_cache(maxsize=128)
def _validator(schema: bytes) -> Validator:
    return validator_for(msgspec.json.decode(schema), retriever=_nowhere)


def _nowhere(uri: str) -> Any:
    raise ValueError(f"a schema may not refer to other documents ({uri})")


def _escaped(part: object) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_REASON else f"{text[:_LONGEST_REASON]}…"
