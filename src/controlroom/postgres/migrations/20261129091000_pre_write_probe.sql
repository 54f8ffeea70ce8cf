-- Each server writes here now and then: whether the database's disk takes anything is known before a caller finds out.
create table write_probe (
    server      uuid        primary key,
    filling     bytea       not null,
    written_at  timestamptz not null default clock_now()
);
alter table write_probe alter column filling set storage external; -- it shall take pages, not be compressed
