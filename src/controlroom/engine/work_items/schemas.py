"""JSON schemas of queues: what payloads must fit. A queue without one costs a look at its row and no more.

Schemas may not refer to other documents: nothing is fetched to check a payload. See docs/decisions/0002-json-schema.md.
"""

from functools import lru_cache
from typing import Any, ClassVar, Final

import msgspec
from jsonschema_rs import ReferencingError, ValidationError, Validator, validator_for
from msgspec import Raw

from controlroom.errors import Invalid
from controlroom.ids import QueueId
from controlroom.postgres.database import Statements

_LONGEST_SCHEMA: Final = 256 * 1024
_LONGEST_REASON: Final = 500


class PayloadRefused(Invalid):
    """The payload does not fit the schema of its queue; `path` (a JSON pointer) says where."""

    code: ClassVar[str] = "PAYLOAD_REFUSED"

    def __init__(self, fault: "Fault", index: int | None = None) -> None:
        where = "the payload" if index is None else f"payload {index}"
        more: dict[str, Any] = {} if index is None else {"index": index}
        super().__init__(f"{where} does not fit the queue's schema at {fault}", path=fault.path, **more)


class Fault(msgspec.Struct, frozen=True):
    """Where a payload does not fit, and why."""

    path: str
    """A JSON pointer (RFC 6901); empty for the payload itself."""
    reason: str

    def __str__(self) -> str:
        return f"{self.path or 'its top'}: {self.reason}"


def check_schema(schema: Raw) -> None:
    """Raise Invalid `SCHEMA_INVALID` for what is no JSON schema that can be kept for a queue."""
    if len(memoryview(schema)) > _LONGEST_SCHEMA:
        raise Invalid(f"a schema has at most {_LONGEST_SCHEMA:,} bytes", code="SCHEMA_INVALID")
    try:
        _validator(bytes(schema))
    except (ValidationError, ReferencingError, ValueError, TypeError, RecursionError) as wrong:
        first_line = str(wrong).partition("\n")[0]
        raise Invalid(f"this is no JSON schema: {_shortened(first_line)}", code="SCHEMA_INVALID") from wrong


def fault_of(schema: Raw, payload: Raw | None) -> Fault | None:
    """Why a payload does not fit; None if it does. No payload counts as null."""
    validator = _validator(bytes(schema))
    value: Any = None if payload is None else msgspec.json.decode(payload)
    if validator.is_valid(value):
        return None
    wrong = next(iter(validator.iter_errors(value)))
    return Fault("".join(f"/{_escaped(part)}" for part in wrong.instance_path), _shortened(wrong.message))


async def check(db: Statements, queue: QueueId, payload: Raw | None) -> None:
    """Raise PayloadRefused if the queue has a schema that the payload does not fit."""
    schema = await schema_of(db, queue)
    if schema is not None and (fault := fault_of(schema, payload)) is not None:
        raise PayloadRefused(fault)


async def check_all(db: Statements, queue: QueueId, payloads: Raw) -> None:
    """Likewise for each of a JSON array of payloads; the error's `index` says which, counted from 0."""
    schema = await schema_of(db, queue)
    if schema is None:
        return
    for index, payload in enumerate(msgspec.json.decode(payloads, type=list[Raw])):
        if (fault := fault_of(schema, payload)) is not None:
            raise PayloadRefused(fault, index)


class _Schema(msgspec.Struct, frozen=True):
    schema: Raw | None


async def schema_of(db: Statements, queue: QueueId) -> Raw | None:
    """The schema of a queue, if it has one."""
    found = await db.one_or_none(_Schema, "select schema from queue where id = %(queue)s", queue=queue)
    return None if found is None else found.schema


@lru_cache(maxsize=256)
def _validator(schema: bytes) -> Validator:
    return validator_for(msgspec.json.decode(schema), retriever=_nowhere)


def _nowhere(uri: str) -> Any:
    raise ValueError(f"a schema may not refer to other documents ({uri})")


def _escaped(part: object) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_REASON else f"{text[:_LONGEST_REASON]}…"
