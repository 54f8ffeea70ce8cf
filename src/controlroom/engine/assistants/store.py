"""Statements on assistants, their runs, and what these left."""

from datetime import timedelta
from functools import partial
from typing import Final

from controlroom.engine.access.scope import SEEN, Of, Room, Scope, ScopedTx, within
from controlroom.engine.assistants.errors import AssistantNameTaken, AssistantNotFound, AssistantRunNotFound
from controlroom.engine.assistants.listings import ASSISTANT_RUNS
from controlroom.engine.assistants.model import (
    Assistant,
    AssistantArtifact,
    AssistantError,
    AssistantRun,
    AssistantRunState,
)
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import NEWEST_FIRST, Asked, behind, equal
from controlroom.engine.nouns import InWorkspace, Missing, Noun
from controlroom.ids import AssistantArtifactId, AssistantId, AssistantRunId, PackageVersionId, TaskId, UserId
from controlroom.postgres.database import Statements
from controlroom.postgres.errors import UniqueViolation
from controlroom.postgres.keyset import oldest_first

ASSISTANT: Final = Noun[AssistantId](
    "assistant",
    AssistantNotFound,
    "assistant",
    InWorkspace("assistant.workspace_id"),
    there="assistant.deleted_at is null",
    name="assistant.name",
)
ASSISTANT_RUN: Final = Noun[AssistantRunId](
    "assistant run",
    AssistantRunNotFound,
    "assistant_run",
    InWorkspace("assistant_run.workspace_id"),
)
ASSISTANT_ARTIFACT: Final = Noun[AssistantArtifactId](
    "artifact of an assistant run",
    partial(Missing, "artifact"),
    "assistant_artifact",
    InWorkspace("assistant_artifact.workspace_id"),
)

_ASSISTANT: Final = """
    select assistant.id, assistant.number, assistant.workspace_id, assistant.name, assistant.task_id,
           task.name as task_name, task.package_id, assistant.created_at
      from assistant join task on task.id = assistant.task_id
"""


# ---------------------------------------------------------------------------------------------------- assistants
async def add(tx: Statements, scope: Scope, assistant: AssistantId, *, name: str, task: TaskId) -> bool:
    """Write a new assistant of a task that the caller holds; False if the scope sees no such workspace.

    Raises AssistantNameTaken, upon which the transaction is lost.
    """
    try:
        added = await tx.execute(
            f"""
            insert into assistant (id, workspace_id, name, task_id)
            select %(assistant)s, seen.id, %(name)s, %(task)s from {SEEN} as seen
            """,
            assistant=assistant,
            name=name,
            task=task,
            **scope.params,
        )
    except UniqueViolation as taken:
        raise AssistantNameTaken(name) from taken
    return added > 0


async def get(tx: Statements, scope: Scope, assistant: AssistantId) -> Assistant | None:
    """One assistant."""
    return await tx.one_or_none(
        Assistant,
        f"""{_ASSISTANT}
         where assistant.id = %(assistant)s and assistant.workspace_id = {SEEN} and assistant.deleted_at is null""",
        assistant=assistant,
        **scope.params,
    )


async def list_assistants(
    tx: Statements, scope: Scope, *, after: AssistantId | None = None, limit: int
) -> list[Assistant]:
    """Assistants in the order of their making."""
    return await tx.all(
        Assistant,
        f"""{_ASSISTANT}
         where assistant.workspace_id = {SEEN} and assistant.deleted_at is null
         {oldest_first("assistant.id")}""",
        after=after,
        limit=limit,
        **scope.params,
    )


async def change(tx: ScopedTx, assistant: AssistantId, *, name: str, task: TaskId) -> None:
    """Write what a found assistant shall be. Raises AssistantNameTaken, upon which the transaction is lost."""
    try:
        await tx.execute(
            "update assistant set name = %(name)s, task_id = %(task)s where id = %(assistant)s",
            assistant=assistant,
            name=name,
            task=task,
        )
    except UniqueViolation as taken:
        raise AssistantNameTaken(name) from taken


async def delete(tx: Statements, scope: Scope, assistant: AssistantId) -> bool:
    """Take an assistant out of the lists; whether it was in them. Its runs stay."""
    deleted = await tx.execute(
        f"""
        update assistant set deleted_at = clock_now()
         where id = %(assistant)s and workspace_id = {SEEN} and deleted_at is null
        """,
        assistant=assistant,
        **scope.params,
    )
    return deleted > 0


# ---------------------------------------------------------------------------------------------------- runs
async def add_run(
    tx: ScopedTx, run: AssistantRunId, assistant: Assistant, *, user: UserId, version: PackageVersionId
) -> None:
    """Write a run that begins now."""
    await tx.execute(
        """
        insert into assistant_run (id, workspace_id, assistant_id, user_id, package_version_id)
        values (%(run)s, %(workspace)s, %(assistant)s, %(user)s, %(version)s)
        """,
        run=run,
        workspace=assistant.workspace_id,
        assistant=assistant.id,
        user=user,
        version=version,
    )


