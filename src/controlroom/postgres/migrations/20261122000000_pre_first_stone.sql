-- The first stone: identity, robots, processes, runs, queues, secrets, assets, workers, console, events.
-- Every addressable noun has `id uuid` (version 7, made by the program) and `number` from one sequence for the whole
-- database. States are text guarded by CHECK constraints; the edges between them are in each slice's rules.py.

create sequence number as bigint;

-- Time for leases, due times and takeovers. Tests shift it by `alter system set controlroom.clock_offset`.
create function clock_now() returns timestamptz language sql stable parallel safe as $$
    select statement_timestamp() + coalesce(nullif(current_setting('controlroom.clock_offset', true), ''), '0')::interval
$$;

-- ------------------------------------------------------------------------------------------------ events
create table event (
    xid             xid8        not null default pg_current_xact_id(),
    id              bigint      not null generated always as identity,
    at              timestamptz not null default clock_now(),
    organization_id uuid        not null,
    workspace_id    uuid,
    kind            text        not null,          -- noun.verb: run.started, work_item.failed, secret.revealed
    actor_kind      text        not null,
    actor_id        uuid,
    process_id      uuid,
    run_id          uuid,
    step_run_id     uuid,
    work_item_id    uuid,
    subject_id      uuid,                          -- the noun itself where none of the columns above is it
    data            jsonb       not null default '{}',
    primary key (xid, id)
);
create index event_of_step_run on event (step_run_id, id) where step_run_id is not null;
create index event_of_run on event (run_id, id) where run_id is not null and work_item_id is null;
create index event_of_workspace on event (workspace_id, id) where work_item_id is null;

create table event_cursor (                        -- how far a reader of events has come
    reader  text   primary key,
    xid     xid8   not null,
    id      bigint not null
);

-- ------------------------------------------------------------------------------------------------ access
create table organization (
    id         uuid primary key,
    number     bigint not null unique default nextval('number'),
    name       text not null check (name <> ''),
    created_at timestamptz not null default clock_now()
);

create table app_user (
    id              uuid primary key,
    number          bigint not null unique default nextval('number'),
    organization_id uuid not null references organization,
    username        text not null check (username <> ''),
    first_name      text not null default '',
    last_name       text not null default '',
    email           text not null default '',
    password_hash   text,                          -- argon2id; null: no login by password
    is_admin        boolean not null default false, -- may do everything in the organization
    created_at      timestamptz not null default clock_now(),
    disabled_at     timestamptz
);
create unique index app_user_name on app_user (organization_id, lower(username));

create table workspace (
    id              uuid primary key,
    number          bigint not null unique default nextval('number'),
    organization_id uuid not null references organization,
    name            text not null check (name <> ''),
    settings        jsonb not null default '{}',
    created_at      timestamptz not null default clock_now(),
    deleted_at      timestamptz
);
create unique index workspace_name on workspace (organization_id, name) where deleted_at is null;

create table member (
    workspace_id uuid not null references workspace,
    user_id      uuid not null references app_user,
    role         text not null,
    created_at   timestamptz not null default clock_now(),
    primary key (workspace_id, user_id)
);
create index member_of_user on member (user_id);

create table api_key (
    id           uuid primary key,
    number       bigint not null unique default nextval('number'),
    workspace_id uuid not null references workspace,
    name         text not null check (name <> ''),
    permissions  text[] not null,
    lookup       bytea not null unique,            -- keyed hash of the value
    sealed       bytea not null,                   -- the value, encrypted: it can be viewed again
    created_by   uuid references app_user,
    created_at   timestamptz not null default clock_now(),
    used_at      timestamptz,
    use_count    bigint not null default 0,
    expires_at   timestamptz
);
create index api_key_of_workspace on api_key (workspace_id, id);

create table user_credential (                     -- identifier:secret, signs rcc's requests
    id         uuid primary key,
    user_id    uuid not null references app_user,
    name       text not null default '',
    identifier text not null unique,
    sealed     bytea not null,
    created_at timestamptz not null default clock_now(),
    used_at    timestamptz
);
create index user_credential_of_user on user_credential (user_id);

