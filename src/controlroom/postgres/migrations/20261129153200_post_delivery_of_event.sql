-- `delivery_of_message` has taken its place. A server of the release before that still runs cannot write deliveries of events any
-- more: it undoes what it read of them, and one of this release reads them in its stead.
alter table delivery drop constraint delivery_event_id_subscription_id_key;
