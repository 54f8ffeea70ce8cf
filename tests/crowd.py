"""A crowd: whoever has been in a room before the first test, more of each noun than a page of any list holds.

Tests share a room, and one that looks for its own row on the first page of a list of the whole organization finds it
until enough others have run before it. In a crowded room it finds it never. Names of the crowd stand at both ends of
the alphabet, its numbers and times before all others. It rests: what the loops of a room would do is done, has ended
or is switched off.
"""

import os

from controlroom.app import Room
from controlroom.engine.access.model import system
from controlroom.engine.packages.actions import push
from controlroom.ids import OrganizationId, WorkspaceId

SIZE = int(os.environ.get("CROWD", "210"))
"""More than the longest page that a list tells of itself."""

_OF_WORKSPACES = """
    insert into workspace (id, organization_id, name)
    select made, organization, word from crowd;

    insert into package (id, workspace_id, name) select made, made, word from crowd;
    insert into package_version (id, package_id, version, hash, size, folder, robot)
    select made, made, 1, crowd.hash, size, folder, robot from crowd, package_version
     where package_version.id = (select id from package_version order by number limit 1);
    insert into task (id, package_id, name) select made, made, word from crowd;

    insert into process (id, workspace_id, name, implicit_task_id) select made, made, word, made from crowd;
    insert into queue (id, workspace_id, name, is_standing) select made, made, word, true from crowd;
    insert into queue_consumer (id, workspace_id, queue_id, task_id, name, is_paused)
    select made, made, made, made, word, true from crowd;
    insert into step (id, workspace_id, process_id, position, name, task_id, queue_id)
    select made, made, made, 0, word, made, made from crowd;
    insert into run (id, workspace_id, process_id, run_no, state, result, started_by, started_at, ended_at)
    select made, made, made, 1, 'completed', 'succeeded', 'api', clock_now(), clock_now() from crowd;
    insert into step_run (id, workspace_id, run_id, step_id, state, result, attempt, package_version_id,
                          started_at, began_at, ended_at)
    select made, made, made, made, 'completed', 'succeeded', 1, made, clock_now(), clock_now(), clock_now() from crowd;
    insert into work_item (id, workspace_id, process_id, queue_id, step_id, run_id, state, payload, attempt)
    select made, made, made, made, made, made, 'done', '{"crowd": true}', 1 from crowd;
    insert into schedule (id, workspace_id, process_id, name, rule, zone, starts_at, is_enabled, missed, grace, overlap,
                          inputs)
    select made, made, made, word, '{"type": "cron", "expression": "0 0 1 1 *"}', 'UTC', clock_now(), false, 'skip',
           '5 minutes', 'allow', '{"type": "default"}' from crowd;
    insert into asset (id, workspace_id, name) select made, made, word from crowd;

    insert into connection (id, organization_id, name, kind, settings)
    select made, organization, word, 'postgres',
           '{"kind": "postgres", "host": "db.example.org", "database": "crowd"}' from crowd;
    insert into connection_login (id, workspace_id, kind, username) select made, made, 'postgres', 'crowd' from crowd;
    insert into project (workspace_id, package_id, connection_id) select made, made, made from crowd;
    insert into target (id, workspace_id, name, kind, connection_id, login_id)
    select made, made, word, 'deployment', made, made from crowd;
    insert into process (id, workspace_id, name) select other, made, word from crowd;
    insert into queue (id, workspace_id, name) select other, made, word from crowd;
    insert into step (id, workspace_id, process_id, position, name, package_id, commands, queue_id)
    select other, made, other, 0, word, made, '[{"name": "dbt build", "words": ["dbt", "build"]}]', other from crowd;
    insert into job (process_id, workspace_id, target_id, kind) select other, made, made, 'other' from crowd;
    insert into run (id, workspace_id, process_id, run_no, state, result, started_by, started_at, ended_at)
    select other, made, other, 1, 'completed', 'succeeded', 'api', clock_now(), clock_now() from crowd;
    insert into step_run (id, workspace_id, run_id, step_id, state, result, attempt, package_version_id,
                          started_at, began_at, ended_at)
    select other, made, other, other, 'completed', 'succeeded', 1, made, clock_now(), clock_now(), clock_now()
      from crowd;
    insert into project_run (run_id, run_number, workspace_id, process_id, target_id, kind, stage, work, created_at,
                             dequeued_at, began_at, ended_at)
    select other, run.number, made, other, made, 'other', 'succeeded',
           '{"commands": [], "connection_name": "crowd", "threads": 4}', created_at, created_at, created_at, created_at
      from crowd join run on run.id = other;
"""

_OF_THE_ORGANIZATION = """
    insert into app_user (id, organization_id, username, first_name, disabled_at)
    select made, organization, word, 'Crowd', clock_now() from crowd;
    insert into role (id, organization_id, name, permissions) select made, organization, word, '{}' from crowd;
    insert into access_grant (id, organization_id, user_id, role_id) select made, organization, made, made from crowd;
    insert into user_group (id, organization_id, name) select made, organization, word from crowd;
    insert into credential (id, kind, organization_id, name, lookup)
    select made, 'service_token', organization, word, uuid_send(made) from crowd;
    insert into worker (id, name, lookup, organization_id, serves_all)
    select made, word, uuid_send(made), organization, false from crowd;
    insert into worker_group (id, name, organization_id, serves_all) select made, word, organization, false from crowd;
    insert into serving (workspace_id, subject_id) select made, made from crowd;
    insert into locker (id, organization_id, name) select made, organization, word from crowd;
    insert into shared_secret (id, organization_id, name, owner_id, locker_id)
    select made, organization, word, made, made from crowd;
    insert into shared_asset (id, organization_id, name, content_type, size, hash)
    select made, organization, word, 'text/plain', length, hash from crowd;
    insert into item_model (id, organization_id, name) select made, organization, word from crowd;
    insert into webhook (id, organization_id, name, grammar, endpoint, events, sealed, is_enabled)
    select made, organization, word, 'dbt', 'https://crowd.example/', '{job.run.started}', '', false from crowd;
    insert into transfer (id, organization_id, user_id, kind, state, name, wish, ended_at)
    select made, organization, made, 'import', 'failed', word, '{}', clock_now() from crowd;
    insert into event (organization_id, workspace_id, kind, actor_kind, subject_id)
    select organization, made, 'workspace.created', 'system', made from crowd;
"""


async def crowd(room: Room, organization: OrganizationId, workspace: WorkspaceId, robot: bytes) -> None:
    """Fill a room in which nobody has been. The robot lies in the room's first workspace, too."""
    engine = room.engine
    blob = await engine.objects.put_bytes(robot)
    await push(engine, system(organization), workspace, "zz crowd", blob)
    async with engine.database.transaction() as tx:
        await tx.execute(
            """
            create temporary table crowd on commit drop as
            select uuid_made_at(clock_timestamp()) as made, uuid_made_at(clock_timestamp()) as other,
                   %(organization)s::uuid as organization,
                   %(hash)s::text as hash, %(length)s::bigint as length,
                   case when n % 2 = 0 then 'aa' else 'zz' end || ' crowd ' || n as word
              from generate_series(1, %(size)s) as n
            """,
            organization=organization,
            size=SIZE,
            hash=blob.hash,
            length=blob.size,
        )
        for statements in (_OF_WORKSPACES, _OF_THE_ORGANIZATION):
            for statement in statements.split(";\n"):
                if statement.strip():
                    await tx.execute(statement)