create table server_key (                          -- keys that all servers of this database share, sealed by the master key
    name       text primary key,
    sealed     bytea not null,
    created_at timestamptz not null default clock_now()
);

-- ------------------------------------------------------------------------------------------------ objects and links
create table upload (                              -- a signed upload that has been promised
    id           uuid primary key,
    workspace_id uuid not null references workspace,
    kind         text not null,                    -- work_item_file | asset | package | artifact
    target_id    uuid not null,                    -- the item, asset, package or step run
    name         text not null default '',
    content_type text not null default '',
    size         bigint check (size >= 0),         -- null: not known beforehand (packages)
    state        text not null default 'pending' check (state in ('pending', 'completed', 'failed')),
    reason       text not null default '',
    hash         text,
    created_at   timestamptz not null default clock_now(),
    ended_at     timestamptz,
    check ((state = 'pending') = (ended_at is null)),
    check ((state = 'completed') = (hash is not null))
);
create index upload_of_target on upload (target_id, id);
create index upload_open on upload (created_at) where state = 'pending';

-- ------------------------------------------------------------------------------------------------ packages
create table package (
    id           uuid primary key,
    number       bigint not null unique default nextval('number'),
    workspace_id uuid not null references workspace,
    name         text not null check (name <> ''),
    created_at   timestamptz not null default clock_now(),
    deleted_at   timestamptz
);
create index package_of_workspace on package (workspace_id, id) where deleted_at is null;
create unique index package_name on package (workspace_id, name) where deleted_at is null;

create table package_version (
    id         uuid primary key,
    package_id uuid not null references package,
    version    int  not null,
    hash       text not null,
    size       bigint not null,
    robot      jsonb not null,                     -- the robot definition as read at upload
    created_at timestamptz not null default clock_now(),
    created_by uuid,
    unique (package_id, version)
);
create index package_version_by_hash on package_version (hash);

create table task (                                -- identity (package, name), stable across versions
    id         uuid primary key,
    number     bigint not null unique default nextval('number'),
    package_id uuid not null references package,
    name       text not null check (name <> ''),
    unique (package_id, name)
);

-- ------------------------------------------------------------------------------------------------ workers
create table worker_group (
    id           uuid primary key,
    number       bigint not null unique default nextval('number'),
    workspace_id uuid not null references workspace,
    name         text not null check (name <> ''),
    created_at   timestamptz not null default clock_now(),
    deleted_at   timestamptz
);
create unique index worker_group_name on worker_group (workspace_id, name) where deleted_at is null;

create table worker (
    id           uuid primary key,
    number       bigint not null unique default nextval('number'),
    workspace_id uuid not null references workspace,
    name         text not null check (name <> ''),
    lookup       bytea not null unique,            -- keyed hash of its token
    state        text not null default 'offline' check (state in ('offline', 'idle', 'busy')),
    session      uuid,                             -- the worker process that speaks for it now
    slots        int not null default 1 check (slots > 0),
    version      text not null default '',
    platform     text not null default '',
    sandbox      text not null default '',
    sandbox_note text not null default '',
    seen_at      timestamptz,
    created_at   timestamptz not null default clock_now(),
    deleted_at   timestamptz
);
create index worker_of_workspace on worker (workspace_id, id) where deleted_at is null;
create index worker_seen on worker (seen_at) where state <> 'offline';

create table worker_group_member (
    worker_group_id uuid not null references worker_group,
    worker_id       uuid not null references worker,
    primary key (worker_group_id, worker_id)
);
create index worker_group_of_worker on worker_group_member (worker_id);

create table link_token (
    id              uuid primary key,
    number          bigint not null unique default nextval('number'),
    workspace_id    uuid not null references workspace,
    worker_group_id uuid references worker_group,
    worker_id       uuid,                          -- the id a worker made by this token shall have (on-demand)
    name            text not null default '',
    lookup          bytea not null unique,
    sealed          bytea not null,
    is_reusable     boolean not null,
    expires_at      timestamptz,
    used_at         timestamptz,
    created_at      timestamptz not null default clock_now()
);
create index link_token_of_group on link_token (worker_group_id, id);
create index link_token_of_workspace on link_token (workspace_id, id);

