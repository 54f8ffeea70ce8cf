"""Seeking a text in a workspace: at once by names, numbers and failures, in payloads and consoles by and by.

What somebody may not read is not sought. A look into the past is at a few rows, newest first, and says from where the
next one goes on: whoever asks decides whether there is a next one, and so ends it.
"""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.scope import Scope, scope_of
from controlroom.engine.console import searching
from controlroom.engine.engine import Engine
from controlroom.engine.search import store
from controlroom.engine.search.model import NAMED, Hit, Slice
from controlroom.errors import Invalid
from controlroom.ids import WorkspaceId, first_id_at

LONGEST: Final = 200
_EACH: Final = 6
_PAYLOADS: Final = 400
_MOST_PAYLOADS: Final = 20_000
"""Rows of a slice, at first and at most."""
_AIM: Final = 0.02
"""Seconds that a slice is to take: well below the fifty milliseconds that a statement may."""
_PAYLOAD_SECONDS: Final = 0.15
"""After which a look into payloads tells what it has."""
_ENOUGH: Final = 20
"""Hits after which no further slice is begun."""
_MOST_HITS: Final = 200
_CONSOLES: Final = 200
"""Step runs of a slice."""
_CLOCKS_DIFFER: Final = timedelta(days=1)
_SECONDS: Final = 1.0
"""After which a look into consoles tells what it has."""


def sought_of(text: str) -> str:
    """What is sought. Raises Invalid for what is too long, or has a character that no text has."""
    asked = text.strip()
    if len(asked) > LONGEST or "\0" in asked:
        raise Invalid(f"What is sought has {LONGEST} characters at most.", code="SOUGHT_TOO_LONG")
    return asked


async def seek(engine: Engine, actor: Actor, workspace: WorkspaceId, text: str) -> list[Hit]:
    """What has the text, as far as the actor may read it: named things, then runs and items, then failures."""
    asked = sought_of(text).removeprefix("#")
    if not asked:
        return []
    db, found = engine.database, list[Hit]()
    nouns = [noun for noun, needed in NAMED if actor.may(needed, workspace)]
    may_runs = actor.may(Permission.READ_RUNS, workspace)
    may_items = actor.may(Permission.READ_WORK_ITEMS, workspace)
    if nouns:
        needed = next(each for noun, each in NAMED if noun in nouns)
        found += await store.by_name(db, scope_of(actor, needed, workspace), nouns, asked, limit=_EACH)
    if may_runs:
        runs = scope_of(actor, Permission.READ_RUNS, workspace)
        found += await store.by_number(db, runs, asked)
    if may_items:
        found += await store.items(db, scope_of(actor, Permission.READ_WORK_ITEMS, workspace), asked, limit=_EACH)
    if may_items and len(asked) > 1:
        items = scope_of(actor, Permission.READ_WORK_ITEMS, workspace)
        found += await store.failed_items(db, items, asked, limit=_EACH)
    if may_runs and len(asked) > 1:
        runs = scope_of(actor, Permission.READ_RUNS, workspace)
        found += await store.failed_step_runs(db, runs, asked, limit=_EACH)
    return _once(found)


async def seek_payloads(
    engine: Engine, scope: Scope, text: str, *, since: datetime, before: UUID | None, now: datetime
) -> Slice:
    """The next work items of a period, as many as a moment allows: those whose payload has the text.

    Slice by slice, each of as many rows as take `_AIM`: a few hundred at first, since payloads may be long.
    """
    sought, began, size = sought_of(text), time.monotonic(), _PAYLOADS
    hits, looked, until = list[Hit](), 0, None
    at: UUID | None = before or first_id_at(now + _CLOCKS_DIFFER)
    while at is not None:
        asked_at = time.monotonic()
        rows = await store.payloads(engine.database, scope, sought, before=at, after=first_id_at(since), rows=size)
        found = [each for each in rows if each.is_hit]
        if not rows:
            at = None
            break
        is_cut = len(found) > _MOST_HITS  # the next look goes on behind the last that is told
        hits += found[:_MOST_HITS]
        last = found[_MOST_HITS - 1] if is_cut else rows[-1]
        looked, until = looked + last.rows, last.created_at
        at = last.id if is_cut or last.rows == size else None
        now_at = time.monotonic()
        if len(hits) >= _ENOUGH or now_at - began >= _PAYLOAD_SECONDS:
            break
        size = int(min(_MOST_PAYLOADS, max(_PAYLOADS, size * min(4.0, _AIM / max(now_at - asked_at, 0.001)))))
    return Slice(hits=list(hits), looked=looked, until=until, before=at)


async def seek_consoles(
    engine: Engine, scope: Scope, text: str, *, since: datetime, before: UUID | None, now: datetime
) -> Slice:
    """The next step runs of a period, as many as a moment allows: those whose console has the text, with its line.

    Slice by slice; those that printed nothing cost no more than their row.
    """
    sought, began, hits, looked, in_part, until = sought_of(text), time.monotonic(), list[Hit](), 0, 0, None
    at: UUID | None = before or first_id_at(now + _CLOCKS_DIFFER)
    is_over = False
    while at is not None and not is_over:
        rows = await store.printed(engine.database, scope, before=at, after=first_id_at(since), rows=_CONSOLES)
        at = rows[-1].id if len(rows) == _CONSOLES else None
        for row in rows:
            looked, until = looked + 1, row.created_at
            if row.has_printed:
                match await searching.find_first(engine, scope, row.step_run, row.attempt, sought):
                    case searching.First(number, line):
                        hits.append(row.hit(f"line {number + 1}: {line[:200]}"))
                    case searching.Nowhere.IN_ITS_BEGINNING:
                        in_part += 1
                    case searching.Nowhere.AT_ALL:
                        pass
            if is_over := len(hits) >= _ENOUGH or time.monotonic() - began >= _SECONDS:
                at = at if row is rows[-1] else row.id
                break
    return Slice(hits=hits, looked=looked, in_part=in_part, until=until, before=at)


def _once(found: Sequence[Hit]) -> list[Hit]:
    by_id: dict[UUID, Hit] = {}
    for each in found:
        by_id.setdefault(each.id, each)
    return list(by_id.values())
