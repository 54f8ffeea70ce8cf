-- Every noun that somebody can name has a number of the one sequence; these tables are small enough to be written anew.

-- An id of version 7 as it would have been made at a moment: for rows that were there, and for those that a release makes
-- which does not know of their ids. Programs make ids themselves.
create function uuid_made_at(moment timestamptz) returns uuid language sql volatile parallel safe as $$
    select (lpad(to_hex((extract(epoch from moment) * 1000)::bigint), 12, '0') || '7'
            || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid
$$;

alter table user_credential add column number bigint not null unique default nextval('number');

alter table email_trigger
    add column id     uuid   not null unique default uuid_made_at(clock_timestamp()),
    add column number bigint not null unique default nextval('number');
