-- no transaction
-- Queues that refuse duplicates, and the runs that a consumer has opened. Both are small: what is of no such queue, and
-- what nothing but people has started, pays nothing.
set lock_timeout = '1h';

drop index concurrently if exists work_item_once;
create unique index concurrently work_item_once on work_item (queue_id, digest)
    where digest is not null and state <> 'deleted';
drop index concurrently if exists run_of_consumer;
create index concurrently run_of_consumer on run (started_by_id, id) where started_by = 'queue';

set lock_timeout = '2s';
