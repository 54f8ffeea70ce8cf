-- no transaction
-- The failed items of a process are grouped by their causes from the index alone, with when the last of each failed.
set lock_timeout = '1h';

drop index concurrently if exists work_item_aside_of_process;
create index concurrently work_item_aside_of_process on work_item (workspace_id, process_id, state, id)
    include (failure, state_at)
    where state in ('failed', 'invalid', 'held') and queue_id is not null and process_id is not null;

set lock_timeout = '2s';
