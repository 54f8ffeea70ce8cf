"""Whether step runs wait for a worker: a look that a server's waiting workers share.

A thousand workers wait, and each looks every few seconds, because a wake-up may be lost. Mostly nothing waits: so one
of those who serve the same looks for all of them, by one probe of the index of what waits, and only what it finds is
claimed. It costs the same however many workers wait, and however many workspaces they serve.
"""

import asyncio
import time
from typing import Final, TypeAlias
from weakref import WeakKeyDictionary

from msgspec import Struct

from controlroom.engine.access.model import WorkerActor
from controlroom.engine.access.scope import Of, scope_of_worker
from controlroom.engine.engine import Engine
from controlroom.ids import OrganizationId, WorkspaceId
from controlroom.postgres.database import Database, Statements

GOOD_FOR: Final = 0.5
"""Seconds. Why so few: so much later at most is found what no wake-up told of, beside the seconds between two looks."""
_MOST_KEPT: Final = 1_000


class _Look(Struct, frozen=True):
    began: float
    found: asyncio.Task[bool]


_Served: TypeAlias = OrganizationId | tuple[WorkspaceId, ...]
"""Of who serves all workspaces, the organization: many ids take longer to compare than the look is worth."""

_of_database: WeakKeyDictionary[Database, dict[_Served, _Look]] = WeakKeyDictionary()


async def something_waits(engine: Engine, worker: WorkerActor) -> bool:
    """Whether a step run waited in what the worker serves half a second ago or later, for whichever worker.

    False says that a claim would have found nothing.
    """
    served, now = worker.organization_id if worker.serves_all else worker.workspaces, time.monotonic()
    looks = _of_database.setdefault(engine.database, {})
    look = looks.get(served)
    if look is None or look.began < now - GOOD_FOR:
        if len(looks) >= _MOST_KEPT:
            looks.clear()
        looking = asyncio.create_task(_waits(engine.database, scope_of_worker(worker)))
        look = looks[served] = _Look(now, looking)
    return await asyncio.shield(look.found)  # who looks for all goes on when the first who asked has gone


async def _waits(db: Statements, scope: Of) -> bool:
    return await db.one(
        bool,
        """
        select exists (select from step_run
                        where workspace_id = any(%(workspaces)s::uuid[]) and state = 'awaiting_worker')
        """,
        workspaces=list(scope.workspaces),
    )
