"""Outputs that robots ask for again because they never heard the answer.

Their libraries repeat a request whose answer is lost, and an output has no key by which it could be known again: each
repetition would make a twin. What this server knows by itself is whether it could write an answer. So an output is
given again only if it is the attempt's last, unused, no older than 30 s, of the same body, and if

* this server could not finish writing its answer (the connection had ended), or
* it is older than this server: the one that made it was killed, perhaps before the answer.

Everything else is another output, however equal: ten equal ones stay ten. An answer that was written and got lost on
its way (behind a proxy) leaves the twin.
"""

import time
from typing import Final
from uuid import UUID

from msgspec import Raw

from controlroom.engine.access.model import StepRunActor
from controlroom.engine.access.scope import SEEN, Robot, scope_of_robot
from controlroom.engine.engine import Engine
from controlroom.engine.lost_answers import REPEATED_WITHIN, Turn
from controlroom.engine.runs import outputs
from controlroom.engine.work_items.limits import check_payload
from controlroom.ids import RunId, WorkItemId


async def output_once(engine: Engine, robot: StepRunActor, parent: WorkItemId, payload: Raw | None) -> Turn:
    """Make an output as `outputs.output` does, or find the one that was made and never told.

    The border ends the turn, and says whether the answer (its `item`) could be written.
    """
    async with engine.answers.turn(robot.step_run_id, robot.attempt, parent, payload) as turn:
        again = await _asked_again(engine, scope_of_robot(robot), turn, robot.run_id, parent, payload)
        turn.item = again or await outputs.output(engine, robot, parent, payload)
        if engine.answers.age <= REPEATED_WITHIN:
            # Why: to the database, whose clock is read later than this server's age, it may look older than the server
            engine.answers.tell(turn.item)
    return turn


_UNUSED: Final = """
    last.attempt = 0 and last.state in ('draft', 'new', 'pending', 'invalid')
    and last.parent_id = %(parent)s and last.payload is not distinct from %(payload)s
    and last.created_at > clock_now() - %(within)s::interval
    and not exists (select from work_item_file where work_item_file.work_item_id = last.id)
"""


async def _asked_again(
    engine: Engine, scope: Robot, turn: Turn, run: RunId, parent: WorkItemId, payload: Raw | None
) -> WorkItemId | None:
    """The output that a robot has made already and never heard of; None if this is another one."""
    answers = engine.answers
    if turn.lost is None and answers.age > REPEATED_WITHIN:  # nearly always
        return None
    await check_payload(engine, payload)  # it is compared by the database, which takes less than it is sent
    found: WorkItemId | None = await engine.database.value(
        f"""
        with last as (
            select id, state, attempt, parent_id, payload, created_at from work_item
             where run_id = %(run)s and id > %(since)s and created_by_step_run = %(step_run)s
               and workspace_id = {SEEN}
             order by id desc
             limit 1
        )
        select last.id from last
         where (last.id = %(lost)s or %(lost)s::uuid is null and last.created_at < clock_now() - %(age)s::interval)
           and {_UNUSED}
        """,
        run=run,
        since=_younger_than(2 * REPEATED_WITHIN.total_seconds()),
        lost=turn.lost,
        age=answers.age,
        parent=parent,
        payload=payload,
        within=REPEATED_WITHIN,
        **scope.params,
    )
    if found is None or (turn.lost is None and not answers.may_be_older_ones(found)):
        return None
    answers.tell(found)
    return found


def _younger_than(seconds: float) -> UUID:
    """An id before all that were made within the last seconds, whichever server made them."""
    return UUID(int=int((time.time() - seconds) * 1000) << 80)
