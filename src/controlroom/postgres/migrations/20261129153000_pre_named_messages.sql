-- A grammar may have several messages of one event, each by its name: a receiver gets each of them once. A callback may ask for
-- headers of its own, and a webhook for some of its grammar's messages.
alter table delivery
    add column message_name   text not null default '',    -- empty: the only one that its grammar has of the event
    add column sealed_headers bytea;
alter table webhook add column messages text[] not null default '{}';  -- names; none: all that its events have

-- Whose words a callback is told in is said by whoever makes it; those of before are all of one dialect.
update run set parameters = jsonb_set(parameters, '{callback,grammar}', '"robocorp"')
 where jsonb_typeof(parameters -> 'callback') = 'object' and not parameters -> 'callback' ? 'grammar';
