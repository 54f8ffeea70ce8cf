"""What is to be done with what is due: found aside for rules that are walked (RFC 5545), in the loop for all others.

Why those: the next time of a cron expression or of a day, week or month is found in milliseconds at worst; a recurrence
rule may have a million times before it, or none in decades.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Struct

from controlroom.aside.pool import Bounds, TooCostly
from controlroom.engine.engine import Engine
from controlroom.engine.schedules import rules
from controlroom.engine.schedules.due import Due
from controlroom.engine.schedules.model import RRule, Timing, UsualInput
from controlroom.engine.schedules.rules import Plan
from controlroom.ids import WorkspaceId

_SECONDS: Final = 2.0


class Planned(Struct, frozen=True):
    """What was found for a question; None if finding it takes too long."""

    due: Due
    plan: Plan | None


class Unplanned(Exception):  # noqa: N818 - an open question
    """What is due is to be planned aside, while no transaction waits for it."""

    def __init__(self, due: Due) -> None:
        super().__init__()
        self.due = due


def bounds_of(workspace: WorkspaceId) -> Bounds:
    """What finding the times of a rule may take."""
    return Bounds("The rule", seconds=_SECONDS, asker=workspace)


def plan(due: Due, known: Sequence[Planned]) -> Plan:
    """What to do with all that is due. Raises Unplanned for what is not known yet, TooCostly for what is not found."""
    schedule = due.schedule
    if schedule.next_due is None:
        return Plan((), None)
    if not isinstance(schedule.timing.rule, RRule):
        return rules.plan(schedule.timing, schedule.policies, schedule.next_due, due.now, due.notice)
    for one in known:
        if _question(one.due) == _question(due):
            if one.plan is None:
                raise TooCostly(bounds_of(schedule.workspace_id))
            return one.plan
    raise Unplanned(due)


async def planned(engine: Engine, due: Due) -> Planned:
    """Find it aside."""
    schedule = due.schedule
    if schedule.next_due is None:
        return Planned(due, None)
    policies = msgspec.structs.replace(schedule.policies, inputs=UsualInput())  # payloads do not matter for it
    bounds = bounds_of(schedule.workspace_id)
    try:
        found = await engine.aside.call(
            bounds, rules.plan, schedule.timing, policies, schedule.next_due, due.now, due.notice
        )
    except TooCostly:
        return Planned(due, None)
    return Planned(due, found)


def _question(due: Due) -> tuple[Timing, object, object, object]:
    schedule = due.schedule
    return schedule.timing, schedule.policies, schedule.next_due, due.notice
