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
_CONSOLES: Final = 8
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
    """The next few step runs of a period: those whose console has the text, with the first line that has it."""
    asked, began, hits, looked = sought_of(text), time.monotonic(), list[Hit](), 0
    rows = await store.printed(
        engine.database,
        scope,
        before=before or first_id_at(now + _CLOCKS_DIFFER),
        after=first_id_at(since),
        rows=_CONSOLES,
    )
    for row in rows:
        looked += 1
        if row.attempt:
            found = await searching.find_first(engine, scope, row.step_run, row.attempt, asked)
            if found is not None:
                number, line = found
                said = f"line {number + 1}: {line[:200]}"
                hits.append(
                    Hit(noun=row.noun, id=row.id, number=row.number, name=row.name, said=said, at=row.at, run=row.run)
                )
        if time.monotonic() - began > _SECONDS:
            break
    last = rows[looked - 1] if looked and (looked < len(rows) or len(rows) == _CONSOLES) else None
    return Slice(
        hits=hits,
        looked=looked,
        until=rows[looked - 1].created_at if looked else None,
        before=None if last is None else last.id,
    )


def _once(found: Sequence[Hit]) -> list[Hit]:
    by_id: dict[UUID, Hit] = {}
    for each in found:
        by_id.setdefault(each.id, each)
    return list(by_id.values())
