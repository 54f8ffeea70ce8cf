"""The last runs of processes, as strips show them: for a whole page of processes in one statement."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from controlroom.engine.access.scope import EACH, Scope
from controlroom.engine.runs.model import Result, RunState
from controlroom.ids import ProcessId
from controlroom.postgres.database import Statements


class Past(Struct, frozen=True, kw_only=True):
    """A run, by what a strip draws of it."""

    process_id: ProcessId
    number: int
    state: RunState
    result: Result | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None

    @property
    def duration(self) -> timedelta | None:
        """From start to end; None while it runs."""
        return None if self.started_at is None or self.ended_at is None else self.ended_at - self.started_at


async def strips(db: Statements, scope: Scope, processes: Sequence[ProcessId], *, each: int) -> list[Past]:
    """So many last runs of each of these processes, the oldest first; read from the index of each process's runs."""
    return await db.all(
        Past,
        f"""
        select past.process_id, past.number, past.state, past.result, past.created_at, past.started_at, past.ended_at
          from process
         cross join lateral (
               select run.id, run.process_id, run.number, run.state, run.result, run.created_at, run.started_at,
                      run.ended_at
                 from run
                where run.process_id = process.id
                order by run.id desc
                limit %(each)s) as past
         where process.id = any(%(processes)s::uuid[]) and process.workspace_id in {EACH}
         order by past.process_id, past.id
        """,
        processes=list(processes),
        each=each,
        **scope.each,
    )


class Strip(Struct, frozen=True):
    """The last runs of one process."""

    runs: list[Past]
    """The oldest first."""

    @property
    def ended(self) -> int:
        """How many of them have ended."""
        return sum(past.ended_at is not None for past in self.runs)

    @property
    def completed(self) -> int:
        """How many have ended with nothing left to do, and were not stopped."""
        return sum(past.state is RunState.COMPLETED and past.result is Result.SUCCEEDED for past in self.runs)

    @property
    def last(self) -> Past | None:
        """The latest."""
        return self.runs[-1] if self.runs else None


async def strips_of(
    db: Statements, scope: Scope, processes: Sequence[ProcessId], *, each: int
) -> dict[ProcessId, Strip]:
    """The strips of processes, told apart; an empty one for a process without runs."""
    found: dict[ProcessId, Strip] = {process: Strip([]) for process in processes}
    for past in await strips(db, scope, processes, each=each):
        found[past.process_id].runs.append(past)
    return found
