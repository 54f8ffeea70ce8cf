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
    """The next few hundred work items of a period: those whose payload has the text."""
    rows = await store.payloads(
        engine.database,
        scope,
        sought_of(text),
        before=before or first_id_at(now + _CLOCKS_DIFFER),
        after=first_id_at(since),
        rows=_PAYLOADS,
    )
    hits: list[Hit] = [each for each in rows if each.is_hit]
    last = rows[-1] if len(rows) == _PAYLOADS else None
    return Slice(
        hits=hits,
        looked=len(rows),
        until=rows[-1].created_at if rows else None,
        before=None if last is None else last.id,
    )


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
