"""Claims and releases of many robots at once: those that come while one is under way go as one statement (`together`).

The laws stay those of one: an item is claimed for a robot that has asked for it, an answer is given behind the commit,
each attempt is looked at in the statement itself, and nobody waits for others to come.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary

from msgspec import UNSET, Raw, UnsetType

from controlroom.engine.access.model import StepRunActor
from controlroom.engine.access.scope import Robot, scope_of_robot
from controlroom.engine.together import Together
from controlroom.engine.work_items import claims, several
from controlroom.engine.work_items.claims import R
from controlroom.engine.work_items.frontiers import Frontier, frontiers_of
from controlroom.engine.work_items.several import Asked, Finishing, Saving, Told
from controlroom.ids import RunId, StepId, WorkItemId
from controlroom.postgres.database import Database

_LARGE: Final = 64 << 10
"""Bytes of a payload that goes alone: nobody else shall wait for it."""

_claims: Final[WeakKeyDictionary[Database, Together[Robot, Any]]] = WeakKeyDictionary()
_releases: Final[WeakKeyDictionary[Database, Together[Finishing, bool | None]]] = WeakKeyDictionary()
_reads: Final[WeakKeyDictionary[Database, Together[Asked, Told]]] = WeakKeyDictionary()
_saves: Final[WeakKeyDictionary[Database, Together[Saving, bool]]] = WeakKeyDictionary()

_OfAnItem = TypeVar("_OfAnItem", Finishing, Saving, Asked)


def is_large(payload: Raw | UnsetType | None) -> bool:
    """Whether what brings it goes alone."""
    return isinstance(payload, Raw) and len(memoryview(payload)) > _LARGE


def _once(those: Sequence[_OfAnItem]) -> tuple[list[Robot], list[_OfAnItem]]:
    """The first for each item, with its robot: the others see what became of it."""
    first = list({each.item: each for each in reversed(those)}.values())
    return [each.robot for each in first], first


async def claimed(db: Database, robot: StepRunActor, into: type[R]) -> R | None:
    """The next item for a step run that holds none; None if there is none for it. As `claims.reserve`."""
    scope, run, step = scope_of_robot(robot), robot.run_id, robot.step_id

    async def one(beyond: Frontier | None) -> list[R]:
        found = await claims.reserve(db, scope, into, run=run, step=step, beyond=beyond)
        return [] if found is None else [found]

    async def alone() -> R | None:
        return next(iter(await _where_claims_are(db, run, step, one)), None)

    async def as_one(robots: Sequence[Robot]) -> list[R | None]:
        different = list({each.step_run: each for each in robots}.values())

        async def together(beyond: Frontier | None) -> list[R]:
            return await several.reserve(db, different, into, run=run, step=step, beyond=beyond)

        found = {each.step_run_id: each for each in await _where_claims_are(db, run, step, together)}
        return [found.pop(each.step_run, None) for each in robots]

    going: Together[Robot, R | None] = _claims.setdefault(db, Together())
    return await going.done((scope.workspace, run, step, into), scope, alone=alone, as_one=as_one)


async def _where_claims_are(
    db: Database, run: RunId, step: StepId, look: Callable[[Frontier | None], Awaitable[list[R]]]
) -> list[R]:
    """Look beyond what was claimed last, then at the whole queue: one statement but for the last items."""
    known = frontiers_of(db)
    frontier = known.of(run, step)
    if frontier is not None and (found := await look(frontier)):
        known.reached(run, step, claims.furthest(found), whole_seconds=None)
        return found
    began = time.monotonic()
    if found := await look(None):
        known.reached(run, step, claims.furthest(found), whole_seconds=time.monotonic() - began)
    else:
        known.forget(run, step)
    return found


async def finished(db: Database, robot: StepRunActor, item: WorkItemId, payload: Raw | UnsetType | None) -> bool | None:
    """Release an item as done, with the payload where one is given: as `claims.finish_held`."""
    scope = scope_of_robot(robot)
    finishing = Finishing(scope, item, robot.process_id, robot.run_id, payload)

    async def alone() -> bool | None:
        return await claims.finish_held(db, scope, item, process=robot.process_id, run=robot.run_id, payload=payload)

    async def as_one(those: Sequence[Finishing]) -> list[bool | None]:
        done = await several.finish(db, *_once(those))
        found = {each.id: each.has_work_for_others for each in done}
        return [found.pop(each.item, None) for each in those]

    if is_large(payload):
        return await alone()
    return await _releases.setdefault(db, Together()).done(
        (scope.workspace, payload is UNSET), finishing, alone=alone, as_one=as_one
    )


async def saved(
    db: Database,
    robot: StepRunActor,
    item: WorkItemId,
    payload: Raw | None,
    *,
    alone: Callable[[], Awaitable[bool]],
) -> bool:
    """Replace the payload of the item in hand; `alone` does it for whatever else the robot may write."""

    async def as_one(those: Sequence[Saving]) -> list[bool | None]:
        done = set(await several.save(db, *_once(those)))
        answers: list[bool | None] = []
        for each in those:
            answers.append(True if each.item in done else None)
            done.discard(each.item)
        return answers

    if is_large(payload):
        return await alone()
    scope = scope_of_robot(robot)
    saving = Saving(scope, item, payload)
    return await _saves.setdefault(db, Together()).done(scope.workspace, saving, alone=alone, as_one=as_one)


async def payload(db: Database, robot: StepRunActor, item: WorkItemId, *, alone: Callable[[], Awaitable[Told]]) -> Told:
    """The payload of an item; `alone` reads one, and says what is wrong."""

    async def as_one(those: Sequence[Asked]) -> list[Told | None]:
        robots, different = _once(those)
        asking = {each.item: each.robot for each in different}
        found = {each.id: each for each in await several.payloads(db, robots, different)}
        return [found.get(each.item) if each.robot == asking[each.item] else None for each in those]

    scope = scope_of_robot(robot)
    return await _reads.setdefault(db, Together()).done(scope.workspace, Asked(scope, item), alone=alone, as_one=as_one)
