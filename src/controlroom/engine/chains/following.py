"""What the room does when runs end: it starts the processes that are chained to them, once for each end.

Two steps, each a transaction: the end of a run becomes a row for each chain, in the commit that moves the reader's
cursor; then the row is locked, and is what became of it in the commit that starts the run. So a process that cannot be
started holds up nobody, and no end is followed twice.
"""

from controlroom.engine.access.model import system
from controlroom.engine.access.record import happened
from controlroom.engine.access.scope import Room, ScopedTx, scoped
from controlroom.engine.chains import store
from controlroom.engine.chains.model import Empty, End, LinkState
from controlroom.engine.chains.rules import ends_of
from controlroom.engine.chains.store import PendingLink
from controlroom.engine.engine import Engine
from controlroom.engine.events import cursor
from controlroom.engine.events.cursor import Happened
from controlroom.engine.events.store import By, append
from controlroom.engine.runs import actions as runs
from controlroom.engine.runs.model import Cause, Inputs, OneEmptyItem, Result, RunState, StartedBy, WithCopies
from controlroom.engine.runs.parameters import RunParameters
from controlroom.engine.work_items.schemas import settled
from controlroom.errors import Conflict, Invalid, NotFound

_READER = "chains"
_ENDS = ("run.completed", "run.unresolved")
_SYSTEM = By("system")


async def notice_ends(engine: Engine, room: Room, *, limit: int) -> int:
    """Read on in the record of events; how many were read, 0 also while somebody else reads."""
    async with scoped(engine.database, room) as tx:
        position = await cursor.hold(tx, _READER)
        if position is None:
            return 0
        span = await cursor.next_span(tx, position, limit=limit)
        if span is None:
            return 0
        ended = [(event, _ends_of(event)) for event in await cursor.events_in(tx, span, _ENDS)]
        if ended:
            await store.remember(tx, ended)
        await cursor.move(tx, position, span)
        return span.count


async def follow_next(engine: Engine, room: Room) -> bool:
    """Follow one end of a run; False when there is none to follow."""
    return await settled(engine, lambda: _follow_next(engine, room))


async def _follow_next(engine: Engine, room: Room) -> bool:
    locked: list[PendingLink] = []
    try:
        async with scoped(engine.database, room) as tx:
            link = await store.lock_pending(tx)
            if link is None:
                return False
            locked.append(link)
            await _follow(tx, engine, link)
    except (Conflict, Invalid, NotFound) as refused:
        async with scoped(engine.database, room) as tx:
            await _fail(tx, locked[0], refused.message)
    return True


async def _follow(tx: ScopedTx, engine: Engine, link: PendingLink) -> None:
    if link.depth + 1 > engine.limits.chain_depth:
        await _fail(tx, link, f"more than {engine.limits.chain_depth} runs would follow each other")
        return
    is_within = link.next_workspace_id == link.workspace_id
    outputs = await store.new_outputs(tx, link) if is_within else []  # what a workspace put out stays in it
    inputs: Inputs = WithCopies(tuple(outputs))
    if not outputs:
        if link.empty is Empty.SKIP or await store.has_started_before(tx, link):
            await store.decide(tx, link, LinkState.EMPTY)
            return
        inputs = OneEmptyItem()
    run = await runs.start_in(
        tx,
        engine,
        system(link.organization_id),
        link.next_workspace_id,
        link.next_process_id,
        inputs,
        RunParameters(priority=link.priority),
        cause=Cause(StartedBy.CHAIN, link.chain_id, chain_depth=link.depth + 1),
    )
    await store.decide(tx, link, LinkState.STARTED, next_run=None if run is None else run.id, outputs=outputs)


async def _fail(tx: ScopedTx, link: PendingLink, reason: str) -> None:
    await store.decide(tx, link, LinkState.FAILED, reason=reason)
    of, run = link.next_process_id, link.run_id
    event = happened(link, "chain.failed", link.chain_id, process_id=of, run_id=run, reason=reason)
    await append(tx, _SYSTEM, event)


def _ends_of(event: Happened) -> frozenset[End]:
    return ends_of(RunState(event.kind.removeprefix("run.")), Result(event.data["result"]))
