-- no transaction
-- The failed items of a group, newest first, are read from their index in order; when the last one failed stands in it.
set lock_timeout = '1h';

drop index concurrently if exists work_item_of_failure;
create index concurrently work_item_of_failure on work_item (workspace_id, failure, id) include (state_at)
    where state = 'failed' and queue_id is not null;
drop index concurrently if exists work_item_failure;

set lock_timeout = '2s';
