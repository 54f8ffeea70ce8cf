"""How a schedule starts a bare task: for each of its users, in the version that has its label then."""

from controlroom.engine.access.model import system
from controlroom.engine.access.scope import Scope, ScopedTx
from controlroom.engine.engine import Engine
from controlroom.engine.processes.actions import implicit_process
from controlroom.engine.processes.model import Group, Placement
from controlroom.engine.runs import actions as runs
from controlroom.engine.runs import callbacks
from controlroom.engine.runs.model import AS_THE_STEPS_SAY, Cause, Inputs, Overrides, Run, StartedBy
from controlroom.engine.runs.parameters import RunParameters
from controlroom.engine.schedules.definitions import Schedule, StoredTaskStart


async def start_in(
    tx: ScopedTx, engine: Engine, scope: Scope, schedule: Schedule, start: StoredTaskStart, inputs: Inputs
) -> Run | None:
    """Start the task of a schedule that is locked; None if it should take what waits, and nothing does.

    Raises what a start by hand raises. To be called within `schemas.settled`.
    """
    process = await implicit_process(tx, scope, start.task)
    run: Run | None = None
    for user in start.users or (None,):
        made = await runs.start_in(
            tx,
            engine,
            system(scope.organization),
            schedule.workspace_id,
            process,
            inputs,
            _parameters(engine, schedule, start, Placement(tuple(map(Group, start.groups)), user)),
            cause=Cause(StartedBy.SCHEDULE, schedule.id),
        )
        run = run or made
    return run


def _parameters(engine: Engine, schedule: Schedule, start: StoredTaskStart, placement: Placement) -> RunParameters:
    return RunParameters(
        name=start.name,
        overrides=AS_THE_STEPS_SAY if start.label is None else Overrides(label=start.label),
        placement=placement,
        priority=schedule.priority,
        callback=None if start.callback is None else callbacks.opened(engine, schedule.id, start.callback),
    )
