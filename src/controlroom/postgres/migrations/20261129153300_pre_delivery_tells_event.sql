-- The event that a delivery tells of, in place of `event_id`: the release before writes that one, and needs its constraint, by which
-- an event would have one message for a receiver. Both releases may write until the older one is gone; the reader's cursor sees to
-- it that no event is told by both.
alter table delivery add column told_event_id bigint;
