"""JSON schemas of queues: what payloads must fit. A queue without one costs a look at its row and no more.

Schemas may not refer to other documents: nothing is fetched to check a payload. See docs/decisions/0002-json-schema.md.

A check that is not cheap (`schema_rules`) is done aside, and never while a transaction waits for it: the check in the
transaction raises `Unsettled`, `settled` lets the transaction go, has the verdict found, and does it all again.
"""

import contextlib
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, Final, TypeVar

import msgspec
from msgspec import Raw

from controlroom.aside.pool import Aside, Bounds, TooCostly
from controlroom.engine.access.scope import SEEN, Scope
from controlroom.engine.engine import Engine
from controlroom.engine.work_items import schema_rules
from controlroom.engine.work_items.schema_rules import Fault, Misfit
from controlroom.errors import Invalid, Unavailable
from controlroom.ids import QueueId, WorkspaceId
from controlroom.postgres.database import Statements

_SECONDS: Final = 2.0
_SECONDS_FOR_MANY: Final = 10.0
_MANY: Final = 1 << 20
"""Bytes of payloads from which on they may take as long as many."""
_KEPT: Final = 4096
_TRIES: Final = 3

T = TypeVar("T")


class PayloadRefused(Invalid):
    """The payload does not fit the schema of its queue; `path` (a JSON pointer) says where."""

    code: ClassVar[str] = "PAYLOAD_REFUSED"

    def __init__(self, fault: Fault, index: int | None = None) -> None:
        where = "the payload" if index is None else f"payload {index}"
        more: dict[str, Any] = {} if index is None else {"index": index}
        super().__init__(f"{where} does not fit the queue's schema at {fault}", path=fault.path, **more)


class Unsettled(Unavailable):
    """Whether payloads fit is to be found aside, before it is asked again."""

    code: ClassVar[str] = "PAYLOAD_UNSETTLED"

    def __init__(self, workspace: WorkspaceId, schema: bytes, payloads: bytes) -> None:
        super().__init__("the payload is to be compared with the schema of its queue first; try again")
        self.workspace = workspace
        self.schema = schema
        self.payloads = payloads


async def settled(engine: Engine, action: Callable[[], Awaitable[T]]) -> T:
    """What the action returns, whose transaction checks payloads; it is done again after a check that was not cheap.

    The action then raises TooCostly for payloads whose check takes too long. Raises Unavailable `BUSY`.
    """
    for _ in range(_TRIES):
        try:
            return await action()
        except Unsettled as found:
            with contextlib.suppress(TooCostly):  # remembered: the action will raise it where it belongs
                await _settle(engine.aside, found.workspace, found.schema, found.payloads)
    return await action()


async def check_schema(engine: Engine, workspace: WorkspaceId, schema: Raw) -> None:
    """Raise Invalid `SCHEMA_INVALID` for what is no JSON schema that can be kept for a queue."""
    text = bytes(schema)
    if len(text) > schema_rules.LONGEST_SCHEMA:  # before it is sent anywhere
        schema_rules.check_schema(text)
    bounds = Bounds("The schema", seconds=_SECONDS, asker=workspace)
    await engine.aside.call(bounds, schema_rules.check_schema, text)


async def fault_in(db: Statements, scope: Scope, queue: QueueId, payload: Raw | None) -> Fault | None:
    """Why a payload does not fit its queue's schema; one whose check takes too long does not. Within `settled`."""
    try:
        misfit = await _misfit(db, scope, queue, lambda: _array(payload))
    except TooCostly as refused:
        return Fault("", refused.message)
    return None if misfit is None else misfit.fault


async def check(db: Statements, scope: Scope, queue: QueueId, payload: Raw | None) -> None:
    """Raise PayloadRefused if the queue has a schema that the payload does not fit. To be called within `settled`."""
    if (misfit := await _misfit(db, scope, queue, lambda: _array(payload))) is not None:
        raise PayloadRefused(misfit.fault)


async def check_all(db: Statements, scope: Scope, queue: QueueId, payloads: Raw) -> None:
    """Likewise for each of a JSON array of payloads; the error's `index` says which, counted from 0."""
    if (misfit := await _misfit(db, scope, queue, lambda: bytes(payloads))) is not None:
        raise PayloadRefused(misfit.fault, misfit.index)


class _Schema(msgspec.Struct, frozen=True):
    schema: Raw


async def _schema(db: Statements, scope: Scope, queue: QueueId) -> _Schema | None:
    return await db.one_or_none(
        _Schema,
        f"select schema from queue where workspace_id = {SEEN} and id = %(queue)s and schema is not null",
        queue=queue,
        **scope.params,
    )


def _array(payload: Raw | None) -> bytes:
    """No payload counts as null."""
    return b"[%b]" % (b"null" if payload is None else bytes(payload))


async def _misfit(db: Statements, scope: Scope, queue: QueueId, array: Callable[[], bytes]) -> Misfit | None:
    """The first that does not fit. Raises Unsettled for what nobody knows yet, TooCostly for what nobody will."""
    found = await _schema(db, scope, queue)
    if found is None:
        return None
    schema, payloads = bytes(found.schema), array()
    if schema_rules.is_cheap(schema, len(payloads)) and schema_rules.fits(schema, payloads):
        return None
    key = _key(schema, payloads)
    if key not in _verdicts:
        raise Unsettled(scope.workspace, schema, payloads)
    verdict = _verdicts[key]
    if isinstance(verdict, TooCostly):
        raise verdict.with_traceback(None)
    return verdict


async def _settle(aside: Aside, workspace: WorkspaceId, schema: bytes, payloads: bytes) -> Misfit | None:
    """Find the verdict aside, and remember it. Raises TooCostly."""
    seconds = _SECONDS if len(payloads) < _MANY else _SECONDS_FOR_MANY
    bounds = Bounds("The payload's check against the queue's schema", seconds=seconds, asker=workspace)
    key = _key(schema, payloads)
    verdict: Misfit | TooCostly | None
    try:
        verdict = await aside.call(bounds, schema_rules.first_misfit, schema, payloads)
    except TooCostly as refused:
        _remember(key, refused)
        raise
    _remember(key, verdict)
    return verdict


_verdicts: "OrderedDict[bytes, Misfit | TooCostly | None]" = OrderedDict()
"""Of pairs of schema and payloads. Why remembered at all: a start asks twice, and one by a schedule each time anew."""


def _remember(key: bytes, verdict: Misfit | TooCostly | None) -> None:
    _verdicts[key] = verdict
    _verdicts.move_to_end(key)
    while len(_verdicts) > _KEPT:
        _verdicts.popitem(last=False)


def _key(schema: bytes, payloads: bytes) -> bytes:
    return hashlib.sha256(schema).digest() + hashlib.sha256(payloads).digest()
