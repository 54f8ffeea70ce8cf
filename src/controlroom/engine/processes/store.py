"""The statements over processes, their steps and the queues of those."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from msgspec import Raw, Struct, json

from controlroom.engine.access.scope import SEEN, Scope, ScopedTx
from controlroom.engine.locks.model import LockName
from controlroom.engine.nouns import InWorkspace, Missing, Noun
from controlroom.engine.processes.errors import ProcessNotConfigured, ProcessNotFound
from controlroom.engine.processes.forms import Form
from controlroom.engine.processes.model import Process, Step, StepDefinition
from controlroom.ids import ConnectionId, PackageId, ProcessId, ProvisionerId, QueueId, StepId, TaskId, uuid7
from controlroom.postgres.database import Statements, Tx
from controlroom.postgres.keyset import oldest_first
from controlroom.protocol import Command

PROCESS: Final = Noun[ProcessId](
    "process",
    ProcessNotFound,
    "process",
    InWorkspace("process.workspace_id"),
    there="process.deleted_at is null",
    name="process.name",
    named="process.implicit_task_id is null",
)
STEP: Final = Noun[StepId](
    "step",
    partial(Missing, "step"),
    "step",
    InWorkspace("step.workspace_id"),
    there="step.deleted_at is null",
    name="step.name",
)

_PROCESS: Final = """
    select process.id, process.number, process.workspace_id, process.name, process.is_enabled,
           process.default_item -> 'payload' as default_item, process.form, process.implicit_task_id,
           process.created_at, process.locks,
           exists (select from job where job.process_id = process.id) as is_job
      from process
"""

_STEP: Final = """
    select step.id, step.number, step.workspace_id, step.process_id, step.position, step.name,
           case when task.id is not null then jsonb_build_object(
                'type', 'task', 'id', task.id, 'number', task.number, 'name', task.name, 'package_id', package.id,
                'package_name', package.name)
                when step.form is not null then jsonb_build_object('type', 'person', 'form', step.form)
                when step.commands is not null then jsonb_build_object(
                'type', 'commands', 'package_id', package.id, 'package_name', package.name, 'commands', step.commands)
           end as work,
           step.queue_id, queue.schema is not null as has_schema, step.max_parallel, step.timeout,
           step.starts_after_previous, step.one_item_per_step_run, step.environment, step.retry, step.placement,
           case when step.database_id is not null
                then (select jsonb_build_object('id', connection.id, 'number', connection.number,
                                                'name', connection.name)
                        from connection where connection.id = step.database_id)
           end as database
      from step
      join queue on queue.id = step.queue_id
      left join task on task.id = step.task_id
      left join package on package.id = coalesce(task.package_id, step.package_id)
"""


# ---------------------------------------------------------------------------------------------------- reading
async def get(db: Statements, scope: Scope, process: ProcessId) -> Process:
    """One process of the workspace; raises ProcessNotFound."""
    found = await db.one_or_none(
        Process,
        f"""{_PROCESS}
         where process.workspace_id = {SEEN} and process.id = %(process)s and process.deleted_at is null""",
        process=process,
        **scope.params,
    )
    if found is None:
        raise ProcessNotFound(process)
    return found


async def get_numbered(db: Statements, scope: Scope, number: int) -> Process | None:
    """The process of a number, if the workspace has it."""
    return await db.one_or_none(
        Process,
        f"""{_PROCESS}
         where process.workspace_id = {SEEN} and process.number = %(number)s and process.deleted_at is null""",
        number=number,
        **scope.params,
    )


async def list_processes(db: Statements, scope: Scope, *, after: ProcessId | None = None, limit: int) -> list[Process]:
    """Processes in the order of their making, without those of bare tasks."""
    return await db.all(
        Process,
        f"""{_PROCESS}
         where process.workspace_id = {SEEN} and process.deleted_at is null
           and process.implicit_task_id is null
         {oldest_first("process.id")}""",
        after=after,
        limit=limit,
        **scope.params,
    )


async def list_steps(db: Statements, scope: Scope, process: ProcessId) -> list[Step]:
    """The steps of a process in their order."""
    return await db.all(
        Step,
        f"""{_STEP}
         where step.workspace_id = {SEEN} and step.process_id = %(process)s and step.deleted_at is null
         order by step.position""",
        process=process,
        **scope.params,
    )


async def get_step(db: Statements, scope: Scope, step: StepId) -> Step | None:
    """One step, also one that was removed meanwhile: step runs under way still go by it."""
    return await db.one_or_none(
        Step, f"{_STEP} where step.workspace_id = {SEEN} and step.id = %(step)s", step=step, **scope.params
    )


async def first_step(db: Statements, scope: Scope, process: ProcessId) -> Step:
    """The step whose queue is the input queue of the process; raises ProcessNotFound, ProcessNotConfigured."""
    found = await db.one_or_none(
        Step,
        f"""{_STEP}
          join process on process.id = step.process_id
         where step.workspace_id = {SEEN} and step.process_id = %(process)s and step.deleted_at is null
           and process.deleted_at is null
         order by step.position
         limit 1""",
        process=process,
        **scope.params,
    )
    if found is None:
        await get(db, scope, process)
        raise ProcessNotConfigured(process)
    return found


async def lock_for_start(tx: Tx, scope: Scope, process: ProcessId) -> Process:
    """One process that cannot be changed or deleted before the transaction ends; raises ProcessNotFound.

    Any number of starts hold it at once.
    """
    return await _locked(tx, scope, process, "for share")


async def lock(tx: Tx, scope: Scope, process: ProcessId) -> Process:
    """One process for a change that neither a start nor another change comes between; raises ProcessNotFound."""
    return await _locked(tx, scope, process, "for update")


async def _locked(tx: Tx, scope: Scope, process: ProcessId, how: str) -> Process:
    found = await tx.one_or_none(
        Process,
        f"""{_PROCESS}
         where process.workspace_id = {SEEN} and process.id = %(process)s and process.deleted_at is null
         {how}""",
        process=process,
        **scope.params,
    )
    if found is None:
        raise ProcessNotFound(process)
    return found


async def has_open_run(tx: ScopedTx, process: ProcessId) -> bool:
    """Whether a run of the process is under way. Reads the runs, which are another slice's: a change must know."""
    return bool(
        await tx.value(
            """
            select exists (select from run
                            where process_id = %(process)s and state in ('new', 'in_progress', 'stopping'))
            """,
            process=process,
        )
    )


