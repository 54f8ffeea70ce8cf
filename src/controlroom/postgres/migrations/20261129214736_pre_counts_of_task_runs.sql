-- no transaction
-- How many step runs a user, a worker or a task has is counted from the index alone, as is how many have failed in which way.
set lock_timeout = '1h';

drop index concurrently if exists step_run_as_user;
create index concurrently step_run_as_user on step_run (run_as, workspace_id, id)
    where run_as is not null and state <> 'withdrawn';
drop index concurrently if exists step_run_of_user;

drop index concurrently if exists step_run_by_worker;
create index concurrently step_run_by_worker on step_run (worker_id, workspace_id, id)
    where worker_id is not null and state <> 'withdrawn';
drop index concurrently if exists step_run_of_worker;

drop index concurrently if exists step_run_of_step;
create index concurrently step_run_of_step on step_run (step_id, workspace_id, id) where state <> 'withdrawn';

drop index concurrently if exists step_run_failures;
create index concurrently step_run_failures on step_run (workspace_id, result, error_code, id) where state = 'failed';
drop index concurrently if exists step_run_failed;

set lock_timeout = '2s';
