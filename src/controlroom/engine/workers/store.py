"""The statements over workers and their groups; those over link tokens are in `link_tokens`."""

from collections.abc import Sequence
from typing import Final

from controlroom.engine.access.scope import Scope, ScopedTx
from controlroom.engine.nouns import InService, Noun
from controlroom.engine.workers import serving
from controlroom.engine.workers.errors import WorkerGroupNotFound, WorkerNotFound
from controlroom.engine.workers.model import AllWorkspaces, Serves, Worker, WorkerGroup
from controlroom.engine.workers.serving import serves
from controlroom.ids import OrganizationId, WorkerGroupId, WorkerId, WorkspaceId
from controlroom.postgres.database import Statements, Tx
from controlroom.postgres.keyset import oldest_first

WORKER: Final = Noun[WorkerId](
    "worker",
    WorkerNotFound,
    "worker",
    InService("worker.organization_id", "worker.serves_all"),
    there="worker.deleted_at is null",
    name="worker.name",
)
WORKER_GROUP: Final = Noun[WorkerGroupId](
    "worker group",
    WorkerGroupNotFound,
    "worker_group",
    InService("worker_group.organization_id", "worker_group.serves_all"),
    there="worker_group.deleted_at is null",
    name="worker_group.name",
)

_WORKER: Final = """
    select worker.id, worker.number, worker.organization_id, worker.serves_all, worker.name, worker.state, worker.slots,
           worker.version, worker.platform, worker.sandbox, worker.trouble, worker.seen_at, worker.created_at,
           worker.rests_since,
           case when worker.serves_all and not worker.mixes and worker.sandbox not in ('', 'bwrap')
                     and 1 < (select count(*) from workspace
                               where workspace.organization_id = worker.organization_id
                                 and workspace.deleted_at is null)
                then trim('It works for the first workspace alone: without a sandbox it may not mix them. '
                          || worker.sandbox_note)
                else worker.sandbox_note end as sandbox_note
      from worker
"""

_GROUP: Final = """
    select worker_group.id, worker_group.number, worker_group.organization_id, worker_group.serves_all,
           worker_group.name, worker_group.created_at
      from worker_group
"""


_OF_PLACE: Final = f"""cross join lateral (
                              select named.id::uuid from jsonb_array_elements_text(there -> 'workers') as named (id)
                               union all
                              select worker_group_member.worker_id from worker_group_member
                               where worker_group_member.worker_group_id = (there ->> 'group')::uuid) as of_place (id)
                         join worker on worker.id = of_place.id and worker.state = 'idle' and worker.deleted_at is null
                                    and {serves(WORKER, "step_run.workspace_id")}"""
"""The idle workers of a place, `there`, that serve the workspace of a `step_run`."""

SOMEBODY_IDLE: Final = f"""exists (
    select from jsonb_array_elements(step_run.placement -> 'places') as asked (there) {_OF_PLACE})"""
"""Whether a worker is idle that a `step_run` may run on, wherever in its places."""


def placement_matches(worker: str) -> str:
    """Whether a `step_run` may run on a worker, named by an SQL expression. Reads `processes.model.Placement`.

    It may on a worker of the first place, and on one of a later place while nobody of an earlier is idle. A case,
    because claims evaluate it for every step run that waits: nearly all of them are for any worker, and nearly all
    others for one place. None has a place that is on demand: until its worker was asked for, that is nobody's.
    """
    return f"""(
        case
        when step_run.placement = '{{}}' then true
        when step_run.placement -> 'places' -> 0 -> 'workers' ? {worker}::uuid::text then true
        when step_run.placement -> 'places' -> 0 ? 'workers' and step_run.placement -> 'places' -> 1 is null then false
        else (
            select mine.place is not null and not exists (     -- nobody of an earlier place is idle
                       select from jsonb_array_elements(step_run.placement -> 'places')
                                   with ordinality as earlier (there, place)
                        {_OF_PLACE}
                        where earlier.place < mine.place)
              from (select min(asked.place) as place
                      from jsonb_array_elements(step_run.placement -> 'places')
                           with ordinality as asked (there, place)
                     where there -> 'workers' ? {worker}::uuid::text
                        or exists (select from worker_group_member
                                    where worker_group_member.worker_group_id = (there ->> 'group')::uuid
                                      and worker_group_member.worker_id = {worker}::uuid)) as mine)
    end)"""