-- ------------------------------------------------------------------------------------------------ processes
create table process (
    id              uuid primary key,
    number          bigint not null unique default nextval('number'),
    workspace_id    uuid not null references workspace,
    name            text not null check (name <> ''),
    is_enabled      boolean not null default true,
    default_item    jsonb,                         -- {"payload": …} for starts without input; null: one empty item
    implicit_task_id uuid references task,         -- set: the process through which a bare task is run
    settings        jsonb not null default '{}',
    created_at      timestamptz not null default clock_now(),
    deleted_at      timestamptz
);
create index process_of_workspace on process (workspace_id, id) where deleted_at is null;
create unique index process_of_task on process (implicit_task_id) where implicit_task_id is not null;

create table queue (
    id           uuid primary key,
    number       bigint not null unique default nextval('number'),
    workspace_id uuid not null references workspace,
    name         text not null check (name <> ''),
    schema       jsonb,                            -- JSON schema that payloads must fit
    created_at   timestamptz not null default clock_now(),
    deleted_at   timestamptz
);

create table step (
    id                 uuid primary key,
    number             bigint not null unique default nextval('number'),
    workspace_id       uuid not null references workspace,
    process_id         uuid not null references process,
    position           int not null check (position >= 0),
    name               text not null check (name <> ''),
    task_id            uuid references task,       -- null: not configured yet
    queue_id           uuid not null references queue,
    max_parallel       int not null default 1 check (max_parallel between 1 and 10000),
    timeout            interval,
    starts_after_previous boolean not null default false,
    one_item_per_step_run boolean not null default false,
    environment        jsonb not null default '{}',
    retry              jsonb not null default '{}', -- RetryPolicy of work_items/rules.py
    placement          jsonb not null default '{}', -- Placement of processes/model.py; {}: any worker
    deleted_at         timestamptz
);
create unique index step_of_process on step (process_id, position) where deleted_at is null;
create index step_of_task on step (task_id);

-- ------------------------------------------------------------------------------------------------ runs
create table run (
    id            uuid primary key,
    number        bigint not null unique default nextval('number'),
    workspace_id  uuid not null references workspace,
    process_id    uuid not null references process,
    state         text not null default 'new'
                  check (state in ('new', 'in_progress', 'stopping', 'completed', 'unresolved')),
    result        text check (result in ('succeeded', 'failed', 'stopped', 'timed_out', 'lost')),
    started_by    text not null check (started_by in ('api', 'user', 'schedule', 'email', 'chain', 'queue')),
    started_by_id uuid,                            -- user, schedule, API key … that caused it
    created_at    timestamptz not null default clock_now(),
    started_at    timestamptz,
    ended_at      timestamptz,
    priority      int not null default 0,
    parameters    jsonb not null default '{}',     -- what this one start asked for (RunParameters)
    stop_at       timestamptz,                     -- a stop was asked for then
    stop          jsonb,                           -- StopRequest
    check ((state in ('completed', 'unresolved')) = (ended_at is not null)),
    check ((ended_at is not null) = (result is not null)),
    check (state <> 'stopping' or stop_at is not null)
);
create index run_of_workspace on run (workspace_id, id);
create index run_of_process on run (process_id, id);
create index run_by_state on run (workspace_id, state, id);
create index run_open on run (id) where state in ('new', 'in_progress', 'stopping');

-- Runs whose items somebody has changed: the wake-up of their dispatcher, in the commit of the change. A table of its own,
-- because whoever changes items has locked those, and must not wait for the run's row.
create table run_wake (
    run_id uuid primary key
);

