-- no transaction
-- Why so few states: what waits, runs or is done changes in each claim and release, which pay nothing for this index.
set lock_timeout = '1h';

drop index concurrently if exists work_item_aside_of_process;
create index concurrently work_item_aside_of_process on work_item (workspace_id, process_id, state, id)
    where state in ('failed', 'invalid', 'held') and queue_id is not null and process_id is not null;

set lock_timeout = '2s';
