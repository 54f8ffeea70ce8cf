-- Uses are counted of every kind of credential; what went through queues can be counted anew.
-- Why `not valid`: rows of the kinds before are right already, and nothing waits for their being looked through.
alter table day_of_use drop constraint day_of_use_noun_check;
alter table day_of_use add constraint day_of_use_noun_check
    check (noun in ('credential', 'session', 'process_secret', 'worker', 'secret', 'asset')) not valid;
create index day_of_use_of_organization on day_of_use (organization_id, day)
    where noun in ('credential', 'session', 'process_secret', 'worker');

create table queues_to_count (                     -- workspaces whose queues are to be counted anew
    workspace_id uuid primary key references workspace
);
create table item_turn (                           -- what people did to items, as far as it was read to count them anew
    work_item_id uuid        not null,
    at           timestamptz not null,
    came         int         not null              -- 1: the item waits again; -1: it waits no more
);
