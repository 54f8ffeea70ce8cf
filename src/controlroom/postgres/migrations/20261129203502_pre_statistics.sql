-- Figures: what ended, by the hour in which it began; failures by their cause; queues by the hour; uses by the day. They
-- keep themselves behind the record of events, with a cursor of their own, and can be made anew from it: the rows of a
-- new generation are written beside those that are read, and the readers go over to it in one commit.

create table statistics_state (                    -- one row
    is_it      boolean primary key default true check (is_it),
    generation int not null default 1,             -- the one that is read
    rebuilding int,                                -- the one that is being made anew
    queues_at  timestamptz                         -- until when arrivals in queues are counted
);
create table statistics_floor (                    -- hours before these are taken over when figures are made anew
    workspace_id uuid primary key references workspace,
    hour         timestamptz not null
);

create table hourly_figure (
    generation   int         not null,
    workspace_id uuid        not null references workspace,
    noun         text        not null check (noun in ('run', 'step_run', 'work_item')),
    hour         timestamptz not null,             -- in which runs and step runs began, and items were released
    process_id   uuid,
    step_id      uuid,
    task_id      uuid,
    worker_id    uuid,
    user_id      uuid,                             -- as whom it ran, else who started it
    result       text        not null,
    cause        text        not null,             -- what started the run; of an item that failed, the kind of exception
    count        bigint      not null,
    milliseconds bigint      not null,
    longest      bigint      not null,             -- milliseconds, too
    longest_id   uuid,                             -- which one took so long
    latest_at    timestamptz not null,
    latest_id    uuid,                             -- which one ended last
    unique nulls not distinct (generation, workspace_id, noun, hour, process_id, step_id, task_id, worker_id, user_id,
                               result, cause)
);
create table unresolved_figure (                   -- what was counted of a run that may go on
    generation   int    not null,
    run_id       uuid   not null references run on delete cascade,
    workspace_id uuid   not null references workspace,
    hour         timestamptz not null,
    process_id   uuid   not null,
    user_id      uuid,
    result       text   not null,
    cause        text   not null,
    milliseconds bigint not null,
    primary key (run_id, generation)
);

create table failure_group (                       -- failures that differ in nothing but numbers, names and times
    generation   int         not null,
    workspace_id uuid        not null references workspace,
    fingerprint  text        not null,
    noun         text        not null check (noun in ('step_run', 'work_item')),
    process_id   uuid,
    type         text        not null,             -- the kind of exception of an item; '' for step runs
    code         text        not null,
    pattern      text        not null,             -- the message without its variable parts
    message      text        not null,             -- as it was said last
    count        bigint      not null,
    first_at     timestamptz not null,
    last_at      timestamptz not null,
    last_id      uuid        not null,             -- the step run or item that failed last
    primary key (generation, workspace_id, fingerprint)
);
create index failure_group_by_time on failure_group (generation, workspace_id, last_at desc, fingerprint);
create table failure_hour (
    generation   int         not null,
    workspace_id uuid        not null references workspace,
    fingerprint  text        not null,
    hour         timestamptz not null,
    count        bigint      not null,
    primary key (generation, workspace_id, fingerprint, hour)
);

create table queue_hour (
    workspace_id uuid        not null references workspace,
    queue_id     uuid        not null,
    hour         timestamptz not null,
    depth        bigint      not null,             -- how many items waited when it was looked at last
    deepest      bigint      not null,
    arrived      bigint      not null,
    gone         bigint      not null,             -- arrived, less what the depth has grown by
    primary key (queue_id, hour)
);
create index queue_hour_of_workspace on queue_hour (workspace_id, hour);

create table day_of_use (
    organization_id uuid   not null references organization,
    workspace_id    uuid,                          -- where it was used; null: in the organization
    noun            text   not null check (noun in ('credential', 'secret', 'asset')),
    subject_id      uuid   not null,
    day             date   not null,
    permission      text   not null default '',    -- for which a credential was asked
    process_id      uuid,                          -- whose robot it was; null: a person or a program
    count           bigint not null,
    last_at         timestamptz not null default clock_now(),
    unique nulls not distinct (subject_id, day, permission, process_id, workspace_id)
);

-- What has happened until now is counted aside, as if somebody had asked to make the figures anew.
insert into event_cursor (reader, xid, id) values ('statistics', pg_current_xact_id(), 0), ('statistics anew', '0', 0);
insert into statistics_state (rebuilding) values (2);