# ---------------------------------------------------------------------------------------------------- workers
async def get(db: Statements, scope: Scope, worker: WorkerId) -> Worker:
    """One worker of the workspace; raises WorkerNotFound."""
    found = await db.one_or_none(
        Worker,
        f"""{_WORKER}
         where {serves(WORKER)} and worker.id = %(worker)s and worker.deleted_at is null""",
        worker=worker,
        **scope.each,
    )
    if found is None:
        raise WorkerNotFound(worker)
    return found


async def list_workers(db: Statements, scope: Scope, *, after: WorkerId | None = None, limit: int) -> list[Worker]:
    """Workers in the order of their making."""
    return await db.all(
        Worker,
        f"""{_WORKER}
         where {serves(WORKER)} and worker.deleted_at is null
         {oldest_first("worker.id")}""",
        after=after,
        limit=limit,
        **scope.each,
    )


async def ensure_workers(tx: Tx, scope: Scope, workers: Sequence[WorkerId]) -> None:
    """Raise WorkerNotFound for the first that does not serve the workspace."""
    known = await tx.all(
        WorkerId,
        f"""
        select id from worker
         where {serves(WORKER)} and id = any(%(workers)s::uuid[]) and deleted_at is null
        """,
        workers=list(workers),
        **scope.each,
    )
    for worker in workers:
        if worker not in known:
            raise WorkerNotFound(worker)


async def insert(
    tx: ScopedTx,
    organization: OrganizationId,
    *,
    worker: WorkerId,
    name: str,
    slots: int,
    lookup: bytes,
    serves: Serves,
) -> None:
    """A new worker, offline until it opens a session. Raises UniqueViolation if there is one with the id."""
    await tx.execute(
        """
        insert into worker (id, organization_id, serves_all, name, slots, lookup)
        values (%(worker)s, %(organization)s, %(all)s, %(name)s, %(slots)s, %(lookup)s)
        """,
        worker=worker,
        organization=organization,
        all=isinstance(serves, AllWorkspaces),
        name=name,
        slots=slots,
        lookup=lookup,
    )
    await serving.begin(tx, worker, serves)


async def rename(tx: ScopedTx, worker: WorkerId, name: str) -> None:
    """Name a locked worker."""
    await tx.execute("update worker set name = %(name)s where id = %(worker)s", worker=worker, name=name)


async def rest(tx: ScopedTx, worker: WorkerId) -> bool:
    """Let a locked worker take nothing more; False if it rests already. What it runs, it runs to its end."""
    return bool(
        await tx.execute(
            """
            update worker
               set rests_since = clock_now(), state = case when state = 'idle' then 'resting' else state end
             where id = %(worker)s and rests_since is null
            """,
            worker=worker,
        )
    )


async def go_on(tx: ScopedTx, worker: WorkerId) -> bool:
    """Let a locked worker take work again; False if it does."""
    return bool(
        await tx.execute(
            """
            update worker
               set rests_since = null,
                   state = case when state = 'resting' and trouble = '' then 'idle' else state end
             where id = %(worker)s and rests_since is not null
            """,
            worker=worker,
        )
    )


async def delete(tx: ScopedTx, worker: WorkerId) -> None:
    """Unlink a worker: its token and its session end, it serves nothing and leaves its groups."""
    await tx.execute(
        """
        with unlinked as (
            update worker set deleted_at = clock_now(), state = 'offline', session = null
             where id = %(worker)s and deleted_at is null
            returning id
        ), left_groups as (
            delete from worker_group_member where worker_id in (select id from unlinked)
        ), left_users as (
            update app_user set default_worker_id = null where default_worker_id in (select id from unlinked)
        )
        delete from serving where subject_id in (select id from unlinked)
        """,
        worker=worker,
    )


