-- Notices: mails to one person about runs of several processes, by how they ended; of a workspace, or of the organization.
alter table notification
    alter column workspace_id drop not null,
    alter column process_id drop not null,
    add column organization_id uuid references organization,   -- of a notice; else null
    add column user_id    uuid references app_user,            -- whom a notice tells; null: an address of nobody here
    add column on_success uuid[] not null default '{}',        -- processes, of a notice
    add column on_failure uuid[] not null default '{}',
    add column on_stop    uuid[] not null default '{}',
    add column on_warning uuid[] not null default '{}',
    add constraint notification_of_one check (num_nonnulls(process_id, organization_id) = 1),
    add constraint notification_in check (num_nonnulls(workspace_id, organization_id) >= 1);
create index notification_of_organization on notification (organization_id, id)
    where organization_id is not null and deleted_at is null;
