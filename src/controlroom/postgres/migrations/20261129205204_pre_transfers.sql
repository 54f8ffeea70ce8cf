-- Exports of bots and files to one archive, and imports of such: what was asked for, by whom, and what came of it.

create table transfer (
    id              uuid primary key,
    number          bigint not null unique default nextval('number'),
    organization_id uuid not null references organization,
    user_id         uuid not null references app_user,   -- who asked, and by whose rights it is done
    kind            text not null check (kind in ('export', 'import', 'promotion')),
    state           text not null default 'in_progress' check (state in ('in_progress', 'completed', 'failed')),
    name            text not null,
    wish            jsonb not null,                -- what is to be done, by ids
    sealed          bytea,                         -- the password of the archive, and a key of the other room
    hash            text,                          -- the archive; of an export once it is made
    size            bigint,
    reason          text not null default '',      -- why it failed
    done            int not null default 0,        -- files that were taken; of an import without those that were passed over
    attempts        int not null default 0,
    lease_id        uuid,                          -- which server's claim it is: who lost it changes nothing any more
    lease_until     timestamptz,
    created_at      timestamptz not null default clock_now(),
    ended_at        timestamptz,
    check ((state = 'in_progress') = (ended_at is null)),
    check (state <> 'completed' or kind <> 'export' or hash is not null)
);
create index transfer_open on transfer (id) where state = 'in_progress';
create index transfer_of_organization on transfer (organization_id, id);
create index transfer_by_hash on transfer (hash) where hash is not null;
create index transfer_ended on transfer (ended_at) where ended_at is not null;
