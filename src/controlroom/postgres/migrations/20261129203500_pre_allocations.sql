-- Tasks that are kept ready to be called, and who has the triggers of which tasks.

create table allocation (                          -- one a task
    id           uuid primary key,
    number       bigint not null unique default nextval('number'),
    workspace_id uuid not null references workspace,
    task_id      uuid not null references task,
    run_as       uuid references app_user on delete set null, -- null: as nobody in particular
    most         int not null check (most between 1 and 1000), -- calls that run at once: the capacity of a lock
    created_by   uuid,
    created_at   timestamptz not null default clock_now(),
    updated_at   timestamptz not null default clock_now(),
    deleted_at   timestamptz
);
create unique index allocation_of_task on allocation (task_id) where deleted_at is null;
create index allocation_of_workspace on allocation (workspace_id, id) where deleted_at is null;

create table trigger_mapping (                     -- kept and told: nothing fires them
    id           uuid primary key,
    number       bigint not null unique default nextval('number'),
    workspace_id uuid not null references workspace,
    task_id      uuid not null references task,
    label        text,                             -- of the version; null: the latest
    user_id      uuid references app_user on delete cascade,
    role_id      uuid references role on delete cascade,
    updated_by   uuid,
    updated_at   timestamptz not null default clock_now(),
    check (num_nonnulls(user_id, role_id) = 1),
    unique nulls not distinct (task_id, user_id, role_id)
);
create index trigger_mapping_of_workspace on trigger_mapping (workspace_id, id);
