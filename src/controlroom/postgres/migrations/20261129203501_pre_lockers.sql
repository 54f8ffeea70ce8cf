-- Secrets of the organization, beside those of its workspaces: they have an owner, are shared by lockers, and are read by the
-- robots that run as somebody who owns or consumes them (decision 46).
create table locker (
    id              uuid primary key,
    number          bigint not null unique default nextval('number'),
    organization_id uuid not null references organization,
    name            text not null check (name <> ''),
    description     text not null default '',
    revision        bigint not null default 1,     -- raised by each update: who changes it says which one they saw
    created_by      uuid,                          -- a user; null: another credential. No key: it outlives accounts
    created_at      timestamptz not null default clock_now(),
    updated_by      uuid,
    updated_at      timestamptz not null default clock_now(),
    unique (organization_id, name)
);

create table locker_member (
    locker_id uuid   not null references locker on delete cascade,
    user_id   uuid   not null references app_user on delete cascade,
    rights    text[] not null check (cardinality(rights) > 0 and rights <@ '{participate,manage,own}'),
    primary key (locker_id, user_id)
);
create index locker_member_of_user on locker_member (user_id);

create table locker_consumer (                     -- whoever holds the role uses what is in the locker
    locker_id uuid not null references locker on delete cascade,
    role_id   uuid not null references role on delete cascade,
    primary key (locker_id, role_id)
);
create index locker_consumer_of_role on locker_consumer (role_id);

create table shared_secret (
    id              uuid primary key,
    number          bigint not null unique default nextval('number'),
    organization_id uuid not null references organization,
    name            text not null check (name <> ''),
    description     text not null default '',
    owner_id        uuid not null references app_user,
    locker_id       uuid references locker on delete set null,
    revision        bigint not null default 1,
    created_by      uuid,
    created_at      timestamptz not null default clock_now(),
    updated_by      uuid,
    updated_at      timestamptz not null default clock_now(),
    unique (organization_id, name)
);
create index shared_secret_of_owner on shared_secret (owner_id);
create index shared_secret_of_locker on shared_secret (locker_id) where locker_id is not null;

create table secret_attribute (
    id               uuid primary key,
    number           bigint not null unique default nextval('number'),
    shared_secret_id uuid not null references shared_secret on delete cascade,
    position         int  not null,
    name             text not null check (name <> ''),
    description      text not null default '',
    is_user_provided boolean not null,             -- each user gives a value of their own
    is_masked        boolean not null,             -- shown only to who asks for this one
    is_password      boolean not null,
    revision         bigint not null default 1,
    created_by       uuid,
    created_at       timestamptz not null default clock_now(),
    updated_by       uuid,
    updated_at       timestamptz not null default clock_now(),
    unique (shared_secret_id, name) deferrable initially deferred -- so that two can change their names
);

create table secret_value (
    id           uuid primary key,
    number       bigint not null unique default nextval('number'),
    attribute_id uuid not null references secret_attribute on delete cascade,
    user_id      uuid references app_user on delete cascade, -- whose it is; null: everybody's
    sealed       bytea not null,
    revision     bigint not null default 1,
    created_by   uuid,
    created_at   timestamptz not null default clock_now(),
    updated_by   uuid,
    updated_at   timestamptz not null default clock_now(),
    unique nulls not distinct (attribute_id, user_id)
);
create index secret_value_of_user on secret_value (user_id) where user_id is not null;

update role set permissions = permissions || '{secrets.own,lockers.govern}'
 where id = '00000000-0000-7000-8000-000000000001';
