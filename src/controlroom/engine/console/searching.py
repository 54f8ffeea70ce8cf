"""Searching the whole console of an attempt, however long: block by block, in the pool of processes aside.

What is found is lines by number. The server counts all of them and names the first `MOST_FOUND`. Whoever is gone before
the end has it ended: nothing is read ahead of who asks.
"""

from collections import OrderedDict
from enum import Enum
from typing import Final
from weakref import WeakKeyDictionary

from msgspec import Struct

from controlroom.aside.pool import Bounds
from controlroom.engine.access.scope import Scope
from controlroom.engine.console import reading, store
from controlroom.engine.console.search_rules import Sought, first_in, found_in, levels_in
from controlroom.engine.engine import Engine
from controlroom.ids import StepRunId
from controlroom.keys import Keys

MOST_FOUND: Final = 10_000
MOST_BYTES: Final = 64 << 20
"""Of one console, when many are looked through."""
_SECONDS: Final = 2.0
_KEPT: Final = 128


class Found(Struct, frozen=True, kw_only=True):
    """Which lines have what was sought."""

    lines: int
    """How many lines were looked at."""
    count: int
    at: list[int]
    """The first of them, by number from 0."""


class Levels(Struct, frozen=True, kw_only=True):
    """Which lines are errors, and which are warnings."""

    lines: int
    errors: Found
    warnings: Found


# Why by the keys: they are the control room's own, one object a process; tests have several rooms in one process.
_known: WeakKeyDictionary[Keys, OrderedDict[tuple[StepRunId, int], Levels]] = WeakKeyDictionary()


async def find(engine: Engine, scope: Scope, step_run: StepRunId, attempt: int, sought: Sought) -> Found:
    """The lines of an attempt that have it. Raises PatternWrong, TooCostly for a pattern without end."""
    count, lines, at = 0, 0, list[int]()
    bounds = Bounds("The pattern", seconds=_SECONDS, asker=step_run)
    async for first, body in reading.blocks(engine, scope, step_run, attempt):
        found = await engine.aside.call(bounds, found_in, body, sought)
        count += len(found)
        at += [first + each for each in found[: MOST_FOUND - len(at)]]
        lines = first + body.count(b"\n")
    return Found(lines=lines, count=count, at=at)


class Nowhere(Enum):
    """That no line has it, as far as was looked."""

    AT_ALL = "at all"
    IN_ITS_BEGINNING = "in its beginning"
    """The console is longer than `MOST_BYTES`."""


class First(Struct, frozen=True):
    """The first line that has what was sought."""

    number: int
    """From 0."""
    text: str


async def find_first(engine: Engine, scope: Scope, step_run: StepRunId, attempt: int, sought: str) -> First | Nowhere:
    """The first line of an attempt that has a text, by number and as it stands there; looks at `MOST_BYTES` at most."""
    looked = 0
    bounds = Bounds("The console", seconds=_SECONDS, asker=step_run)
    async for first, body in reading.blocks(engine, scope, step_run, attempt):
        found = await engine.aside.call(bounds, first_in, body, sought)
        if found is not None:
            return First(first + found[0], found[1])
        looked += len(body)
        if looked > MOST_BYTES:
            return Nowhere.IN_ITS_BEGINNING
    return Nowhere.AT_ALL


async def levels(engine: Engine, scope: Scope, step_run: StepRunId, attempt: int) -> Levels:
    """The errors and warnings of an attempt. What was looked at before is not looked at again."""
    lines = await store.lines_of(engine.database, scope, step_run, attempt)
    known = _known.setdefault(engine.keys, OrderedDict())
    nothing = Found(lines=0, count=0, at=[])
    have = known.get((step_run, attempt)) or Levels(lines=0, errors=nothing, warnings=nothing)
    if lines <= have.lines:
        return have if lines else Levels(lines=0, errors=nothing, warnings=nothing)
    bounds = Bounds("The console", seconds=_SECONDS, asker=step_run)
    async for first, body in reading.blocks(engine, scope, step_run, attempt, start=have.lines):
        errors, warnings = await engine.aside.call(bounds, levels_in, body)
        upto = first + body.count(b"\n")
        have = Levels(
            lines=upto,
            errors=_more(have.errors, first, upto, errors),
            warnings=_more(have.warnings, first, upto, warnings),
        )
        # Why each time: whoever goes before the end has not had it looked at in vain
        known[step_run, attempt] = have
        known.move_to_end((step_run, attempt))
        while len(known) > _KEPT:
            known.popitem(last=False)
    return have


def _more(have: Found, first: int, upto: int, found: list[int]) -> Found:
    room = max(0, MOST_FOUND - len(have.at))
    return Found(lines=upto, count=have.count + len(found), at=[*have.at, *(first + each for each in found[:room])])
