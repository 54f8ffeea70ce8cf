-- What a webhook has failed to bring is few of many: the overview asks for it of each.
create index delivery_failed on delivery (subscription_id, id) where state = 'failed';
