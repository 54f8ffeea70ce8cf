-- What items of a queue are made of, who may do what with a queue, and what is known of an item beside its payload.

create table item_model (                          -- a row of the organization: typed, numbered attributes of items
    id              uuid primary key,
    number          bigint not null unique default nextval('number'),
    organization_id uuid not null references organization,
    name            text not null check (name <> ''),
    created_by      uuid,
    created_at      timestamptz not null default clock_now()
);
create unique index item_model_name on item_model (organization_id, lower(name));
create index item_model_of_organization on item_model (organization_id, id);

create table item_attribute (
    id            uuid primary key,
    number        bigint not null unique default nextval('number'),
    item_model_id uuid not null references item_model on delete cascade,
    position      int  not null check (position >= 0),
    name          text not null check (name <> ''),
    kind          text not null check (kind in ('text', 'number', 'date')),
    unique (item_model_id, position),
    unique (item_model_id, name)
);

alter table queue
    add column description        text not null default '',
    add column item_model_id      uuid references item_model,
    add column retry              jsonb,                        -- RetryPolicy of its items, over that of the step; null: the step's
    add column refuses_duplicates boolean not null default false,
    add column shown              text[] not null default '{}', -- attributes that lists of its items show, col1 to col10
    add column ordering           jsonb not null default '[]',  -- attributes by which items are taken, of one priority; []: as they came
    add column notes              jsonb not null default '{}',  -- what people keep of it, and nothing reads
    add column is_draft           boolean not null default false, -- it is being made: it takes no items yet
    add column revision           int not null default 0,       -- raised by each change
    add column created_by         uuid,
    add column updated_by         uuid,
    add column updated_at         timestamptz not null default clock_now();
create index queue_of_item_model on queue (item_model_id) where item_model_id is not null;

create table queue_grant (                         -- what a role's holders, or a user, may do with one queue
    queue_id   uuid not null references queue on delete cascade,
    role_id    uuid references role on delete cascade,
    user_id    uuid references app_user,
    rights     text[] not null check (rights <> '{}' and rights <@ '{see,add,manage,own}'),
    created_by uuid,
    created_at timestamptz not null default clock_now(),
    check (num_nonnulls(role_id, user_id) = 1)
);
create unique index queue_grant_once on queue_grant (queue_id, role_id, user_id) nulls not distinct;
create index queue_grant_of_role on queue_grant (role_id) where role_id is not null;
create index queue_grant_of_user on queue_grant (user_id) where user_id is not null;

alter table queue_consumer
    add column name        text not null default '',
    add column description text not null default '',
    add column run_as      uuid[] not null default '{}',        -- users in turn, one run each at a time; {}: the placement's
    add column label       text,                                -- the version of the package that bears it is run
    add column notes       jsonb not null default '{}',
    add column revision    int not null default 0,
    add column updated_by  uuid,
    add column updated_at  timestamptz not null default clock_now(),
    add column resumed_by  uuid,                                -- who let it work
    add column resumed_at  timestamptz;                         -- null: never

alter table work_item
    add column revision   int not null default 0,               -- raised by each change that somebody makes
    add column result     text not null default '',
    add column comment    text not null default '',
    add column digest     bytea,                                -- of its payload, in a queue that refuses duplicates
    add column created_by uuid,
    add column updated_by uuid,
    add column updated_at timestamptz;

create table queue_job (                           -- what takes its time: a table put into a queue, an export, an import
    id              uuid primary key,
    number          bigint not null unique default nextval('number'),
    organization_id uuid not null references organization,
    workspace_id    uuid references workspace,     -- null: of several queues
    queue_id        uuid references queue,
    kind            text not null check (kind in ('load', 'item_export', 'queue_export', 'queue_import')),
    state           text not null default 'waiting' check (state in ('waiting', 'in_progress', 'completed', 'failed')),
    name            text not null default '',      -- of the file
    request         jsonb not null default '{}',
    sealed          bytea,                         -- the password of an archive
    hash            text,                          -- the file that came, or was made
    size            bigint,
    rows_read       bigint not null default 0,     -- of the file: from there on it goes on
    rows_put        bigint not null default 0,
    rows_refused    bigint not null default 0,     -- put in with a fault, or left out as there already
    error           text not null default '',
    created_by      uuid,
    created_at      timestamptz not null default clock_now(),
    started_at      timestamptz,
    ended_at        timestamptz,
    check ((state in ('completed', 'failed')) = (ended_at is not null))
);
create index queue_job_open on queue_job (id) where state in ('waiting', 'in_progress');
create index queue_job_of_queue on queue_job (queue_id, id) where queue_id is not null;
create index queue_job_by_hash on queue_job (hash) where hash is not null;
