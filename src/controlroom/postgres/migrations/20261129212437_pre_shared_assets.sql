-- Assets of the organization: the robots of all its workspaces read them, people write them.
create table shared_asset (
    id              uuid primary key,
    number          bigint not null unique default nextval('number'),
    organization_id uuid not null references organization,
    name            text not null check (name <> ''),
    content_type    text not null,
    size            bigint not null,
    hash            text not null,
    created_at      timestamptz not null default clock_now(),
    updated_at      timestamptz not null default clock_now(),
    unique (organization_id, name)
);
create index shared_asset_by_hash on shared_asset (hash);
