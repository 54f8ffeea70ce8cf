"""A step run that a worker has in hand."""

from dataclasses import dataclass, replace

import pytest

from controlroom.engine.access.credentials import authenticate_worker
from controlroom.engine.access.model import WorkerActor
from controlroom.engine.access.scope import Of
from controlroom.engine.console import actions
from controlroom.engine.console.model import BEGINNING, Line, Position
from controlroom.engine.console.reading import read
from controlroom.engine.engine import Engine
from controlroom.engine.processes import actions as processes
from controlroom.engine.processes.model import ProcessDefinition, StepDefinition
from controlroom.engine.workers import linking
from controlroom.ids import StepRunId, WorkspaceId, uuid7
from controlroom.protocol import Link


@dataclass(frozen=True)
class Console:
    """A step run's console, as its worker writes it and others read it."""

    engine: Engine
    workspace: WorkspaceId
    worker: WorkerActor
    step_run: StepRunId
    attempt: int = 1

    @property
    def seen(self) -> Of:
        """What those see who have a place in the workspace."""
        return Of(self.worker.organization_id, (self.workspace,))

    async def append(self, first: int, *lines: str, at: float = 1_700_000_000.0) -> None:
        """Send lines as one batch."""
        body = "".join(f"{line}\n" for line in lines).encode()
        await self.send(first, len(lines), body, at=at)

    async def send(
        self, first: int, count: int, body: bytes, *, at: float = 1_700_000_000.0, unfinished: bytes = b""
    ) -> None:
        """Send a batch as it is."""
        await actions.append(
            self.engine,
            self.worker,
            self.step_run,
            self.attempt,
            first=first,
            count=count,
            at=at,
            body=body,
            unfinished=unfinished,
        )

    async def read(self, after: Position = BEGINNING, limit: int = 1000) -> list[Line]:
        """The next lines."""
        return await read(self.engine, self.seen, self.step_run, after=after, limit=limit)

    async def texts(self) -> list[str]:
        """All lines."""
        lines = await self.read()
        while more := await self.read(lines[-1].position if lines else BEGINNING):
            lines += more
        return [line.text for line in lines]

    async def end(self) -> None:
        """The attempt ends, a minute ago."""
        await self.engine.database.execute(
            """
            update step_run
               set state = 'completed', result = 'succeeded', lease_until = null, ended_at = clock_now(),
                   state_at = clock_now() - interval '1 minute'
             where id = %(id)s
            """,
            id=self.step_run,
        )

    async def next_attempt(self) -> "Console":
        """Another attempt takes the place of this one, which was a minute ago."""
        await self.engine.database.execute(
            "update step_run set attempt = %(attempt)s, state_at = clock_now() - interval '1 minute' where id = %(id)s",
            attempt=self.attempt + 1,
            id=self.step_run,
        )
        return replace(self, attempt=self.attempt + 1)


@pytest.fixture
async def walt(engine, ada, workspace, team) -> WorkerActor:
    """A linked worker."""
    made = await linking.create_link_token(engine, ada, workspace)
    linked = await linking.link(engine, Link(made.value, "walt"))
    return await authenticate_worker(engine, linked.token)


@pytest.fixture
async def console(engine, ada, workspace, walt) -> Console:
    """The console of a step run that walt has in hand."""
    definition = ProcessDefinition(name="p", steps=(StepDefinition(name="s"),))
    process = await processes.create(engine, ada, workspace, definition)
    run, step_run = uuid7(), StepRunId(uuid7())
    await engine.database.execute(
        """
        insert into run (id, workspace_id, process_id, state, started_by)
        values (%(run)s, %(workspace)s, %(process)s, 'in_progress', 'api')
        """,
        run=run,
        workspace=workspace,
        process=process.id,
    )
    await engine.database.execute(
        """
        insert into step_run (id, workspace_id, run_id, step_id, state, attempt, worker_id, worker_session,
                              lease_until, started_at)
        select %(step_run)s, %(workspace)s, %(run)s, step.id, 'in_progress', 1, %(worker)s, gen_random_uuid(),
               clock_now() + interval '1 hour', clock_now()
          from step where process_id = %(process)s
        """,
        step_run=step_run,
        workspace=workspace,
        run=run,
        worker=walt.worker_id,
        process=process.id,
    )
    return Console(engine, workspace, walt, step_run)