async def get_run(tx: Statements, scope: Scope, run: AssistantRunId) -> AssistantRun | None:
    """One run of the workspace."""
    return await tx.one_or_none(
        AssistantRun,
        f"{ASSISTANT_RUNS.select} where assistant_run.id = %(run)s and assistant_run.workspace_id = {SEEN}",
        run=run,
        **scope.params,
    )


async def lock_run(tx: Statements, scope: Scope, run: AssistantRunId) -> AssistantRun | None:
    """Likewise, locked until the transaction ends."""
    return await tx.one_or_none(
        AssistantRun,
        f"""{ASSISTANT_RUNS.select} where assistant_run.id = %(run)s and assistant_run.workspace_id = {SEEN}
              for no key update of assistant_run""",
        run=run,
        **scope.params,
    )


async def list_runs(
    tx: Statements,
    scope: Scope,
    *,
    assistant: AssistantId | None = None,
    before: AssistantRunId | None = None,
    limit: int,
) -> list[AssistantRun]:
    """Runs (of an assistant), newest first."""
    asked = Asked(filter=equal(assistant_id=assistant), sort=NEWEST_FIRST, start=behind(before), length=limit)
    return await pages.rows(tx, AssistantRun, ASSISTANT_RUNS, within(scope), asked)


async def beat(tx: ScopedTx, run: AssistantRunId, number: int) -> None:
    """Note a sign of life of a run that the caller has locked."""
    await tx.execute(
        "update assistant_run set seen_at = clock_now(), beat = greatest(beat, %(number)s) where id = %(run)s",
        run=run,
        number=number,
    )


async def end_run(tx: ScopedTx, run: AssistantRunId, state: AssistantRunState, error: AssistantError | None) -> None:
    """End a run that the caller has locked, and that is in progress."""
    await tx.execute(
        """
        update assistant_run set state = %(state)s, error_code = %(error)s, ended_at = clock_now()
         where id = %(run)s and state = 'in_progress'
        """,
        run=run,
        state=state,
        error=error,
    )


async def lock_silent(tx: Statements, _room: Room, silence: timedelta) -> AssistantRun | None:
    """A run of which nothing was heard for so long, locked; those that others have locked are left to them."""
    return await tx.one_or_none(
        AssistantRun,
        f"""{ASSISTANT_RUNS.select}
         where assistant_run.state = 'in_progress' and assistant_run.seen_at < clock_now() - %(silence)s::interval
         order by assistant_run.seen_at
         limit 1
           for no key update of assistant_run skip locked""",
        silence=silence,
    )


async def takes_artifacts(tx: Statements, scope: Scope, run: AssistantRunId, after_end: timedelta) -> bool:
    """Whether a run may leave files: while it runs, and for a while after its end."""
    return bool(
        await tx.value(
            f"""
            select exists (select from assistant_run
                            where id = %(run)s and workspace_id = {SEEN}
                              and (ended_at is null or ended_at > clock_now() - %(after_end)s::interval))
            """,
            run=run,
            after_end=after_end,
            **scope.params,
        )
    )


# ---------------------------------------------------------------------------------------------------- artifacts
async def put_artifact(
    tx: Statements,
    scope: Of,
    run: AssistantRunId,
    artifact: AssistantArtifactId,
    *,
    name: str,
    size: int,
    digest: str,
) -> None:
    """Add a file; one of its name gives way to it, number and all."""
    await tx.execute(
        """
        insert into assistant_artifact (id, workspace_id, assistant_run_id, name, size, hash)
        values (%(artifact)s, %(workspace)s, %(run)s, %(name)s, %(size)s, %(digest)s)
        on conflict (assistant_run_id, name) do update
           set id = excluded.id, number = excluded.number, size = excluded.size, hash = excluded.hash,
               created_at = clock_now()
        """,
        artifact=artifact,
        workspace=scope.workspace,
        run=run,
        name=name,
        size=size,
        digest=digest,
    )


async def count_artifacts(tx: ScopedTx, run: AssistantRunId) -> int:
    """How many files a run has left."""
    found: int = await tx.value("select count(*) from assistant_artifact where assistant_run_id = %(run)s", run=run)
    return found


async def list_artifacts(
    tx: Statements,
    scope: Scope,
    run: AssistantRunId,
    *,
    after: AssistantArtifactId | None = None,
    limit: int,
) -> list[AssistantArtifact]:
    """What a run left, in the order it came."""
    return await tx.all(
        AssistantArtifact,
        f"""
        select id, number, assistant_run_id, name, size, hash, created_at from assistant_artifact
         where assistant_run_id = %(run)s and workspace_id = {SEEN}
         {oldest_first("id")}
        """,
        run=run,
        after=after,
        limit=limit,
        **scope.params,
    )


async def get_artifact(
    tx: Statements, scope: Scope, run: AssistantRunId, artifact: AssistantArtifactId
) -> AssistantArtifact | None:
    """One file that a run left."""
    return await tx.one_or_none(
        AssistantArtifact,
        f"""
        select id, number, assistant_run_id, name, size, hash, created_at from assistant_artifact
         where id = %(artifact)s and assistant_run_id = %(run)s and workspace_id = {SEEN}
        """,
        artifact=artifact,
        run=run,
        **scope.params,
    )
