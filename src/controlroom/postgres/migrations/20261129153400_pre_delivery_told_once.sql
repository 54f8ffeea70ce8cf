-- no transaction
drop index concurrently if exists delivery_told_once;
create unique index concurrently delivery_told_once on delivery (told_event_id, subscription_id, message_name);
