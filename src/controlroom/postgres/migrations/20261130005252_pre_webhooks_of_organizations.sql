-- Webhooks of an organization as a whole, and those of several processes. One may have a limit: how often a message is tried, and
-- after how many messages in a row that reached nobody it is disabled.
alter table webhook
    alter column workspace_id drop not null,
    add column organization_id uuid references organization,   -- of one that is told of all workspaces; else null
    add column process_ids   uuid[] not null default '{}',     -- of these alone; none: as process_id says
    add column description   text not null default '',
    add column most_attempts int check (most_attempts > 0),    -- null: a message is tried for a day
    add column most_failures int check (most_failures > 0),    -- null: it is never disabled for failing
    add column failures      int not null default 0,           -- messages in a row that reached nobody
    add column updated_at    timestamptz not null default clock_now(),
    add constraint webhook_of_one check (num_nonnulls(workspace_id, organization_id) = 1);
create index webhook_of_organization on webhook (organization_id, id)
    where organization_id is not null and deleted_at is null;
alter table delivery add column most_attempts int;
