-- no transaction
-- Items that are held in standing queues: a queue is deleted only when none is there. Few, so small; what is not held pays nothing.
set lock_timeout = '1h';

drop index concurrently if exists work_item_set_aside;
create index concurrently work_item_set_aside on work_item (queue_id)
    where state = 'held' and run_id is null and queue_id is not null;

set lock_timeout = '2s';
