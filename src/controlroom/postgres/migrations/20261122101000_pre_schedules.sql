-- What makes the room begin by itself: schedules, chains and queue consumers; and what ends: deadlines, retention.

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
    created_by   uuid,
    created_at   timestamptz not null default clock_now(),
    deleted_at   timestamptz,
    check (next_due is null or is_enabled)
);
create index schedule_of_workspace on schedule (workspace_id, id) where deleted_at is null;
create index schedule_of_process on schedule (process_id, id) where deleted_at is null;
create index schedule_due on schedule (next_due) where next_due is not null and deleted_at is null;

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
create index run_open_of_starter on run (started_by_id)
    where started_by_id is not null and started_by in ('schedule', 'queue') and state in ('new', 'in_progress', 'stopping');

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

-- ------------------------------------------------------------------------------------------------ queues
alter table queue add column is_standing boolean not null default false;
create unique index queue_name on queue (workspace_id, name) where is_standing and deleted_at is null;
create index queue_of_workspace on queue (workspace_id, id) where is_standing and deleted_at is null;
create index work_item_of_queue on work_item (queue_id, id) where process_id is null;

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

-- ------------------------------------------------------------------------------------------------ work items
alter table work_item add column fault text;       -- why its queue's schema refuses its payload
create index work_item_refused on work_item (run_id) where state = 'invalid' and run_id is not null;
create index work_item_deadline on work_item (deadline) where deadline is not null and state in ('new', 'pending', 'held');
create index work_item_stray on work_item (workspace_id, state_at)
    where run_id is null and state in ('done', 'failed', 'invalid', 'deleted');

-- ------------------------------------------------------------------------------------------------ retention
alter table run add column console_pruned_at timestamptz;
alter table run add column artifacts_pruned_at timestamptz;
create index work_item_file_by_hash on work_item_file (hash);
create index artifact_by_hash on artifact (hash);
create index console_archive_by_hash on console_archive (hash);
create index asset_by_hash on asset (hash) where hash is not null;

-- ------------------------------------------------------------------------------------------------ masks
-- What a step run has read of the vault does not show in its console. Sealed; gone with the console's compaction.
create table secret_mask (
    step_run_id uuid  not null,
    secret_id   uuid  not null,
    sealed      bytea not null,
    primary key (step_run_id, secret_id)
);
alter table step_run add column mask_count int not null default 0; -- raised with every reading

-- Chains begin with what ends after this release has come.
insert into event_cursor (reader, xid, id) values ('chains', pg_snapshot_xmin(pg_current_snapshot()), 0);

-- Before every id of version 7 that is made from a moment on: what is older is found by its id.
create function uuid_before(moment timestamptz) returns uuid language sql immutable parallel safe as $$
    select (lpad(to_hex(greatest((extract(epoch from moment) * 1000)::bigint, 0)), 12, '0') || '70008000000000000000')::uuid
$$;
