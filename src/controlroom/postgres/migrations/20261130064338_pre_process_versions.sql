set lock_timeout = '2s';
-- What a process was after each change, so that a change can be shown as a difference and taken back.
create table process_version (
    process_id uuid        not null references process,
    version    int         not null check (version > 0),
    at         timestamptz not null,
    made_by    text        not null,               -- the name of whoever made it so; empty: it was there before versions were
    definition jsonb       not null,
    primary key (process_id, version)
);
