-- Code analysis: what a worker finds in the code of a package, and which of it the policy of a workspace minds.

create table code_policy (
    id              uuid primary key,
    number          bigint not null unique default nextval('number'),
    organization_id uuid not null references organization,
    name            text not null check (name <> ''),
    rules           text[] not null check (cardinality(rules) > 0),  -- named by code, or by how several begin
    high            text[] not null default '{}',   -- which findings are how bad; all others are low
    critical        text[] not null default '{}',
    refuses         text check (refuses in ('low', 'high', 'critical')),  -- what is so bad is not taken; null: all is
    created_at      timestamptz not null default clock_now(),
    created_by      uuid,
    updated_at      timestamptz not null default clock_now()
);
create unique index code_policy_name on code_policy (organization_id, lower(name));

alter table workspace add column code_policy_id uuid references code_policy;  -- null: the usual one

create table code_analysis (
    id             uuid primary key,
    number         bigint not null unique default nextval('number'),
    workspace_id   uuid not null references workspace,
    package_name   text not null,
    package_hash   text not null,                  -- of a zip, which need not be anybody's version yet
    package_size   bigint not null,
    package_folder text,
    policy         jsonb not null,                 -- the rules as they were
    state          text not null default 'waiting' check (state in ('waiting', 'claimed', 'done', 'failed')),
    attempt        int not null default 0,
    worker_id      uuid,
    leased_until   timestamptz,
    findings       jsonb not null default '[]',
    message        text not null default '',
    asked_at       timestamptz not null default clock_now(),
    asked_by       uuid,
    ended_at       timestamptz,
    check ((state = 'claimed') = (leased_until is not null)),
    check ((state in ('done', 'failed')) = (ended_at is not null))
);
create index code_analysis_waiting on code_analysis (workspace_id, asked_at) where state in ('waiting', 'claimed');
create index code_analysis_of_content on code_analysis (workspace_id, package_hash);
create index code_analysis_by_age on code_analysis (workspace_id, asked_at);
