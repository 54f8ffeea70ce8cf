-- A role is a principal, too: what it is granted have all who hold it in the organization.

alter table access_grant add column holder_role_id uuid references role on delete cascade;
alter table access_grant drop constraint access_grant_check;
alter table access_grant add constraint access_grant_of_one
    check (num_nonnulls(user_id, user_group_id, credential_id, holder_role_id) = 1);

create unique index access_grant_only_once
    on access_grant (user_id, user_group_id, credential_id, holder_role_id, organization_id, workspace_id, role_id)
    nulls not distinct;
drop index access_grant_once;
create index access_grant_of_holders on access_grant (holder_role_id) where holder_role_id is not null;
