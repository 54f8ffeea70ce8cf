-- Sessions of people who have logged in, and what an audit log reads.

create table user_session (
    id         uuid primary key,
    user_id    uuid not null references app_user,
    lookup     bytea not null unique,              -- keyed hash of the token
    created_at timestamptz not null default clock_now(),
    expires_at timestamptz not null
);
create index user_session_of_user on user_session (user_id);
create index user_session_expired on user_session (expires_at);

create index event_by_time on event (workspace_id, at, id) where work_item_id is null;
create index event_outside_workspaces on event (organization_id, at, id) where workspace_id is null;
