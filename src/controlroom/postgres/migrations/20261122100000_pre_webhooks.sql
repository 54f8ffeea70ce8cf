-- What the room tells the world by itself: webhooks, notifications, provisioners, and the deliveries of all of them.

create table webhook (
    id           uuid primary key,
    number       bigint not null unique default nextval('number'),
    workspace_id uuid not null references workspace,
    process_id   uuid references process,          -- null: of every process of the workspace
    name         text not null default '',
    grammar      text not null,                    -- whose payloads and signatures it gets: a name of the composition root
    endpoint     text not null check (endpoint <> ''),
    events       text[] not null,                  -- kinds of event: run.completed, step_run.failed …
    sealed       bytea not null,                   -- the secret that signs
    is_enabled   boolean not null default true,
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
    created_at   timestamptz not null default clock_now(),
    deleted_at   timestamptz,
    check ((kind = 'chat') = (sealed is not null)),
    check ((kind = 'email') = (recipients <> '{}'))
);
create index notification_of_process on notification (process_id, id) where deleted_at is null;

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
create index step_run_to_provide on step_run (id) where state = 'new';

create table delivery (
    id              uuid primary key,
    workspace_id    uuid not null references workspace,
    kind            text not null check (kind in ('webhook', 'callback', 'chat', 'email', 'provisioner')),
    subscription_id uuid not null,                 -- the webhook, run (callback), notification or provisioner
    event_id        bigint,                        -- null: a test, or a request that no event stands behind
    event_kind      text not null,
    process_id      uuid,
    run_id          uuid,
    step_run_id     uuid,
    message_id      uuid not null,                 -- the same for every delivery of one event: receivers know repeats by it
    grammar         text not null,
    destination     text not null,                 -- scheme, host and port, or the mail system: sent to side by side in turn
    endpoint        text not null default '',
    sealed          bytea,                         -- the secret, or the whole address where that is one
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
    unique (event_id, subscription_id),
    check ((state = 'pending') = (ended_at is null))
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);
create index delivery_due on delivery (destination, due) where state = 'pending';
create index delivery_of_subscription on delivery (subscription_id, id);
create index delivery_ended on delivery (ended_at) where state <> 'pending';

-- Deliveries begin with what happens after this release has come; what ran before it is nobody's news.
insert into event_cursor (reader, xid, id) values ('deliveries', pg_snapshot_xmin(pg_current_snapshot()), 0);