async def part(tx: ScopedTx, *, worker: WorkerId | None = None, group: WorkerGroupId | None = None) -> None:
    """Take a worker out of the groups, or the workers out of a group, with whom it serves no workspace any more."""
    await tx.execute(
        """
        delete from worker_group_member
         using worker, worker_group
         where worker_group_member.worker_id = worker.id and worker_group_member.worker_group_id = worker_group.id
           and (worker.id = %(worker)s::uuid or worker_group.id = %(group)s::uuid)
           and not exists (
               select from workspace
                where workspace.organization_id = worker.organization_id and workspace.deleted_at is null
                  and (worker.serves_all or exists (select from serving where serving.subject_id = worker.id
                                                       and serving.workspace_id = workspace.id))
                  and (worker_group.serves_all or exists (select from serving where serving.subject_id = worker_group.id
                                                             and serving.workspace_id = workspace.id)))
        """,
        worker=worker,
        group=group,
    )


async def may_serve_several(tx: ScopedTx, worker: WorkerId) -> bool:
    """Whether a worker's robots are enclosed, as it said at its last session, or it was told to mix workspaces."""
    return bool(
        await tx.value("select mixes or sandbox in ('', 'bwrap') from worker where id = %(worker)s", worker=worker)
    )


# ---------------------------------------------------------------------------------------------------- groups
async def get_group(db: Statements, scope: Scope, group: WorkerGroupId) -> WorkerGroup:
    """One group of the workspace; raises WorkerGroupNotFound."""
    found = await db.one_or_none(
        WorkerGroup,
        f"""{_GROUP}
         where {serves(WORKER_GROUP)} and worker_group.id = %(group)s
           and worker_group.deleted_at is null""",
        group=group,
        **scope.each,
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
         where {serves(WORKER_GROUP)} and worker_group.deleted_at is null
         {oldest_first("worker_group.id")}""",
        after=after,
        limit=limit,
        **scope.each,
    )


async def list_members(
    db: Statements, scope: Scope, group: WorkerGroupId, *, after: WorkerId | None = None, limit: int
) -> list[Worker]:
    """The workers in a group, in the order of their making."""
    return await db.all(
        Worker,
        f"""{_WORKER}
          join worker_group_member on worker_group_member.worker_id = worker.id
         where worker_group_member.worker_group_id = %(group)s and {serves(WORKER)}
           and worker.deleted_at is null
         {oldest_first("worker.id")}""",
        group=group,
        after=after,
        limit=limit,
        **scope.each,
    )


async def member_ids(db: Statements, scope: Scope, group: WorkerGroupId) -> list[WorkerId]:
    """All workers of the scope that are in a group."""
    return await db.all(
        WorkerId,
        f"""
        select worker.id from worker_group_member join worker on worker.id = worker_group_member.worker_id
         where worker_group_member.worker_group_id = %(group)s and {serves(WORKER)} and worker.deleted_at is null
        """,
        group=group,
        **scope.each,
    )


async def groups_of(db: Statements, scope: Scope, worker: WorkerId) -> list[WorkerGroup]:
    """The groups that a worker is in, in the order of their making."""
    return await db.all(
        WorkerGroup,
        f"""{_GROUP}
          join worker_group_member on worker_group_member.worker_group_id = worker_group.id
         where worker_group_member.worker_id = %(worker)s and {serves(WORKER_GROUP)}
           and worker_group.deleted_at is null
         order by worker_group.id""",
        worker=worker,
        **scope.each,
    )


async def ensure_groups(tx: Tx, scope: Scope, groups: Sequence[WorkerGroupId]) -> None:
    """Raise WorkerGroupNotFound for the first that does not serve the workspace; none can be deleted meanwhile."""
    known = await tx.all(
        WorkerGroupId,
        f"""
        select id from worker_group
         where {serves(WORKER_GROUP)} and id = any(%(groups)s::uuid[]) and deleted_at is null
         order by id
           for share
        """,
        groups=list(groups),
        **scope.each,
    )
    for group in groups:
        if group not in known:
            raise WorkerGroupNotFound(group)


async def insert_group(
    tx: ScopedTx, organization: OrganizationId, group: WorkerGroupId, name: str, serves: Serves
) -> None:
    """A new group."""
    await tx.execute(
        """
        insert into worker_group (id, organization_id, serves_all, name)
        values (%(id)s, %(organization)s, %(all)s, %(name)s)
        """,
        id=group,
        organization=organization,
        all=isinstance(serves, AllWorkspaces),
        name=name,
    )
    await serving.begin(tx, group, serves)


async def name_of_group(tx: ScopedTx, group: WorkerGroupId) -> str:
    """What a locked group is called."""
    return str(await tx.value("select name from worker_group where id = %(group)s", group=group))


async def rename_group(tx: ScopedTx, group: WorkerGroupId, name: str) -> None:
    """Name a locked group."""
    await tx.execute("update worker_group set name = %(name)s where id = %(group)s", group=group, name=name)


async def lock_group(tx: Tx, scope: Scope, group: WorkerGroupId) -> bool:
    """Make a deletion wait for those who place steps on the group or put workers into it, and them for it."""
    return bool(
        await tx.execute(
            f"""
            select from worker_group
             where id = %(group)s and {serves(WORKER_GROUP)} and deleted_at is null
               for update
            """,
            group=group,
            **scope.each,
        )
    )


async def processes_placed_on(tx: ScopedTx, group: WorkerGroupId, workspaces: Sequence[WorkspaceId]) -> list[str]:
    """The names of the processes of workspaces that have a step for the group. Reads the steps: seldom asked."""
    return await tx.all(
        str,
        """
        select distinct process.name
          from step join process on process.id = step.process_id
         where process.workspace_id = any(%(workspaces)s::uuid[])
           and process.deleted_at is null and step.deleted_at is null
           and step.placement -> 'places' @> jsonb_build_array(jsonb_build_object('group', %(group)s::uuid))
         order by process.name
        """,
        group=group,
        workspaces=list(workspaces),
    )


async def queues_placed_on(tx: ScopedTx, group: WorkerGroupId, workspaces: Sequence[WorkspaceId]) -> list[str]:
    """The names of the queues of workspaces that have a consumer for the group. Reads the consumers: seldom asked."""
    return await tx.all(
        str,
        """
        select distinct queue.name
          from queue_consumer join queue on queue.id = queue_consumer.queue_id
         where queue_consumer.workspace_id = any(%(workspaces)s::uuid[])
           and queue_consumer.deleted_at is null and queue.deleted_at is null
           and queue_consumer.placement -> 'places' @> jsonb_build_array(jsonb_build_object('group', %(group)s::uuid))
         order by queue.name
        """,
        group=group,
        workspaces=list(workspaces),
    )


async def delete_group(tx: ScopedTx, group: WorkerGroupId) -> None:
    """Mark a locked group as deleted, without its members and link tokens."""
    await tx.execute(
        """
        with deleted as (
            update worker_group set deleted_at = clock_now() where id = %(group)s and deleted_at is null
            returning id
        ), emptied as (
            delete from worker_group_member where worker_group_id in (select id from deleted)
        ), closed as (
            delete from worker_group_right where worker_group_id in (select id from deleted)
        ), tokens as (
            delete from credential
             where id in (select credential_id from linking where worker_group_id in (select id from deleted))
            returning id
        )
        delete from serving where subject_id in (select id from deleted union all select id from tokens)
        """,
        group=group,
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
