-- The first stone: all of the schema as it stood when it was frozen. What came later is in the files after this one.
-- Every addressable noun has `id uuid` (version 7, made by the program) and `number` from one sequence for the whole
-- database. States are text guarded by CHECK constraints; the edges between them are in each slice's rules.py.

-- ------------------------------------------------------------------------------------------------ numbers, ids, time
create sequence number as bigint;

-- Time for leases, due times and takeovers. Tests shift it by `alter system set controlroom.clock_offset`.
create function clock_now() returns timestamptz language sql stable parallel safe as $$
    select statement_timestamp() + coalesce(nullif(current_setting('controlroom.clock_offset', true), ''), '0')::interval
$$;

-- An id of version 7 as it would have been made at a moment: for rows that come without one. Programs make ids themselves.
create function uuid_made_at(moment timestamptz) returns uuid language sql volatile parallel safe as $$
    select (lpad(to_hex((extract(epoch from moment) * 1000)::bigint), 12, '0') || '7'
            || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid
$$;

-- Before every id of version 7 that is made from a moment on: what is older is found by its id.
create function uuid_before(moment timestamptz) returns uuid language sql immutable parallel safe as $$
    select (lpad(to_hex(greatest((extract(epoch from moment) * 1000)::bigint, 0)), 12, '0') || '70008000000000000000')::uuid
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
create index event_by_time on event (workspace_id, at, id) where work_item_id is null; -- as the audit log is read
create index event_of_organization on event (organization_id, at, id) where work_item_id is null;
create index event_outside_workspaces on event (organization_id, at, id) where workspace_id is null;

create table event_cursor (                        -- how far a reader of events has come
    reader  text   primary key,
    xid     xid8   not null,
    id      bigint not null
);
-- Deliveries and chains begin with what happens after the room was made: what ran before it is nobody's news.
insert into event_cursor (reader, xid, id) values
    ('deliveries', pg_snapshot_xmin(pg_current_snapshot()), 0),
    ('chains', pg_snapshot_xmin(pg_current_snapshot()), 0);

-- ------------------------------------------------------------------------------------------------ the room
create table server_key (                          -- keys that all servers of this database share, sealed by the master key
    name       text primary key,
    sealed     bytea not null,
    created_at timestamptz not null default clock_now()
);

create table signing_key (                         -- signs tokens that others can check (JWT); one signs, those before it
    kid        text primary key,                   -- are kept to check. Named as RFC 7638 says
    public     jsonb not null,                     -- as it is published
    sealed     bytea not null,                     -- the private key, encrypted
    made_at    timestamptz not null default clock_now(),
    retired_at timestamptz,                        -- signs no more since
    ends_at    timestamptz,                        -- no token that it has signed lives any more
    check ((retired_at is null) = (ends_at is null))
);
create unique index signing_key_that_signs on signing_key ((true)) where retired_at is null;

-- What the settings of the room's servers were at their last start, so that a part beside them can say where its own differ.
-- What is a secret is here as its keyed hash.
create table room_setting (
    name  text primary key,
    value text not null
);

-- Each server writes here now and then: whether the database's disk takes anything is known before a caller finds out.
create table write_probe (
    server      uuid        primary key,
    filling     bytea       not null,
    written_at  timestamptz not null default clock_now()
);
alter table write_probe alter column filling set storage external; -- it shall take pages, not be compressed

-- ------------------------------------------------------------------------------------------------ organization, people
create table organization (
    id         uuid primary key,
    number     bigint not null unique default nextval('number'),
    name       text not null check (name <> ''),
    created_at timestamptz not null default clock_now()
);

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

create table app_user (
    id              uuid primary key,
    number          bigint not null unique default nextval('number'),
    organization_id uuid not null references organization,
    username        text not null check (username <> ''),
    first_name      text not null default '',
    last_name       text not null default '',
    email           text not null default '',
    password_hash   text,                          -- argon2id; null: no login by password
    created_at      timestamptz not null default clock_now(),
    disabled_at     timestamptz
);
create unique index app_user_name on app_user (organization_id, lower(username));

create table user_session (                        -- of people who have logged in
    id         uuid primary key,
    kind       text not null default 'session' check (kind in ('session', 'jwt')),
    user_id    uuid not null references app_user,
    lookup     bytea not null unique,              -- keyed hash of the token
    began_at   timestamptz not null default clock_now(), -- of the first of a row of tokens, each for the one before
    created_at timestamptz not null default clock_now(),
    expires_at timestamptz not null
);
create index user_session_of_user on user_session (user_id);
create index user_session_expired on user_session (expires_at);

create table user_group (
    id              uuid primary key,
    number          bigint not null unique default nextval('number'),
    organization_id uuid not null references organization,
    name            text not null check (name <> ''),
    description     text not null default '',
    created_at      timestamptz not null default clock_now()
);
create unique index user_group_name on user_group (organization_id, lower(name));
create index user_group_of_organization on user_group (organization_id, id);

create table user_group_member (
    user_group_id uuid not null references user_group on delete cascade,
    user_id       uuid not null references app_user,
    created_at    timestamptz not null default clock_now(),
    primary key (user_group_id, user_id)
);
create index user_group_of_user on user_group_member (user_id);

-- ------------------------------------------------------------------------------------------------ access
-- One notion of credential: what somebody shows to be let in.
create table credential (
    id              uuid primary key,
    number          bigint not null unique default nextval('number'),
    kind            text not null check (kind in ('workspace_key', 'user_credential', 'link_token',
                                                  'user_key', 'personal_token', 'service_token')),
    organization_id uuid not null references organization,
    workspace_id    uuid references workspace,     -- the owner: a workspace,
    user_id         uuid references app_user,      -- a user, or (neither) the organization
    name            text not null default '',
    identifier      text unique,                   -- what is shown in clear beside the secret
    lookup          bytea unique,                  -- keyed hash of the value
    sealed          bytea,                         -- the value, encrypted, where it must be used or can be viewed again
    permissions     text[] not null default '{}',  -- what it may do in the workspace that owns it; grants come on top
    created_by      uuid references app_user,
    created_at      timestamptz not null default clock_now(),
    used_at         timestamptz,
    use_count       bigint not null default 0,
    expires_at      timestamptz,
    check (num_nonnulls(workspace_id, user_id) <= 1),
    check (case kind
           when 'workspace_key' then workspace_id is not null and lookup is not null and sealed is not null and name <> ''
           when 'link_token' then user_id is null and lookup is not null and sealed is not null
           when 'user_credential' then user_id is not null and identifier is not null and sealed is not null
           when 'service_token' then user_id is null and lookup is not null
           else user_id is not null and lookup is not null
           end)
);
create index credential_of_workspace on credential (workspace_id, kind, id) where workspace_id is not null;
create index credential_of_user on credential (user_id, kind, id) where user_id is not null;

create table role (
    id              uuid primary key,
    number          bigint not null unique default nextval('number'),
    organization_id uuid references organization,  -- null: a role of the system, in every organization
    name            text not null check (name <> ''),
    description     text not null default '',
    permissions     text[] not null,               -- `*`: all of a workspace, also those of releases to come (system only);
                                                   -- with a colon: a grammar's own, kept as it was given
    created_at      timestamptz not null default clock_now(),
    updated_at      timestamptz not null default clock_now(),
    check (organization_id is null or not '*' = any (permissions))
);
create unique index role_name on role (organization_id, lower(name)) nulls not distinct;

insert into role (id, name, description, permissions) values
    ('00000000-0000-7000-8000-000000000001', 'admin', 'Governs the organization',
     '{*,roles.write,workspaces.write}'),
    ('00000000-0000-7000-8000-000000000002', 'owner', 'May do everything', '{*}'),
    ('00000000-0000-7000-8000-000000000003', 'operator', 'Runs the processes and changes them',
     '{assets.read,assets.write,assistants.read,members.read,packages.read,packages.write,processes.read,processes.write,
       run_outputs.read,runs.delete,runs.read,runs.start,schedules.read,schedules.write,secrets.read,webhooks.read,
       work_items.read,work_items.write,workers.read}'),
    ('00000000-0000-7000-8000-000000000004', 'viewer', 'Sees what happens',
     '{assets.read,assistants.read,members.read,packages.read,processes.read,run_outputs.read,runs.read,schedules.read,
       webhooks.read,work_items.read,workers.read}');

-- What somebody may do is the union of their grants: of a role to a principal, in a scope. (`grant` is a word of SQL.)
create table access_grant (
    id              uuid primary key,
    number          bigint not null unique default nextval('number'),
    organization_id uuid not null references organization,
    workspace_id    uuid references workspace,     -- null: in the whole organization
    user_id         uuid references app_user,
    user_group_id   uuid references user_group on delete cascade,
    credential_id   uuid references credential on delete cascade,
    role_id         uuid not null references role,
    created_at      timestamptz not null default clock_now(),
    check (num_nonnulls(user_id, user_group_id, credential_id) = 1)
);
create unique index access_grant_once
    on access_grant (user_id, user_group_id, credential_id, organization_id, workspace_id, role_id) nulls not distinct;
create index access_grant_of_group on access_grant (user_group_id) where user_group_id is not null;
create index access_grant_of_credential on access_grant (credential_id) where credential_id is not null;
create index access_grant_of_organization on access_grant (organization_id, id);
create index access_grant_of_workspace on access_grant (workspace_id, user_id);
create index access_grant_of_role on access_grant (role_id);
-- A user has one of the roles that members have, however many others.
create unique index access_grant_membership on access_grant (workspace_id, user_id)
    where role_id in ('00000000-0000-7000-8000-000000000002', '00000000-0000-7000-8000-000000000003',
                      '00000000-0000-7000-8000-000000000004');

-- ------------------------------------------------------------------------------------------------ uploads
create table upload (                              -- a signed upload that has been promised
    id           uuid primary key,
    workspace_id uuid not null references workspace,
    kind         text not null,                    -- work_item_file | asset | package | artifact
    target_id    uuid not null,                    -- the item, asset, package or step run
    name         text not null default '',
    content_type text not null default '',
    folder       text not null default '',         -- of a package: where its robot lies in it
    by_kind      text not null default 'system',   -- to whom it was promised
    by_id        uuid,
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
    id            uuid primary key,
    number        bigint not null unique default nextval('number'),
    workspace_id  uuid not null references workspace,
    name          text not null check (name <> ''),
    exclude_newer timestamptz,                     -- packages of the world that are newer do not count when a robot's
                                                   -- environment is resolved; null: as the room says
    created_at    timestamptz not null default clock_now(),
    deleted_at    timestamptz
);
create index package_of_workspace on package (workspace_id, id) where deleted_at is null;
create unique index package_name on package (workspace_id, name) where deleted_at is null;

create table package_version (
    id         uuid primary key,
    number     bigint not null default nextval('number'),
    package_id uuid not null references package,
    version    int  not null,
    hash       text not null,
    size       bigint not null,
    folder     text,                               -- where the robot lies in the zip; null: where its least deep robot.yaml is
    robot      jsonb not null,                     -- the robot definition as read at upload
    created_at timestamptz not null default clock_now(),
    created_by uuid,
    unique (package_id, version)
);
create unique index package_version_number on package_version (number);
create index package_version_by_hash on package_version (hash);

create table package_source (                      -- of packages whose content is fetched from a git repository
    package_id     uuid primary key references package,
    workspace_id   uuid not null references workspace,
    url            text not null check (url <> ''),
    ref_kind       text not null check (ref_kind in ('branch', 'tag', 'commit')),
    ref            text not null check (ref <> ''),
    folder         text not null default '',       -- where the robot lies in it
    secret_name    text,                           -- of the vault: how the room proves itself to the repository
    hook_sealed    bytea not null,                 -- the secret that signs push hooks
    wanted_at      timestamptz,                    -- somebody has asked for a fetch that is not done yet
    lease_id       uuid,                           -- which server's claim the fetch is: who lost it changes nothing any more
    lease_until    timestamptz,                    -- a server is at it
    fetched_at     timestamptz,
    fetched_commit text,
    error          text not null default '',       -- why the last fetch failed
    created_at     timestamptz not null default clock_now()
);
create index package_source_wanted on package_source (wanted_at) where wanted_at is not null;

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
    state        text not null default 'offline' check (state in ('offline', 'idle', 'busy', 'resting')),
    trouble      text not null default '',         -- why it takes no work; empty: it does
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

create table linking (                             -- what a link token is for, by the id of its credential
    credential_id   uuid primary key references credential on delete cascade,
    worker_group_id uuid references worker_group,
    worker_id       uuid,                          -- the id a worker made by this token shall have (on-demand)
    is_reusable     boolean not null
);
create index linking_of_group on linking (worker_group_id, credential_id) where worker_group_id is not null;

create table provisioner (                         -- who starts a worker on demand
    id           uuid primary key,
    number       bigint not null unique default nextval('number'),
    workspace_id uuid not null references workspace,
    name         text not null check (name <> ''),
    endpoint     text not null check (endpoint <> ''),
    sealed       bytea not null,                   -- the secret that signs
    max_lifetime interval,
    created_at   timestamptz not null default clock_now(),
    deleted_at   timestamptz
);
create unique index provisioner_name on provisioner (workspace_id, name) where deleted_at is null;

create table provisioning (                        -- one worker that was asked for
    worker_id       uuid primary key,              -- the id that it shall have
    workspace_id    uuid not null references workspace,
    provisioner_id  uuid not null references provisioner,
    run_id          uuid not null,
    step_run_id     uuid not null,
    link_token_id   uuid not null,
    delivery_id     uuid not null,                 -- the request to start it
    state           text not null default 'requested' check (state in ('requested', 'released', 'ended')),
    link_by         timestamptz not null,          -- a worker that has not come by then does not come
    created_at      timestamptz not null default clock_now()
);
create index provisioning_live on provisioning (worker_id) where state <> 'ended';
create index provisioning_of_step_run on provisioning (step_run_id);

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
    is_standing  boolean not null default false,   -- stands alone; else it is a step's
    schema       jsonb,                            -- JSON schema that payloads must fit
    created_at   timestamptz not null default clock_now(),
    deleted_at   timestamptz
);
create unique index queue_name on queue (workspace_id, name) where is_standing and deleted_at is null;
create index queue_of_workspace on queue (workspace_id, id) where is_standing and deleted_at is null;

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

