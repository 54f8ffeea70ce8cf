-- A worker may be told to take nothing more: what it runs goes on, and it is no one that a placement waits for.
set lock_timeout = '1h';
alter table worker add column rests_since timestamptz;
