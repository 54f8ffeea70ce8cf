-- `told_event_id` has taken its place; its indexes go with it.
alter table delivery drop column event_id;