create table queue_consumer (                      -- opens runs for due items of a standing queue
    id           uuid primary key,
    number       bigint not null unique default nextval('number'),
    workspace_id uuid not null references workspace,
    queue_id     uuid not null references queue,
    task_id      uuid not null references task,
    placement    jsonb not null default '{}',
    windows      jsonb not null default '[]',      -- when it works; []: always
    zone         text not null default 'UTC',
    priority     int not null default 0,           -- the more urgent of two consumers of one queue comes first
    max_runs     int not null default 1 check (max_runs between 1 and 1000),
    batch        int not null default 100 check (batch between 1 and 10000),
    is_paused    boolean not null default false,
    created_by   uuid,
    created_at   timestamptz not null default clock_now(),
    deleted_at   timestamptz
);
create index queue_consumer_of_queue on queue_consumer (queue_id, priority desc, id) where deleted_at is null;

-- ------------------------------------------------------------------------------------------------ runs
create table run (
    id            uuid primary key,
    number        bigint not null unique default nextval('number'),
    workspace_id  uuid not null references workspace,
    process_id    uuid not null references process,
    run_no        bigint not null,                 -- which one of its process it is
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
    console_pruned_at   timestamptz,
    artifacts_pruned_at timestamptz,
    check ((state in ('completed', 'unresolved')) = (ended_at is not null)),
    check ((ended_at is not null) = (result is not null)),
    check (state <> 'stopping' or stop_at is not null)
);
create index run_of_workspace on run (workspace_id, id);
create index run_of_process on run (process_id, id);
create index run_by_state on run (workspace_id, state, id);
create index run_by_start on run (workspace_id, started_at, id);
create index run_open on run (id) where state in ('new', 'in_progress', 'stopping');
create index run_open_of_starter on run (started_by_id)
    where started_by_id is not null and started_by in ('schedule', 'queue') and state in ('new', 'in_progress', 'stopping');

