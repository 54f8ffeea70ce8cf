-- Assistants: tasks that people run on their own machines, and what is known of such runs.

create table assistant (
    id           uuid primary key,
    number       bigint not null unique default nextval('number'),
    workspace_id uuid not null references workspace,
    name         text not null check (name <> ''),
    task_id      uuid not null references task,
    created_at   timestamptz not null default clock_now(),
    deleted_at   timestamptz
);
create index assistant_of_workspace on assistant (workspace_id, id) where deleted_at is null;
create unique index assistant_name on assistant (workspace_id, name) where deleted_at is null;
create index assistant_of_task on assistant (task_id) where deleted_at is null;

create table assistant_run (
    id                 uuid primary key,
    number             bigint not null unique default nextval('number'),
    workspace_id       uuid not null references workspace,
    assistant_id       uuid not null references assistant,
    user_id            uuid not null references app_user,
    package_version_id uuid not null references package_version,
    state              text not null default 'in_progress' check (state in ('in_progress', 'completed', 'failed')),
    error_code         text,
    beat               bigint not null default 0,  -- the highest number of a heartbeat
    seen_at            timestamptz not null default clock_now(),
    started_at         timestamptz not null default clock_now(),
    ended_at           timestamptz,
    check ((state = 'in_progress') = (ended_at is null)),
    check ((state = 'failed') = (error_code is not null))
);
create index assistant_run_of_workspace on assistant_run (workspace_id, id);
create index assistant_run_of_assistant on assistant_run (assistant_id, id);
create index assistant_run_alive on assistant_run (seen_at) where state = 'in_progress';

create table assistant_artifact (
    id               uuid primary key,
    number           bigint not null unique default nextval('number'),
    workspace_id     uuid not null references workspace,
    assistant_run_id uuid not null references assistant_run,
    name             text not null check (name <> ''),
    size             bigint not null,
    hash             text not null,
    created_at       timestamptz not null default clock_now(),
    unique (assistant_run_id, name)
);
create index assistant_artifact_of_workspace on assistant_artifact (workspace_id, id);
create index assistant_artifact_by_hash on assistant_artifact (hash);
