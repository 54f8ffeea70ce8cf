"""The next times of schedules, and the changes of clocks among them."""

from datetime import UTC, datetime, timedelta

from controlroom.engine.runs.model import OfProcess
from controlroom.engine.schedules import actions
from controlroom.engine.schedules.definitions import ScheduleDefinition
from controlroom.engine.schedules.model import Cron, RRule
from controlroom.engine.schedules.upcoming import outlooks, within

OCTOBER = datetime(2030, 10, 26, 12, tzinfo=UTC)


async def test_a_change_of_the_clocks_is_told_with_the_times(floor, ada, workspace):
    """The local time stays, the moment moves; a rule that is walked is found likewise."""
    process = await floor.process({})
    rules = (Cron("30 7 * * *"), RRule("FREQ=DAILY", datetime.fromisoformat("2026-01-01T07:30")))
    made = [
        await actions.create(
            floor.engine,
            ada,
            workspace,
            ScheduleDefinition(starts=OfProcess(process), name="daily", rule=rule, zone="Europe/Oslo"),
        )
        for rule in rules
    ]

    cron, rrule = await outlooks(floor.engine, made, OCTOBER, count=2)

    assert cron.times == rrule.times
    assert cron.times == [datetime(2030, 10, 27, 6, 30, tzinfo=UTC), datetime(2030, 10, 28, 6, 30, tzinfo=UTC)]
    assert [change.by for change in cron.clocks] == [timedelta(hours=-1)]
    assert await within(floor.engine, made[0], OCTOBER, OCTOBER + timedelta(days=1), most=9) == cron.times[:1]
