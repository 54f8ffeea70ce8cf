"""What comes next."""

from controlroom.engine.runs.model import OfProcess
from controlroom.engine.schedules import actions, outlook
from controlroom.engine.schedules.definitions import ScheduleChange, ScheduleDefinition
from controlroom.engine.schedules.model import Cron, Interval


async def test_the_nearest_start_comes_first(floor, ada, workspace, team):
    """Of each process the nearest one; paused schedules start nothing."""
    process, other, idle = [await floor.process({}) for _ in range(3)]
    late = await actions.create(
        floor.engine, ada, workspace, ScheduleDefinition(starts=OfProcess(process), name="l", rule=Cron("0 0 1 1 *"))
    )
    soon = await actions.create(
        floor.engine, ada, workspace, ScheduleDefinition(starts=OfProcess(process), name="s", rule=Interval(60))
    )
    paused = await actions.create(
        floor.engine, ada, workspace, ScheduleDefinition(starts=OfProcess(other), name="p", rule=Interval(60))
    )
    await actions.update(floor.engine, ada, workspace, paused.id, ScheduleChange(is_enabled=False))

    db = floor.engine.database
    assert [each.id for each in await outlook.next_starts(db, floor.scope, limit=5)] == [soon.id, late.id]
    assert await outlook.next_of(db, floor.scope, [process, other, idle]) == {process: soon.next_due}
