"""Runs that are shared out: one item and one step run for each of several users, with a placement of its own.

The items are alike, so that it does not matter which of them a user's step run takes; but a user whose step run has
failed gets another one when an item is taken up again. A user has one such step run at work at a time, on whichever
worker: an index keeps that (`step_run_alone`), and claims pass by what is not in its turn.
"""

from collections.abc import Sequence
from typing import Final

from controlroom.engine.access.scope import ScopedTx
from controlroom.ids import RunId, StepId, StepRunId, WorkspaceId

STOPPED: Final = "It was stopped before it began."

ONE_AT_WORK: Final = "step_run_alone"
"""The index that refuses a user a second one at work."""

HAS_ITS_TURN: Final = """(not step_run.is_alone
                    or step_run.run_as <> all (array(select busy.run_as from step_run as busy
                                                      where busy.state = 'in_progress' and busy.is_alone)))"""
"""Whether a `step_run` may begin, as far as its user is concerned; who is at work is looked up once, if at all."""


async def insert(
    tx: ScopedTx,
    run: RunId,
    *,
    step_runs: Sequence[StepRunId],
    steps: Sequence[StepId],
    workspace: WorkspaceId,
    priority: int,
) -> None:
    """Make step runs of a locked run: for those of its users for whom the fewest have gone well or are under way."""
    await tx.execute(
        """
        with share as (
            select value -> 'places' as places, (value ->> 'run_as')::uuid as run_as,
                   row_number() over (order by (
                       select count(*) from step_run
                        where step_run.run_id = run.id and step_run.run_as = (value ->> 'run_as')::uuid
                          and step_run.state in ('new', 'awaiting_worker', 'in_progress', 'completed')), place) as turn,
                   count(*) over () as shares
              from run, jsonb_array_elements(run.parameters -> 'shares') with ordinality as of_it (value, place)
             where run.id = %(run)s
        )
        insert into step_run (id, workspace_id, run_id, step_id, state, priority, placement, run_as, is_single,
                              is_alone)
        select made.id, %(workspace)s, %(run)s, made.step_id,
               case when share.places -> 0 ->> 'type' = 'on_demand' then 'new' else 'awaiting_worker' end, %(priority)s,
               case when share.places is null then '{}' else jsonb_build_object('places', share.places) end,
               share.run_as, true, share.run_as is not null
          from unnest(%(ids)s::uuid[], %(steps)s::uuid[]) with ordinality as made (id, step_id, place)
          join share on share.turn = mod(made.place - 1, share.shares) + 1
        """,
        ids=list(step_runs),
        steps=list(steps),
        run=run,
        workspace=workspace,
        priority=priority,
    )


async def waiting(tx: ScopedTx, run: RunId) -> list[StepRunId]:
    """The step runs of a locked run that no worker has taken yet, each of them some user's."""
    return await tx.all(
        StepRunId,
        """
        select id from step_run
         where run_id = %(run)s and state in ('new', 'awaiting_worker') and is_alone
         order by id
        """,
        run=run,
    )
