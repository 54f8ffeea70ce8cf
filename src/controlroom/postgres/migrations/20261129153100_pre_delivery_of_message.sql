-- no transaction
drop index concurrently if exists delivery_of_message;
create unique index concurrently delivery_of_message on delivery (event_id, subscription_id, message_name);
