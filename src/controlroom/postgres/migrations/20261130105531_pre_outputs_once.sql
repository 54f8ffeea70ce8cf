-- no transaction
-- An output is made once by its key. Small: only what robots put out by our own API has one.
set lock_timeout = '1h';

drop index concurrently if exists work_item_made_once;
create unique index concurrently work_item_made_once on work_item (created_by_step_run, robot_key)
    where robot_key is not null and state <> 'deleted';

set lock_timeout = '2s';
