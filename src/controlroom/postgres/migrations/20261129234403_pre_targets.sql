-- Databases that commands work on, who logs in to them, what is worked on (targets), and variables by scope.
create table connection (                          -- of the organization
    id              uuid primary key,
    number          bigint not null unique default nextval('number'),
    organization_id uuid not null references organization,
    name            text not null check (name <> ''),
    kind            text not null check (kind in ('duckdb', 'postgres')),
    settings        jsonb not null,                -- Settings of connections/model.py: no secret is in them
    created_by      uuid references app_user,
    created_at      timestamptz not null default clock_now(),
    updated_at      timestamptz not null default clock_now(),
    deleted_at      timestamptz,
    check (settings ->> 'kind' = kind)
);
create index connection_of_organization on connection (organization_id, id);

create table connection_login (                    -- as whom a workspace uses a connection
    id           uuid primary key,
    number       bigint not null unique default nextval('number'),
    workspace_id uuid not null references workspace,
    kind         text not null check (kind in ('duckdb', 'postgres')),
    username     text not null default '',
    schema_name  text not null default '',
    threads      int check (threads between 1 and 1000),
    target_name  text not null default '',
    sealed       bytea,                            -- the password, encrypted; null: none
    created_at   timestamptz not null default clock_now(),
    updated_at   timestamptz not null default clock_now(),
    deleted_at   timestamptz
);
create index connection_login_of_workspace on connection_login (workspace_id, id);

create table connection_profile (                  -- a connection and who logs in to it, by a name
    id            uuid primary key,
    number        bigint not null unique default nextval('number'),
    workspace_id  uuid not null references workspace,
    key           text not null check (key <> ''),
    connection_id uuid not null references connection,
    login_id      uuid not null references connection_login,
    created_at    timestamptz not null default clock_now(),
    updated_at    timestamptz not null default clock_now(),
    deleted_at    timestamptz
);
create index connection_profile_of_workspace on connection_profile (workspace_id, id);
create unique index connection_profile_key on connection_profile (workspace_id, key) where deleted_at is null;
create index connection_profile_of_connection on connection_profile (connection_id) where deleted_at is null;
create index connection_profile_of_login on connection_profile (login_id) where deleted_at is null;

create table extended_attributes (                 -- what is put over a connection's settings
    id           uuid primary key,
    number       bigint not null unique default nextval('number'),
    workspace_id uuid not null references workspace,
    attributes   jsonb not null,                   -- with a mask in place of each secret
    sealed       bytea,                            -- all of it, encrypted, where there is a secret in it
    created_at   timestamptz not null default clock_now(),
    updated_at   timestamptz not null default clock_now(),
    deleted_at   timestamptz
);
create index extended_attributes_of_workspace on extended_attributes (workspace_id, id);

create table connection_file (                     -- versions of the file that a connection's database is
    connection_id uuid not null references connection,
    version       bigint,                          -- null: brought by a step run that has not ended
    hash          text not null,
    size          bigint not null check (size >= 0),
    run_id        uuid not null,
    step_run_id   uuid not null,
    attempt       int not null,
    created_at    timestamptz not null default clock_now()
);
create unique index connection_file_version on connection_file (connection_id, version);
create unique index connection_file_brought on connection_file (step_run_id, attempt, connection_id);
create index connection_file_by_hash on connection_file (hash);

create table target (                              -- what a workspace's commands work on, and how
    id                     uuid primary key,
    number                 bigint not null unique default nextval('number'),
    workspace_id           uuid not null references workspace,
    name                   text not null check (name <> ''),
    kind                   text not null check (kind in ('development', 'deployment')),
    purpose                text check (purpose in ('production', 'staging')),
    connection_id          uuid references connection,
    login_id               uuid references connection_login,
    profile_id             uuid references connection_profile,
    extended_attributes_id uuid references extended_attributes,
    branch                 text,
    uses_branch            boolean not null default false,
    tool_version           text,                   -- null: the one that the room has
    subdirectory           text,
    kept                   jsonb not null default '{}', -- what a grammar keeps beside, without effect
    created_by             uuid references app_user,
    created_at             timestamptz not null default clock_now(),
    updated_at             timestamptz not null default clock_now(),
    deleted_at             timestamptz
);
create index target_of_workspace on target (workspace_id, id);
create unique index target_name on target (workspace_id, name) where deleted_at is null;
create index target_of_connection on target (connection_id) where deleted_at is null;

create table variable (                            -- of a workspace, and perhaps of one target, process or user in it
    id           uuid primary key,
    number       bigint not null unique default nextval('number'),
    workspace_id uuid not null references workspace,
    target_id    uuid references target,
    process_id   uuid references process,
    user_id      uuid references app_user,
    name         text not null check (name <> ''),
    value        text,
    sealed       bytea,                            -- of a secret one
    created_at   timestamptz not null default clock_now(),
    updated_at   timestamptz not null default clock_now(),
    check (num_nonnulls(target_id, process_id, user_id) <= 1),
    check (num_nonnulls(value, sealed) = 1)
);
create unique index variable_once on variable (workspace_id, name, target_id, process_id, user_id) nulls not distinct;

update role set permissions = permissions || '{connections.read,connections.write}'
 where id = '00000000-0000-7000-8000-000000000001';
update role set permissions = permissions || '{targets.read,targets.write,variables.read,variables.write}'
 where id = '00000000-0000-7000-8000-000000000003';
update role set permissions = permissions || '{targets.read,variables.read}'
 where id = '00000000-0000-7000-8000-000000000004';
