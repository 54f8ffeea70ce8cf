-- no transaction
-- Step runs of tasks over a whole organization: by user, by worker, by their end and by the names of their runs. What has no user,
-- no worker or no name pays nothing.
set lock_timeout = '1h';

drop index concurrently if exists step_run_alone;
create unique index concurrently step_run_alone on step_run (run_as) where state = 'in_progress' and is_alone;

drop index concurrently if exists step_run_of_user;
create index concurrently step_run_of_user on step_run (run_as, id) where run_as is not null;

drop index concurrently if exists step_run_of_worker;
create index concurrently step_run_of_worker on step_run (worker_id, id) where worker_id is not null;

drop index concurrently if exists step_run_by_end;
create index concurrently step_run_by_end on step_run (workspace_id, ended_at, id) where state <> 'withdrawn';

drop index concurrently if exists step_run_failed;
create index concurrently step_run_failed on step_run (workspace_id, id) where state = 'failed';

drop index concurrently if exists run_by_name;
create index concurrently run_by_name on run (workspace_id, (parameters ->> 'name')) where parameters ->> 'name' is not null;

set lock_timeout = '2s';