-- Runs count 1, 2, 3 … by process: people name files by it. Each process has a sequence of its own, because a counter in a row
-- would make the starts of a process wait for each other until they are committed; so a start that fails leaves a gap.
create function run_counter(process uuid) returns text
    language sql immutable parallel safe
    return 'run_no_' || replace(process::text, '-', '');

create function open_run_counter() returns trigger language plpgsql as $$
begin
    execute format('create sequence %I', run_counter(new.id));
    return null;
end $$;

create function close_run_counter() returns trigger language plpgsql as $$
begin
    execute format('drop sequence if exists %I', run_counter(old.id));
    return null;
end $$;

create function count_run() returns trigger language plpgsql as $$
begin
    new.run_no := nextval(run_counter(new.process_id)::regclass);
    return new;
end $$;

create trigger process_opens_its_counter after insert on process for each row execute function open_run_counter();
create trigger process_closes_its_counter after delete on process for each row execute function close_run_counter();
create trigger run_is_counted before insert on run for each row execute function count_run();

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
    given_back    int not null default 0,          -- how often a worker could not begin it
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
    mask_count    int not null default 0,          -- raised with every reading of the vault
    check ((state = 'in_progress') = (lease_until is not null)),
    check (state <> 'in_progress' or (worker_id is not null and worker_session is not null and started_at is not null)),
    check ((state in ('completed', 'failed', 'withdrawn')) = (ended_at is not null)),
    check ((state = 'failed') = (error_code is not null)),
    check ((state in ('completed', 'failed')) = (result is not null))
);
create index step_run_of_run on step_run (run_id, id);
create index step_run_active on step_run (run_id, step_id) where state in ('new', 'awaiting_worker', 'in_progress');
create index step_run_awaiting on step_run (workspace_id, priority desc, id) where state = 'awaiting_worker';
create index step_run_to_provide on step_run (id) where state = 'new';
create index step_run_leased on step_run (lease_until) where state = 'in_progress' and lease_until is not null;
create index step_run_on_worker on step_run (worker_id) where state = 'in_progress' and worker_id is not null;
-- `state` as the lists say, which are thus answered by the index alone.
create index step_run_of_workspace on step_run (workspace_id, id) where state <> 'withdrawn';
create index step_run_by_start on step_run (workspace_id, started_at, id) where state <> 'withdrawn';