async def has_provisioner(tx: Tx, scope: Scope, provisioner: ProvisionerId) -> bool:
    """Whether the provisioner serves the workspace, held so that it stays. Reads another slice's table."""
    return bool(
        await tx.value(
            f"""
            select id from provisioner
             where id = %(provisioner)s and organization_id = %(organization)s and deleted_at is null
               and exists (select from {SEEN} as seen
                            where provisioner.serves_all
                               or exists (select from serving
                                           where subject_id = provisioner.id and workspace_id = seen.id)) for share
            """,
            provisioner=provisioner,
            **scope.params,
        )
    )


async def with_waiting_items(tx: ScopedTx, steps: Sequence[StepId]) -> list[str]:
    """The names of those steps in whose queues items wait that belong to no run."""
    return await tx.all(
        str,
        """
        select step.name from step
         where step.id = any(%(steps)s::uuid[])
           and exists (select from work_item where work_item.queue_id = step.queue_id and work_item.state = 'new')
         order by step.position
        """,
        steps=list(steps),
    )


# ---------------------------------------------------------------------------------------------------- writing
class ChosenWork(Struct, frozen=True):
    """What a step runs, as it is written: a task, or commands and their package, or nothing yet."""

    task: TaskId | None = None
    package: PackageId | None = None
    commands: tuple[Command, ...] | None = None
    form: Form | None = None
    database: ConnectionId | None = None
    """On whose file it works."""


async def insert(
    tx: Tx,
    scope: Scope,
    *,
    name: str,
    is_enabled: bool,
    default_item: Raw | None,
    form: Form | None,
    locks: Sequence[LockName],
) -> ProcessId | None:
    """A new process without steps; None if the scope sees no such workspace."""
    found: ProcessId | None = await tx.value(
        f"""
        insert into process (id, workspace_id, name, is_enabled, default_item, form, locks)
        select %(id)s, seen.id, %(name)s, %(is_enabled)s, %(default_item)s, %(form)s, %(locks)s from {SEEN} as seen
        returning id
        """,
        id=uuid7(),
        name=name,
        is_enabled=is_enabled,
        default_item=_stored(default_item),
        form=form,
        locks=list(locks),
        **scope.params,
    )
    return found


async def insert_implicit(tx: ScopedTx, scope: Scope, task: TaskId, name: str) -> ProcessId | None:
    """The process of a bare task; None if there is one already. Waits for whoever is making it now."""
    found: ProcessId | None = await tx.value(
        """
        insert into process (id, workspace_id, name, implicit_task_id)
        values (%(id)s, %(workspace)s, %(name)s, %(task)s)
        on conflict (implicit_task_id) where implicit_task_id is not null do nothing
        returning id
        """,
        id=uuid7(),
        workspace=scope.workspace,
        name=name,
        task=task,
    )
    return found


class Implicit(Struct, frozen=True):
    """The process of a bare task."""

    id: ProcessId
    is_deleted: bool


async def implicit_of(db: Statements, scope: Scope, task: TaskId) -> Implicit | None:
    """The process of a bare task, if it was run before; also one that was deleted since."""
    return await db.one_or_none(
        Implicit,
        f"""
        select id, deleted_at is not null as is_deleted
          from process where workspace_id = {SEEN} and implicit_task_id = %(task)s
        """,
        task=task,
        **scope.params,
    )


