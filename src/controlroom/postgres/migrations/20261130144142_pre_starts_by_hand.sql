-- A time of a schedule that somebody has brought about by hand is an occurrence like others; this says who.
alter table schedule_occurrence add column fired_by uuid;      -- a user, or a credential; null: the time itself
