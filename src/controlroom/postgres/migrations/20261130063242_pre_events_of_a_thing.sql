-- no transaction
-- Who has changed a thing last, and how, is asked of its own events. Those of runs, step runs and items are not
-- among them, nor is it a change that a robot was given a value.
set lock_timeout = '1h';

drop index concurrently if exists event_of_subject;
create index concurrently event_of_subject on event (subject_id, at, id)
    where subject_id is not null and work_item_id is null
          and kind not in ('secret.read', 'shared_secret.value_given');

set lock_timeout = '2s';