async def restore(tx: ScopedTx, process: ProcessId) -> None:
    """Have a process that was deleted again."""
    await tx.execute("update process set deleted_at = null where id = %(process)s", process=process)


async def update(
    tx: Tx,
    scope: Scope,
    process: ProcessId,
    *,
    name: str,
    is_enabled: bool,
    default_item: Raw | None,
    form: Form | None,
    locks: Sequence[LockName],
) -> bool:
    """Write what a process is called and how it starts; whether the scope sees it."""
    return bool(
        await tx.execute(
            f"""
            update process
               set name = %(name)s, is_enabled = %(is_enabled)s, default_item = %(default_item)s, form = %(form)s,
                   locks = %(locks)s
             where id = %(process)s and workspace_id = {SEEN} and deleted_at is null
            """,
            process=process,
            name=name,
            is_enabled=is_enabled,
            default_item=_stored(default_item),
            form=form,
            locks=list(locks),
            **scope.params,
        )
    )


async def delete(tx: Tx, scope: Scope, process: ProcessId) -> bool:
    """Mark a process as deleted; whether the scope sees it. Its runs stay."""
    return bool(
        await tx.execute(
            f"""
            update process set deleted_at = clock_now()
             where id = %(process)s and workspace_id = {SEEN} and deleted_at is null
            """,
            process=process,
            **scope.params,
        )
    )


async def remove_steps(tx: ScopedTx, process: ProcessId, steps: Sequence[StepId]) -> None:
    """Mark steps as deleted, and their queues."""
    await tx.execute(
        """
        with removed as (
            update step set deleted_at = clock_now()
             where process_id = %(process)s and id = any(%(steps)s::uuid[]) and deleted_at is null
            returning queue_id
        )
        update queue set deleted_at = clock_now() where id in (select queue_id from removed)
        """,
        process=process,
        steps=list(steps),
    )


async def make_room(tx: ScopedTx, process: ProcessId) -> None:
    """Move the steps of a process out of the way, so that they can be put at any places one after the other."""
    await tx.execute(
        "update step set position = position + 1000000 where process_id = %(process)s and deleted_at is null",
        process=process,
    )


async def insert_step(
    tx: ScopedTx, scope: Scope, process: ProcessId, position: int, step: StepDefinition, work: ChosenWork
) -> StepId:
    """A new step with a queue of its own."""
    new, queue = StepId(uuid7()), QueueId(uuid7())
    await tx.execute(
        "insert into queue (id, workspace_id, name) values (%(queue)s, %(workspace)s, %(name)s)",
        queue=queue,
        workspace=scope.workspace,
        name=step.name,
    )
    await tx.execute(
        """
        insert into step (id, workspace_id, process_id, position, name, task_id, package_id, commands, form, queue_id,
                          max_parallel, timeout, starts_after_previous, one_item_per_step_run, environment, retry,
                          placement, database_id)
        values (%(step)s, %(workspace)s, %(process)s, %(position)s, %(name)s, %(task)s, %(package)s, %(commands)s,
                %(form)s, %(queue)s, %(max_parallel)s, %(timeout)s, %(starts_after_previous)s,
                %(one_item_per_step_run)s, %(environment)s, %(retry)s, %(placement)s, %(database)s)
        """,
        step=new,
        workspace=scope.workspace,
        process=process,
        queue=queue,
        **_settings(step, position, work),
    )
    return new


async def update_step(
    tx: ScopedTx, process: ProcessId, kept: StepId, position: int, step: StepDefinition, work: ChosenWork
) -> None:
    """Write the settings of a step that keeps its id and queue. Step runs that exist keep the placement they have."""
    await tx.execute(
        """
        update step
           set position = %(position)s, name = %(name)s, task_id = %(task)s, package_id = %(package)s,
               commands = %(commands)s, form = %(form)s, max_parallel = %(max_parallel)s, timeout = %(timeout)s,
               starts_after_previous = %(starts_after_previous)s,
               one_item_per_step_run = %(one_item_per_step_run)s, environment = %(environment)s, retry = %(retry)s,
               placement = %(placement)s, database_id = %(database)s
         where id = %(step)s and process_id = %(process)s
        """,
        step=kept,
        process=process,
        **_settings(step, position, work),
    )


class _DefaultItem(Struct, frozen=True):
    payload: Raw


def _stored(payload: Raw | None) -> _DefaultItem | None:
    return None if payload is None else _DefaultItem(payload)


def _settings(step: StepDefinition, position: int, work: ChosenWork) -> dict[str, Any]:
    return {
        "position": position,
        "name": step.name,
        "task": work.task,
        "package": work.package,
        "commands": None if work.commands is None else Raw(json.encode(work.commands)),
        "form": work.form,
        "database": work.database,
        "max_parallel": step.max_parallel,
        "timeout": step.timeout,
        "starts_after_previous": step.starts_after_previous,
        "one_item_per_step_run": step.one_item_per_step_run,
        "environment": step.environment,
        "retry": step.retry,
        "placement": step.placement,
    }
