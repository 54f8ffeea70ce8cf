-- When a leader first saw that a schedule was due, and since when one has been looking without a gap: lateness is judged by
-- this, not by when the room finds the time to start a run.
alter table schedule add column noticed_at timestamptz; -- of next_due; null: nobody has seen it due
create index schedule_unnoticed on schedule (next_due)
    where noticed_at is null and next_due is not null and deleted_at is null;

create table schedule_watch (
    is_only     boolean     primary key default true check (is_only),
    since       timestamptz not null,
    until       timestamptz not null
);
