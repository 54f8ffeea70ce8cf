-- A task is deployed for users: for each of them one item and one step run, which only one at a time works for the user.
-- A user has a default worker. Old servers make no such step runs, and claim those of new ones as any others: a user's second one
-- then fails to be claimed until the first has ended.

alter table app_user add column default_worker_id uuid references worker;
alter table step_run add column is_alone boolean not null default false; -- its user runs one such at a time

-- A worker group tells what it is for and how those that share it take turns, and whom it is open to; one that says nothing of that is
-- open to all who may start runs.
alter table worker_group add column description text not null default '';
alter table worker_group add column scheme text not null default 'priority' check (scheme in ('priority', 'round_robin'));
alter table worker_group add column time_slice jsonb;                    -- TimeSlice of workers/group_rights.py; null: none was said
alter table worker_group add column created_by uuid;
alter table worker_group add column updated_by uuid;
alter table worker_group add column updated_at timestamptz not null default clock_now();

create table worker_group_right (
    worker_group_id uuid not null references worker_group,
    user_id         uuid references app_user,                            -- owns it: changes it, and runs on it
    role_id         uuid references role on delete cascade,              -- its holders run on it
    check (num_nonnulls(user_id, role_id) = 1),
    unique nulls not distinct (worker_group_id, user_id, role_id)
);
