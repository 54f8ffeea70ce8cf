-- no transaction
-- Lists over all workspaces of an organization: of runs and step runs by start, of step runs by id, and of events.
-- Each index is built beside those who write; one that was left half-built by an interruption is dropped first. Building waits
-- for older transactions, and halts nobody meanwhile: it may wait for long.
set lock_timeout = '1h';

drop index concurrently if exists run_by_start;
create index concurrently run_by_start on run (workspace_id, started_at, id);

drop index concurrently if exists step_run_of_workspace;
create index concurrently step_run_of_workspace on step_run (workspace_id, id) where state <> 'withdrawn';

drop index concurrently if exists step_run_by_start;
create index concurrently step_run_by_start on step_run (workspace_id, started_at, id)
    where state <> 'withdrawn'; -- as the list says, which is thus answered by the index alone

drop index concurrently if exists event_of_organization;
create index concurrently event_of_organization on event (organization_id, at, id) where work_item_id is null;

set lock_timeout = '2s';
