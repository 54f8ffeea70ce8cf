-- A step may work on the file of a connection, as runs of projects do: its step runs get it and bring the next version.
set lock_timeout = '1h';
alter table step add column database_id uuid references connection;
create index step_on_database on step (database_id) where database_id is not null;