create table step_run (
    id            uuid primary key,
    number        bigint not null unique default nextval('number'),
    workspace_id  uuid not null references workspace,
    run_id        uuid not null references run,
    step_id       uuid not null references step,
    state         text not null default 'new'
                  check (state in ('new', 'awaiting_worker', 'in_progress', 'completed', 'failed', 'withdrawn')),
    state_at      timestamptz not null default clock_now(),
    result        text check (result in ('succeeded', 'failed', 'stopped', 'timed_out', 'lost')),
    error_code    text,
    error_message text not null default '',
    attempt       int not null default 0,          -- raised by every claim; tokens name (step run, attempt)
    package_version_id uuid references package_version,
    worker_id     uuid references worker,
    worker_session uuid,
    lease_until   timestamptz,
    priority      int not null default 0,
    placement     jsonb not null default '{}',
    created_at    timestamptz not null default clock_now(),
    started_at    timestamptz,
    began_at      timestamptz,                     -- robot code of this attempt may have run
    ended_at      timestamptz,
    paused_at     timestamptz,
    termination   text check (termination in ('terminated', 'timed_out')), -- the worker is told to end it
    exit_code     int,
    is_single     boolean not null default false,  -- works on the item bound in its claim alone
    bound_item_id uuid,                            -- the item bound in the claim
    check ((state = 'in_progress') = (lease_until is not null)),
    check (state <> 'in_progress' or (worker_id is not null and worker_session is not null and started_at is not null)),
    check ((state in ('completed', 'failed', 'withdrawn')) = (ended_at is not null)),
    check ((state = 'failed') = (error_code is not null)),
    check ((state in ('completed', 'failed')) = (result is not null))
);
create index step_run_of_run on step_run (run_id, id);
create index step_run_active on step_run (run_id, step_id) where state in ('new', 'awaiting_worker', 'in_progress');
create index step_run_awaiting on step_run (workspace_id, priority desc, id) where state = 'awaiting_worker';
create index step_run_leased on step_run (lease_until) where state = 'in_progress' and lease_until is not null;
create index step_run_on_worker on step_run (worker_id) where state = 'in_progress' and worker_id is not null;

create table phase (
    step_run_id uuid not null references step_run,
    attempt     int  not null,
    position    int  not null,
    kind        text not null,
    name        text not null,
    state       text not null check (state in ('in_progress', 'succeeded', 'failed', 'skipped')),
    started_at  timestamptz,
    ended_at    timestamptz,
    first_line  bigint,
    last_line   bigint,
    message     text not null default '',
    primary key (step_run_id, attempt, position)
);

create table artifact (
    id          uuid primary key,
    number      bigint not null unique default nextval('number'),
    workspace_id uuid not null references workspace,
    step_run_id uuid not null references step_run,
    attempt     int  not null,
    name        text not null check (name <> ''),
    size        bigint not null,
    hash        text not null,
    created_at  timestamptz not null default clock_now(),
    unique (step_run_id, attempt, name)
);

-- ------------------------------------------------------------------------------------------------ console
create table console_chunk (
    step_run_id uuid   not null,
    attempt     int    not null,
    first_line  bigint not null,
    line_count  int    not null check (line_count > 0),
    at          timestamptz not null,
    body        bytea  not null,                   -- UTF-8, each line ended by LF
    primary key (step_run_id, attempt, first_line)
);
do $$ begin                                      -- quicker than pglz, where the server was built with it
    alter table console_chunk alter column body set compression lz4;
exception when feature_not_supported then null;
end $$;

create table console_archive (                     -- the console of an ended attempt, compacted to one object
    step_run_id uuid not null,
    attempt     int  not null,
    line_count  bigint not null,
    hash        text not null,
    chunks      jsonb not null,                    -- [[first_line, line_count, at, offset, length] …]
    primary key (step_run_id, attempt)
);

