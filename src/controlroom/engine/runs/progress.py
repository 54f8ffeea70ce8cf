"""How far a step run is, as its robot says: the last word of it, at the step run, for lists, pages and programs.

It is told often and matters for a moment. So it is one statement without an event, those who watch are nudged by a
wake-up of its own (`Topic.PROGRESS`), and the next attempt begins without one.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta, Raw, Struct

from controlroom.engine.access.model import StepRunActor
from controlroom.engine.access.scope import SEEN, Robot, Scope, ensure_lives, scope_of_robot
from controlroom.engine.engine import Engine
from controlroom.engine.runs.model import Progress
from controlroom.engine.vault.masks import hide, masks_of
from controlroom.engine.wakes import Topic
from controlroom.ids import RunId, StepRunId
from controlroom.postgres.database import Statements

MOST_AT_WORK: Final = 20
"""Robots of a run of which a page shows the progress."""
_LONGEST: Final = 200

Count = Annotated[int, Meta(ge=0, le=2**53)] | Annotated[float, Meta(ge=0, le=2.0**53)]


class Told(Struct, frozen=True):
    """What a robot says: so much of so much is done, and what it does now."""

    done: Count
    total: Count | None = None
    message: Annotated[str, Meta(max_length=_LONGEST)] = ""


async def tell(engine: Engine, robot: StepRunActor, told: Told) -> None:
    """Keep what a robot says, in place of what it said before. Raises AttemptOver.

    What it has read of the vault is masked in the message, as in the lines of its console.
    """
    message = await _masked(engine, robot, told.message) if told.message else ""
    if not await _keep(engine.database, scope_of_robot(robot), msgspec.structs.replace(told, message=message)):
        await ensure_lives(engine.database, robot)
        return
    engine.wakes.wake(Topic.PROGRESS, _key(robot))


async def _keep(db: Statements, scope: Robot, told: Told) -> bool:
    """Whether the attempt goes on, so that there was a place for it."""
    kept = await db.execute(
        f"""
        update step_run set progress = %(told)s || jsonb_build_object('at', clock_now())
         where id = %(step_run)s and workspace_id = {SEEN}
           and step_run.attempt = %(attempt)s and step_run.state = 'in_progress'   -- asked again once it is locked
        """,
        told=Raw(msgspec.json.encode(told)),
        **scope.params,
    )
    return kept > 0


async def _masked(engine: Engine, robot: StepRunActor, message: str) -> str:
    line = " ".join(message.replace("\0", " ").split())
    masks = await masks_of(engine.database, scope_of_robot(robot), engine.keys, robot.step_run_id)
    return (await hide(engine.aside, masks, line.encode(errors="replace") + b"\n")).decode().rstrip("\n")


def _key(robot: StepRunActor) -> str:
    return f"{robot.organization_id}/{robot.workspace_id}/{robot.run_id}"


class AtWork(Struct, frozen=True, kw_only=True):
    """A robot at work that has said how far it is."""

    id: StepRunId
    number: int
    step_name: str
    worker_name: str | None
    progress: Progress


async def at_work(db: Statements, scope: Scope, run: RunId) -> list[AtWork]:
    """The robots of a run that are at work and have said how far they are: the first `MOST_AT_WORK`."""
    return await db.all(
        AtWork,
        f"""
        select step_run.id, step_run.number, step.name as step_name, worker.name as worker_name, step_run.progress
          from step_run join step on step.id = step_run.step_id left join worker on worker.id = step_run.worker_id
         where step_run.run_id = %(run)s and step_run.workspace_id = {SEEN}
           and step_run.state = 'in_progress' and step_run.progress is not null
         order by step.position, step_run.id limit {MOST_AT_WORK}
        """,
        run=run,
        **scope.params,
    )
