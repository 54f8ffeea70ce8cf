-- Which failure an item has in common with others, what a payload was before somebody edited it, and operations on all
-- items that a filter finds, done by a loop.
alter table work_item add column failure text;     -- fingerprint of the group; null until it is told, and once it is retried

create table work_item_edit (                      -- a payload as an attempt left it, kept when somebody edits it
    work_item_id uuid        not null references work_item on delete cascade,
    attempt      int         not null,
    payload      jsonb,
    at           timestamptz not null default clock_now(),
    primary key (work_item_id, attempt)
);

create table item_job (                            -- one operation on all items that a filter finds
    id           uuid        primary key,
    number       bigint      not null unique default nextval('number'),
    workspace_id uuid        not null references workspace,
    operation    text        not null,
    filter       jsonb       not null,             -- as `lists/kept.py` writes it
    said         text        not null default '',  -- the filter, as people say it
    state        text        not null default 'waiting'
                 check (state in ('waiting', 'in_progress', 'completed', 'stopped', 'failed')),
    matched      bigint      not null,             -- by the filter, when it was asked for
    fit          bigint      not null,             -- of those, how many it could be done to
    touched      bigint      not null default 0,
    position     uuid,                             -- the last item that was looked at
    error        text        not null default '',
    asked_by     text        not null,             -- kind and id of the actor, as events have them
    asked_by_id  uuid,
    created_at   timestamptz not null default clock_now(),
    ended_at     timestamptz,
    check ((state in ('completed', 'stopped', 'failed')) = (ended_at is not null))
);
create index item_job_open on item_job (id) where state in ('waiting', 'in_progress');
create index item_job_of_workspace on item_job (workspace_id, id);