-- ------------------------------------------------------------------------------------------------ work items
create table work_item (
    id          uuid primary key,
    number      bigint not null default nextval('number'),
    workspace_id uuid not null,
    process_id  uuid,                              -- null: an item of a standing queue
    queue_id    uuid,                              -- null: an output of the run
    step_id     uuid,
    run_id      uuid,
    state       text not null
                check (state in ('draft', 'new', 'pending', 'held', 'in_progress', 'done', 'failed', 'invalid', 'deleted')),
    state_at    timestamptz not null default clock_now(),
    created_at  timestamptz not null default clock_now(),
    priority    int not null default 0,            -- higher is more urgent
    due         timestamptz not null default clock_now(),
    is_postponed boolean not null default false,   -- false: due at once, even if the clock was put back since
    deadline    timestamptz,
    reference   text,
    parent_id   uuid,
    parent_attempt int,
    created_by_step_run uuid,                      -- the step run that made this output
    attempt     int not null default 0,            -- raised by every claim
    step_run_id uuid,                              -- who holds it, or held it last
    turn        int,                               -- which claim of the step run it was, counted from 1
    reserved_at timestamptz,
    tried_by    uuid[] not null default '{}',      -- never handed twice to the same step run
    exception_type    text check (exception_type in ('application', 'business', 'orchestrator', 'unspecified')),
    exception_code    text not null default '',
    exception_message text not null default '',
    payload     jsonb,
    check (state <> 'in_progress' or (step_run_id is not null and run_id is not null and reserved_at is not null)),
    check (state <> 'pending' or (run_id is not null and step_id is not null)),
    check (state <> 'draft' or (parent_id is not null and parent_attempt is not null)),
    check (state <> 'failed' or exception_type is not null)
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
do $$ begin                                      -- quicker than pglz, where the server was built with it
    alter table work_item alter column payload set compression lz4;
exception when feature_not_supported then null;
end $$;
create unique index work_item_number on work_item (number);
-- Why `is not null` in these conditions: a statement that names an item by its id and its state must not be led to such an
-- index. It is small, so it looks cheap; under an old snapshot it holds an entry of everything that passed through it.
create index work_item_pending on work_item (run_id, step_id, priority desc, due, id)
    where state = 'pending' and run_id is not null;
create index work_item_waiting on work_item (queue_id, priority desc, due, id) where state = 'new' and queue_id is not null;
create unique index work_item_turn on work_item (step_run_id, turn); -- the latest is the one in hand, if any is
create index work_item_open on work_item (run_id) where state in ('in_progress', 'held') and run_id is not null;
create index work_item_unresolved on work_item (run_id, id) where state = 'failed' and run_id is not null;
create index work_item_drafts on work_item (created_by_step_run, parent_id, parent_attempt)
    where state = 'draft' and created_by_step_run is not null;
create index work_item_of_workspace on work_item (workspace_id, id);
create index work_item_of_run on work_item (run_id, id) where run_id is not null;
create index work_item_of_process on work_item (process_id, id) where process_id is not null;
create unique index work_item_reference on work_item (queue_id, reference)
    where reference is not null and state <> 'deleted';

create table work_item_file (
    id           uuid primary key,
    work_item_id uuid not null references work_item,
    name         text not null check (name <> ''),
    size         bigint not null,
    hash         text not null,
    created_at   timestamptz not null default clock_now(),
    unique (work_item_id, name)
);

create table work_item_attempt (                   -- the history of an item: one row a release
    work_item_id uuid not null,
    attempt      int  not null,
    step_run_id  uuid,
    reserved_at  timestamptz,
    released_at  timestamptz not null default clock_now(),
    outcome      text not null check (outcome in ('done', 'failed', 'retried', 'lost')),
    exception_type text,
    exception_code text not null default '',
    exception_message text not null default '',
    primary key (work_item_id, attempt)
);

-- ------------------------------------------------------------------------------------------------ secrets and assets
create table secret (
    id           uuid primary key,
    number       bigint not null unique default nextval('number'),
    workspace_id uuid not null references workspace,
    name         text not null check (name <> ''),
    description  text not null default '',
    sealed       bytea not null,                   -- JSON object of its values, encrypted
    created_at   timestamptz not null default clock_now(),
    updated_at   timestamptz not null default clock_now(),
    unique (workspace_id, name)
);

create table asset (
    id           uuid primary key,
    number       bigint not null unique default nextval('number'),
    workspace_id uuid not null references workspace,
    name         text not null check (name <> ''),
    content_type text,
    size         bigint,
    hash         text,
    created_at   timestamptz not null default clock_now(),
    updated_at   timestamptz not null default clock_now(),
    unique (workspace_id, name),
    check ((hash is null) = (content_type is null) and (hash is null) = (size is null))
);
