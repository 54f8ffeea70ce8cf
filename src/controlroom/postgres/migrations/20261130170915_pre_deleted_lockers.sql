-- What a locker was that was deleted, for as long as that can be taken back (an hour): the locker itself is gone at once, so that
-- nothing that reads secrets need mind it.
create table deleted_locker (
    locker_id       uuid primary key,              -- as it was, and is again
    locker_number   bigint not null unique,
    organization_id uuid not null references organization,
    name            text not null,
    description     text not null,
    revision        bigint not null,
    created_by      uuid,
    created_at      timestamptz not null,
    members         jsonb not null,                -- [{"user_id", "rights"}]
    consumers       uuid[] not null,               -- roles
    secrets         jsonb not null,                -- [{"id", "revision"}]: those that were in it, as they were then
    deleted_at      timestamptz not null default clock_now()
);
create index deleted_locker_of_organization on deleted_locker (organization_id, deleted_at);
