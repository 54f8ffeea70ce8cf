-- Saved views: what somebody wants to see of a list, by a name. The query of the list's address is what is saved.
create table saved_view (
    id              uuid        primary key,
    number          bigint      not null unique default nextval('number'),
    organization_id uuid        not null references organization on delete cascade,
    workspace_id    uuid        references workspace on delete cascade, -- null: of a list above the workspaces
    list            text        not null check (list <> ''),
    name            text        not null check (name <> ''),
    query           text        not null,
    is_shared       boolean     not null default false,
    user_id         uuid        references app_user on delete cascade,  -- who made it; null: a program
    created_at      timestamptz not null default clock_now(),
    updated_at      timestamptz not null default clock_now(),
    check (is_shared or user_id is not null)
);
create unique index saved_view_own on saved_view (coalesce(workspace_id, organization_id), user_id, list, lower(name))
    where not is_shared;
create unique index saved_view_shared on saved_view (coalesce(workspace_id, organization_id), list, lower(name))
    where is_shared;
create index saved_view_of_user on saved_view (user_id);
