-- Connections to models that answer prompts: how a provider is shown who asks (the key is a value of a shared secret), and its models.
create table model_provider (
    id              uuid primary key,
    number          bigint not null unique default nextval('number'),
    organization_id uuid not null references organization,
    name            text not null check (name <> ''),
    description     text not null default '',
    auth            jsonb not null,                -- Auth of model_connections/model.py
    key_id          uuid references secret_attribute on delete set null,
    created_by      uuid,
    created_at      timestamptz not null default clock_now(),
    unique (organization_id, name)
);

create table model_connection (
    id          uuid primary key,
    number      bigint not null unique default nextval('number'),
    provider_id uuid not null references model_provider on delete cascade,
    name        text not null check (name <> ''),
    definition  jsonb not null,                    -- ModelDefinition
    revision    bigint not null default 1,
    created_at  timestamptz not null default clock_now(),
    updated_at  timestamptz not null default clock_now(),
    unique (provider_id, name)
);

update role set permissions = permissions || '{models.read,models.write}'
 where id = '00000000-0000-7000-8000-000000000001';
