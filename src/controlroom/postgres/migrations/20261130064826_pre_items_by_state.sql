-- no transaction
-- Lists of items by state, and failed ones by their failure, over millions that are done. One that waits, works or is done
-- pays for one entry each time that it changes its state; one that fails for another one, and for a third until its
-- failure is told.
set lock_timeout = '1h';

drop index concurrently if exists work_item_by_state;
create index concurrently work_item_by_state on work_item (workspace_id, state, id)
    where state not in ('draft', 'deleted') and queue_id is not null;

drop index concurrently if exists work_item_failure;
create index concurrently work_item_failure on work_item (workspace_id, failure, state_at, id)
    where state = 'failed' and queue_id is not null;

drop index concurrently if exists work_item_untold;
create index concurrently work_item_untold on work_item (id) where state = 'failed' and failure is null;

set lock_timeout = '2s';
