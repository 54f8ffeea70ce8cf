"""The statements over workers and their groups; those over link tokens are in `link_tokens`."""

from collections.abc import Sequence
from typing import Final

from controlroom.engine.access.scope import SEEN, Scope, ScopedTx
from controlroom.engine.nouns import InWorkspace, Noun
from controlroom.engine.workers.errors import WorkerGroupNotFound, WorkerNotFound
from controlroom.engine.workers.model import Worker, WorkerGroup
from controlroom.ids import WorkerGroupId, WorkerId, uuid7
from controlroom.postgres.database import Statements, Tx
from controlroom.postgres.keyset import oldest_first

WORKER: Final = Noun[WorkerId](
    "worker",
    WorkerNotFound,
    "worker",
    InWorkspace("worker.workspace_id"),
    there="worker.deleted_at is null",
    name="worker.name",
)
WORKER_GROUP: Final = Noun[WorkerGroupId](
    "worker group",
    WorkerGroupNotFound,
    "worker_group",
    InWorkspace("worker_group.workspace_id"),
    there="worker_group.deleted_at is null",
    name="worker_group.name",
)

_WORKER: Final = """
    select worker.id, worker.number, worker.workspace_id, worker.name, worker.state, worker.slots, worker.version,
           worker.platform, worker.sandbox, worker.sandbox_note, worker.trouble, worker.seen_at, worker.created_at
      from worker
"""

_GROUP: Final = """
    select worker_group.id, worker_group.number, worker_group.workspace_id, worker_group.name, worker_group.created_at
      from worker_group
"""


def placement_matches(worker: str) -> str:
    """Whether a `step_run` may run on a worker, named by an SQL expression. Reads `processes.model.Placement`.

    A case, because claims evaluate it for every step run that waits: nearly all of them are for any worker.
    """
    return f"""(
        case
        when step_run.placement = '{{}}' then true
        when step_run.placement ? 'workers' then step_run.placement -> 'workers' ? {worker}::uuid::text
        else (
            select mine.place is not null and not exists (     -- nobody of an earlier group is idle
                       select from jsonb_array_elements_text(step_run.placement -> 'groups')
                                   with ordinality as earlier (id, place)
                         join worker_group_member on worker_group_member.worker_group_id = earlier.id::uuid
                         join worker as other on other.id = worker_group_member.worker_id
                        where earlier.place < mine.place and other.state = 'idle' and other.deleted_at is null)
              from (select min(asked.place) as place
                      from jsonb_array_elements_text(step_run.placement -> 'groups')
                           with ordinality as asked (id, place)
                      join worker_group_member on worker_group_member.worker_group_id = asked.id::uuid
                     where worker_group_member.worker_id = {worker}::uuid) as mine)
    end)"""


# ---------------------------------------------------------------------------------------------------- workers
async def get(db: Statements, scope: Scope, worker: WorkerId) -> Worker:
    """One worker of the workspace; raises WorkerNotFound."""
    found = await db.one_or_none(
        Worker,
        f"""{_WORKER}
         where worker.workspace_id = {SEEN} and worker.id = %(worker)s and worker.deleted_at is null""",
        worker=worker,
        **scope.params,
    )
    if found is None:
        raise WorkerNotFound(worker)
    return found


async def list_workers(db: Statements, scope: Scope, *, after: WorkerId | None = None, limit: int) -> list[Worker]:
    """Workers in the order of their making."""
    return await db.all(
        Worker,
        f"""{_WORKER}
         where worker.workspace_id = {SEEN} and worker.deleted_at is null
         {oldest_first("worker.id")}""",
        after=after,
        limit=limit,
        **scope.params,
    )


async def ensure_workers(tx: Tx, scope: Scope, workers: Sequence[WorkerId]) -> None:
    """Raise WorkerNotFound for the first that is none of the workspace."""
    known = await tx.all(
        WorkerId,
        f"""
        select id from worker
         where workspace_id = {SEEN} and id = any(%(workers)s::uuid[]) and deleted_at is null
        """,
        workers=list(workers),
        **scope.params,
    )
    for worker in workers:
        if worker not in known:
            raise WorkerNotFound(worker)


async def insert(tx: Tx, scope: Scope, *, worker: WorkerId, name: str, slots: int, lookup: bytes) -> None:
    """A new worker, offline until it opens a session. Raises UniqueViolation if there is one with the id."""
    await tx.execute(
        """
        insert into worker (id, workspace_id, name, slots, lookup)
        values (%(worker)s, %(workspace)s, %(name)s, %(slots)s, %(lookup)s)
        """,
        worker=worker,
        workspace=scope.workspace,
        name=name,
        slots=slots,
        lookup=lookup,
    )


async def rename(tx: Tx, scope: Scope, worker: WorkerId, name: str) -> bool:
    """Name a worker; whether the scope sees it."""
    return bool(
        await tx.execute(
            f"""
            update worker set name = %(name)s
             where id = %(worker)s and workspace_id = {SEEN} and deleted_at is null
            """,
            worker=worker,
            name=name,
            **scope.params,
        )
    )


async def delete(tx: Tx, scope: Scope, worker: WorkerId) -> bool:
    """Unlink a worker: its token and its session end, and it leaves its groups; whether the scope sees it."""
    return bool(
        await tx.value(
            f"""
            with unlinked as (
                update worker set deleted_at = clock_now(), state = 'offline', session = null
                 where id = %(worker)s and workspace_id = {SEEN} and deleted_at is null
                returning id
            ), left_groups as (
                delete from worker_group_member where worker_id in (select id from unlinked)
            )
            select count(*) from unlinked
            """,
            worker=worker,
            **scope.params,
        )
    )


