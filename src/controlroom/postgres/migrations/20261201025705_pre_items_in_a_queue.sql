-- no transaction
-- Items of any queue, in their order: also of those that are inputs of steps. Who asked for a small queue of a large workspace
-- read all that the workspace had of a state.
set lock_timeout = '1h';

drop index concurrently if exists work_item_in_queue;
create index concurrently work_item_in_queue on work_item (queue_id, id) where queue_id is not null;
drop index concurrently if exists work_item_of_queue;

set lock_timeout = '2s';
