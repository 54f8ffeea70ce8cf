-- Names that a run holds until it ends (decision 40). A name belongs to a workspace, or to its organization: `owner_id` is the one
-- or the other.
create sequence run_lock_ticket as bigint;

create table run_lock (                            -- names with a capacity; a workspace's need no row and then have 1
    owner_id        uuid not null,
    name            text collate "C" not null check (name <> ''),
    organization_id uuid not null references organization,
    capacity        int  not null check (capacity between 1 and 10000),
    created_at      timestamptz not null default clock_now(),
    primary key (owner_id, name)
);

create table run_lock_claim (                      -- what open runs hold and wait for; gone when the run ends
    run_id       uuid not null references run,
    workspace_id uuid not null references workspace,
    owner_id     uuid not null,
    name         text collate "C" not null,
    ticket       bigint not null,                  -- whoever has the lower one is older; one a run and asking
    asked_at     timestamptz not null default clock_now(),
    held_at      timestamptz,                      -- null: waits
    primary key (run_id, owner_id, name)
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
create index run_lock_line on run_lock_claim (owner_id, name, ticket) where held_at is null;
create index run_lock_held on run_lock_claim (owner_id, name, ticket) where held_at is not null;

alter table process add column locks jsonb not null default '[]';   -- LockName of locks/model.py
alter table run add column lock_state text                          -- null: it wants none
    check (lock_state in ('waiting', 'held', 'released'));
