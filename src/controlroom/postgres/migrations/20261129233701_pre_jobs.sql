-- A job is a process of a project: one step of commands, against a target.
create table job (
    process_id   uuid primary key references process,
    workspace_id uuid not null references workspace,
    target_id    uuid not null,
    kind         text not null check (kind in ('ci', 'merge', 'scheduled', 'other')),
    description  text not null default '',
    settings     jsonb not null default '{}',      -- JobSettings of jobs/model.py
    asides       jsonb not null default '{}',      -- by grammar: what means nothing here, as it was given
    schedule_id  uuid references schedule,         -- by which it is due; null: it has never been
    chain_id     uuid references chain,            -- by which another job's end starts it
    created_by   uuid,
    updated_at   timestamptz not null default clock_now()
);
create index job_of_workspace on job (workspace_id, process_id);
create index job_of_target on job (target_id);
