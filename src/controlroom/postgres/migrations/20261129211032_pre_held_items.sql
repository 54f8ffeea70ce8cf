-- no transaction
-- What waits for people, over a whole organization. Only what is held pays for it.
set lock_timeout = '1h';

drop index concurrently if exists work_item_held;
create index concurrently work_item_held on work_item (workspace_id, id) where state = 'held' and run_id is not null;

set lock_timeout = '2s';
