-- no transaction
-- What a run's end is decided by, in one index in place of three: what is in hand or held, what has failed, what is refused.
-- Each index is asked by every claim and release whether it is concerned.
set lock_timeout = '1h';

drop index concurrently if exists work_item_unsettled;
create index concurrently work_item_unsettled on work_item (run_id, state, id)
    where state in ('in_progress', 'held', 'failed', 'invalid') and run_id is not null;
drop index concurrently if exists work_item_open;
drop index concurrently if exists work_item_unresolved;
drop index concurrently if exists work_item_refused;

set lock_timeout = '2s';
