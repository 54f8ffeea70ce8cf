-- How many runs a job or a target has, or how many of them failed, is counted in the index alone: it tells the workspace and
-- the stage, too. Without these each of the counted rows was fetched, which lie as far apart as there are jobs.
set lock_timeout = '1h';
create index project_run_counted_of_job on project_run (process_id, run_number) include (workspace_id, stage);
create index project_run_counted_of_target on project_run (target_id, run_number) include (workspace_id, stage);
drop index project_run_of_job;
drop index project_run_of_target;
alter index project_run_counted_of_job rename to project_run_of_job;
alter index project_run_counted_of_target rename to project_run_of_target;