# ---------------------------------------------------------------------------------------------------- groups
async def get_group(db: Statements, scope: Scope, group: WorkerGroupId) -> WorkerGroup:
    """One group of the workspace; raises WorkerGroupNotFound."""
    found = await db.one_or_none(
        WorkerGroup,
        f"""{_GROUP}
         where worker_group.workspace_id = {SEEN} and worker_group.id = %(group)s
           and worker_group.deleted_at is null""",
        group=group,
        **scope.params,
    )
    if found is None:
        raise WorkerGroupNotFound(group)
    return found


async def list_groups(
    db: Statements, scope: Scope, *, after: WorkerGroupId | None = None, limit: int
) -> list[WorkerGroup]:
    """Groups in the order of their making."""
    return await db.all(
        WorkerGroup,
        f"""{_GROUP}
         where worker_group.workspace_id = {SEEN} and worker_group.deleted_at is null
         {oldest_first("worker_group.id")}""",
        after=after,
        limit=limit,
        **scope.params,
    )


async def list_members(
    db: Statements, scope: Scope, group: WorkerGroupId, *, after: WorkerId | None = None, limit: int
) -> list[Worker]:
    """The workers in a group, in the order of their making."""
    return await db.all(
        Worker,
        f"""{_WORKER}
          join worker_group_member on worker_group_member.worker_id = worker.id
         where worker_group_member.worker_group_id = %(group)s and worker.workspace_id = {SEEN}
           and worker.deleted_at is null
         {oldest_first("worker.id")}""",
        group=group,
        after=after,
        limit=limit,
        **scope.params,
    )


async def groups_of(db: Statements, scope: Scope, worker: WorkerId) -> list[WorkerGroup]:
    """The groups that a worker is in, in the order of their making."""
    return await db.all(
        WorkerGroup,
        f"""{_GROUP}
          join worker_group_member on worker_group_member.worker_group_id = worker_group.id
         where worker_group_member.worker_id = %(worker)s and worker_group.workspace_id = {SEEN}
           and worker_group.deleted_at is null
         order by worker_group.id""",
        worker=worker,
        **scope.params,
    )


async def ensure_groups(tx: Tx, scope: Scope, groups: Sequence[WorkerGroupId]) -> None:
    """Raise WorkerGroupNotFound for the first that is none of the workspace; none of them can be deleted meanwhile."""
    known = await tx.all(
        WorkerGroupId,
        f"""
        select id from worker_group
         where workspace_id = {SEEN} and id = any(%(groups)s::uuid[]) and deleted_at is null
         order by id
           for share
        """,
        groups=list(groups),
        **scope.params,
    )
    for group in groups:
        if group not in known:
            raise WorkerGroupNotFound(group)


async def insert_group(tx: Tx, scope: Scope, name: str) -> WorkerGroupId | None:
    """A new group; None if the scope sees no such workspace. Raises UniqueViolation if the name is taken."""
    found: WorkerGroupId | None = await tx.value(
        f"""
        insert into worker_group (id, workspace_id, name)
        select %(id)s, seen.id, %(name)s from {SEEN} as seen
        returning id
        """,
        id=uuid7(),
        name=name,
        **scope.params,
    )
    return found


async def rename_group(tx: Tx, scope: Scope, group: WorkerGroupId, name: str) -> bool:
    """Name a group; whether the scope sees it. Raises UniqueViolation if the name is taken."""
    return bool(
        await tx.execute(
            f"""
            update worker_group set name = %(name)s
             where id = %(group)s and workspace_id = {SEEN} and deleted_at is null
            """,
            group=group,
            name=name,
            **scope.params,
        )
    )


async def lock_group(tx: Tx, scope: Scope, group: WorkerGroupId) -> bool:
    """Make a deletion wait for those who place steps on the group or put workers into it, and them for it."""
    return bool(
        await tx.execute(
            f"""
            select from worker_group
             where id = %(group)s and workspace_id = {SEEN} and deleted_at is null
               for update
            """,
            group=group,
            **scope.params,
        )
    )


async def processes_placed_on(tx: ScopedTx, group: WorkerGroupId) -> list[str]:
    """The names of the processes that have a step for the group. Reads the steps: only a deletion needs to know."""
    return await tx.all(
        str,
        """
        select distinct process.name
          from step join process on process.id = step.process_id
         where process.workspace_id = (select workspace_id from worker_group where id = %(group)s)
           and process.deleted_at is null and step.deleted_at is null
           and step.placement -> 'groups' ? %(group)s::uuid::text
         order by process.name
        """,
        group=group,
    )


async def delete_group(tx: Tx, scope: Scope, group: WorkerGroupId) -> None:
    """Mark a locked group as deleted, without its members and link tokens."""
    await tx.execute(
        f"""
        with deleted as (
            update worker_group set deleted_at = clock_now()
             where id = %(group)s and workspace_id = {SEEN} and deleted_at is null
            returning id
        ), emptied as (
            delete from worker_group_member where worker_group_id in (select id from deleted)
        )
        delete from credential
         where id in (select credential_id from linking where worker_group_id in (select id from deleted))
        """,
        group=group,
        **scope.params,
    )


async def add_member(tx: ScopedTx, group: WorkerGroupId, worker: WorkerId) -> None:
    """Put a worker into a group; fine if it is there."""
    await tx.execute(
        """
        insert into worker_group_member (worker_group_id, worker_id) values (%(group)s, %(worker)s)
        on conflict do nothing
        """,
        group=group,
        worker=worker,
    )


async def remove_member(tx: ScopedTx, group: WorkerGroupId, worker: WorkerId) -> None:
    """Take a worker out of a group; fine if it is not there."""
    await tx.execute(
        "delete from worker_group_member where worker_group_id = %(group)s and worker_id = %(worker)s",
        group=group,
        worker=worker,
    )
