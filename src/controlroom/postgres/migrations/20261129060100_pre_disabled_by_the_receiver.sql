-- Why the room itself disabled a subscription: its receiver said that it is gone for good (410). Empty: it did not.
alter table webhook add column disabled_reason text not null default '';
alter table notification add column disabled_reason text not null default '';