create table phase (
    id          uuid   not null default uuid_made_at(clock_timestamp()),
    number      bigint not null default nextval('number'),
    step_run_id uuid   not null references step_run,
    attempt     int    not null,
    position    int    not null,
    kind        text   not null,
    name        text   not null,
    state       text   not null check (state in ('in_progress', 'succeeded', 'failed', 'skipped')),
    started_at  timestamptz,
    ended_at    timestamptz,
    first_line  bigint,
    last_line   bigint,
    message     text   not null default '',
    primary key (step_run_id, attempt, position)
);
create unique index phase_id on phase (id);
create unique index phase_number on phase (number);

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
create index artifact_by_hash on artifact (hash);

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
create index console_archive_by_hash on console_archive (hash);

-- What a step run has read of the vault does not show in its console. Sealed; gone with the console's compaction.
create table secret_mask (
    step_run_id uuid  not null,
    secret_id   uuid  not null,
    sealed      bytea not null,
    primary key (step_run_id, secret_id)
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
    fault       text,                              -- why its queue's schema refuses its payload
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
create index work_item_refused on work_item (run_id) where state = 'invalid' and run_id is not null;
create index work_item_drafts on work_item (created_by_step_run, parent_id, parent_attempt)
    where state = 'draft' and created_by_step_run is not null;
create index work_item_deadline on work_item (deadline) where deadline is not null and state in ('new', 'pending', 'held');
create index work_item_stray on work_item (workspace_id, state_at)
    where run_id is null and state in ('done', 'failed', 'invalid', 'deleted');
create index work_item_of_workspace on work_item (workspace_id, id);
create index work_item_of_run on work_item (run_id, id) where run_id is not null;
create index work_item_of_process on work_item (process_id, id) where process_id is not null;
create index work_item_of_queue on work_item (queue_id, id) where process_id is null;
create unique index work_item_reference on work_item (queue_id, reference)
    where reference is not null and state <> 'deleted';

create table work_item_file (
    id           uuid primary key,
    number       bigint not null default nextval('number'),
    work_item_id uuid not null references work_item,
    name         text not null check (name <> ''),
    size         bigint not null,
    hash         text not null,
    created_at   timestamptz not null default clock_now(),
    unique (work_item_id, name)
);
create unique index work_item_file_number on work_item_file (number);
create index work_item_file_by_hash on work_item_file (hash);

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
create index asset_by_hash on asset (hash) where hash is not null;

-- ------------------------------------------------------------------------------------------------ schedules
create table schedule (
    id           uuid primary key,
    number       bigint not null unique default nextval('number'),
    workspace_id uuid not null references workspace,
    process_id   uuid not null references process,
    name         text not null check (name <> ''),
    rule         jsonb not null,                   -- Rule of schedules/model.py
    zone         text not null,                    -- IANA name: the rule's local times are of there
    starts_at    timestamptz not null,             -- where intervals count from; nothing is due before
    ends_at      timestamptz,                      -- nothing is due after
    is_enabled   boolean not null default true,
    missed       text not null check (missed in ('skip', 'run_once')),
    grace        interval not null,                -- an occurrence that is noticed later than that was missed
    overlap      text not null check (overlap in ('allow', 'skip', 'queue')),
    skip_after   interval,                         -- an occurrence that had to wait for longer is given up
    cancel_after interval,                         -- a run that no robot has begun so long after its time is stopped
    inputs       jsonb not null,                   -- ScheduledInput of schedules/model.py
    priority     int not null default 0,
    next_due     timestamptz,                      -- null: nothing to come (disabled, ended)
    noticed_at   timestamptz,                      -- when a leader first saw that it was due: lateness is judged by this, not
                                                   -- by when the room finds the time to start a run; null: nobody has
    created_by   uuid,
    created_at   timestamptz not null default clock_now(),
    deleted_at   timestamptz,
    check (next_due is null or is_enabled)
);
create index schedule_of_workspace on schedule (workspace_id, id) where deleted_at is null;
create index schedule_of_process on schedule (process_id, id) where deleted_at is null;
create index schedule_due on schedule (next_due) where next_due is not null and deleted_at is null;
create index schedule_unnoticed on schedule (next_due)
    where noticed_at is null and next_due is not null and deleted_at is null;

create table schedule_watch (                      -- since when a leader has been looking without a gap
    is_only     boolean     primary key default true check (is_only),
    since       timestamptz not null,
    until       timestamptz not null
);

create table schedule_occurrence (                 -- unique by schedule and due time: each is decided once
    schedule_id uuid        not null references schedule,
    due         timestamptz not null,
    state       text        not null check (state in ('started', 'nothing_waited', 'missed', 'skipped', 'waiting', 'failed')),
    run_id      uuid,
    reason      text        not null default '',
    at          timestamptz not null default clock_now(),
    give_up_at  timestamptz,                       -- of a waiting one
    cancel_at   timestamptz,                       -- of a started one whose run must have begun by then
    primary key (schedule_id, due),
    check ((state = 'started') = (run_id is not null)),
    check (give_up_at is null or state = 'waiting'),
    check (cancel_at is null or state = 'started')
);
create index schedule_occurrence_waiting on schedule_occurrence (schedule_id, due) where state = 'waiting';
create index schedule_occurrence_cancelled on schedule_occurrence (cancel_at) where cancel_at is not null;

-- ------------------------------------------------------------------------------------------------ chains
create table chain (                               -- when a run of one process ends, another process starts
    id              uuid primary key,
    number          bigint not null unique default nextval('number'),
    workspace_id    uuid not null references workspace,
    process_id      uuid not null references process,
    next_process_id uuid not null references process,
    ends            text[] not null check (ends <> '{}' and ends <@ '{completed,unresolved}'),
    empty           text not null check (empty in ('skip', 'one_item')),
    is_enabled      boolean not null default true,
    created_by      uuid,
    created_at      timestamptz not null default clock_now(),
    deleted_at      timestamptz
);
create index chain_of_process on chain (process_id, id) where deleted_at is null;

create table chain_link (                          -- unique by chain and run end: each is followed once
    chain_id    uuid   not null references chain,
    event_id    bigint not null,                   -- the end of the run
    run_id      uuid   not null,
    state       text   not null default 'pending' check (state in ('pending', 'started', 'empty', 'failed')),
    next_run_id uuid,
    outputs     uuid[] not null default '{}',      -- what was handed on: a run that ends again hands on what is new
    reason      text   not null default '',
    at          timestamptz not null default clock_now(),
    primary key (chain_id, event_id),
    check ((state = 'started') = (next_run_id is not null))
);
create index chain_link_pending on chain_link (event_id, chain_id) where state = 'pending';
create index chain_link_of_run on chain_link (chain_id, run_id);

-- ------------------------------------------------------------------------------------------------ triggers
-- What starts a process from outside of the API: the secret of the oldest API, mail, and the handshakes of callers.
create table process_secret (                      -- there is a row where the oldest API is switched on (one a process)
    process_id   uuid primary key references process,
    workspace_id uuid not null references workspace,
    lookup       bytea not null unique,            -- keyed hash of the secret
    sealed       bytea not null,                   -- the secret, encrypted: it can be viewed again
    created_at   timestamptz not null default clock_now()
);

create table email_trigger (                       -- the address by which mail becomes work items of a process
    id            uuid   not null unique default uuid_made_at(clock_timestamp()),
    number        bigint not null unique default nextval('number'),
    process_id    uuid primary key references process,
    workspace_id  uuid not null references workspace,
    random        text not null unique check (random <> ''), -- the part of the address that cannot be guessed
    is_enabled    boolean not null default true,
    parses        boolean not null default true,   -- fields, body and attachments; else the raw mail alone
    starts        boolean not null default true,   -- a run; else the item waits in the input queue
    created_at    timestamptz not null default clock_now(),
    updated_at    timestamptz not null default clock_now()
);

create table handshake (                           -- the secret that a caller of the integrations endpoint brought
    process_id uuid not null references process,
    api_key_id uuid not null references credential on delete cascade,
    sealed     bytea not null,
    created_at timestamptz not null default clock_now(),
    primary key (process_id, api_key_id)
);

-- ------------------------------------------------------------------------------------------------ what the world is told
create table webhook (
    id           uuid primary key,
    number       bigint not null unique default nextval('number'),
    workspace_id uuid not null references workspace,
    process_id   uuid references process,          -- null: of every process of the workspace
    name         text not null default '',
    grammar      text not null,                    -- whose payloads and signatures it gets: a name of the composition root
    endpoint     text not null check (endpoint <> ''),
    events       text[] not null,                  -- kinds of event: run.completed, step_run.failed …
    messages     text[] not null default '{}',     -- names of its grammar's messages; none: all that its events have
    sealed       bytea not null,                   -- the secret that signs
    is_enabled   boolean not null default true,
    disabled_reason text not null default '',      -- why the room itself disabled it: its receiver said that it is gone for
                                                   -- good (410); empty: it did not
    created_by   uuid,
    created_at   timestamptz not null default clock_now(),
    deleted_at   timestamptz
);
create index webhook_of_workspace on webhook (workspace_id, id) where deleted_at is null;

create table notification (                        -- whom to tell when a run of a process ends
    id           uuid primary key,
    number       bigint not null unique default nextval('number'),
    workspace_id uuid not null references workspace,
    process_id   uuid not null references process,
    kind         text not null check (kind in ('email', 'chat')),
    events       text[] not null,
    recipients   text[] not null default '{}',     -- e-mail addresses
    sealed       bytea,                            -- the chat's address, which is a secret
    is_enabled   boolean not null default true,
    disabled_reason text not null default '',      -- as a webhook's
    created_at   timestamptz not null default clock_now(),
    deleted_at   timestamptz,
    check ((kind = 'chat') = (sealed is not null)),
    check ((kind = 'email') = (recipients <> '{}'))
);
create index notification_of_process on notification (process_id, id) where deleted_at is null;

-- A grammar may have several messages of one event, each by its name: a receiver gets each of them once.
create table delivery (
    id              uuid primary key,
    number          bigint not null default nextval('number'),
    workspace_id    uuid not null references workspace,
    kind            text not null check (kind in ('webhook', 'callback', 'chat', 'email', 'provisioner')),
    subscription_id uuid not null,                 -- the webhook, run (callback), notification or provisioner
    told_event_id   bigint,                        -- null: a test, or a request that no event stands behind
    event_kind      text not null,
    process_id      uuid,
    run_id          uuid,
    step_run_id     uuid,
    message_id      uuid not null,                 -- the same for every delivery of one event: receivers know repeats by it
    message_name    text not null default '',      -- empty: the only one that its grammar has of the event
    grammar         text not null,
    destination     text not null,                 -- scheme, host and port, or the mail system: sent to side by side in turn
    endpoint        text not null default '',
    sealed          bytea,                         -- the secret, or the whole address where that is one
    sealed_headers  bytea,                         -- that a callback asks for
    body            bytea not null,
    state           text not null default 'pending' check (state in ('pending', 'delivered', 'failed')),
    attempts        int not null default 0,
    due             timestamptz not null default clock_now(),
    give_up_at      timestamptz not null,
    attempted_at    timestamptz,
    last_status     int,
    last_answer     text not null default '',
    last_error      text not null default '',
    created_at      timestamptz not null default clock_now(),
    ended_at        timestamptz,
    check ((state = 'pending') = (ended_at is null))
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);
create unique index delivery_number on delivery (number);
create unique index delivery_told_once on delivery (told_event_id, subscription_id, message_name);
create index delivery_due on delivery (destination, due) where state = 'pending';
create index delivery_of_subscription on delivery (subscription_id, id);
create index delivery_ended on delivery (ended_at) where state <> 'pending';

-- ------------------------------------------------------------------------------------------------ assistants
-- Tasks that people run on their own machines, and what is known of such runs.
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
