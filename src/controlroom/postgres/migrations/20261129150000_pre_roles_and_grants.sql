-- Roles are rows, and what somebody may do is the union of their grants: of a role to a principal, in a scope.
--
-- A membership (`member`) becomes a grant of a system role in a workspace, `app_user.is_admin` a grant of the role `admin` in
-- the organization. Both old places stay while servers of the release before run, and triggers keep the two in step, in either
-- direction: who is taken out by one release is out for the other. What an old server cannot know of it does not see: roles
-- made by people, groups, and grants of several roles in one workspace; by those it lets nobody in. It writes `member` and
-- `is_admin`, never the new tables. The old places go by 20261129160000_post_roles_and_grants.sql.

-- An id of version 7 as it would have been made at a moment, for rows that no program makes.
create function access_id(moment timestamptz) returns uuid language sql volatile as $$
    select (lpad(to_hex((extract(epoch from moment) * 1000)::bigint), 12, '0') || '7'
            || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid
$$;

create table role (
    id              uuid primary key,
    number          bigint not null unique default nextval('number'),
    organization_id uuid references organization,  -- null: a role of the system, in every organization
    name            text not null check (name <> ''),
    description     text not null default '',
    permissions     text[] not null,               -- `*`: all of a workspace, also those of releases to come (system only);
                                                   -- with a colon: a grammar's own, kept as it was given
    created_at      timestamptz not null default clock_now(),
    updated_at      timestamptz not null default clock_now(),
    check (organization_id is null or not '*' = any (permissions))
);
create unique index role_name on role (organization_id, lower(name)) nulls not distinct;

insert into role (id, name, description, permissions) values
    ('00000000-0000-7000-8000-000000000001', 'admin', 'Governs the organization',
     '{*,roles.write,workspaces.write}'),
    ('00000000-0000-7000-8000-000000000002', 'owner', 'May do everything', '{*}'),
    ('00000000-0000-7000-8000-000000000003', 'operator', 'Runs the processes and changes them',
     '{assets.read,assets.write,assistants.read,members.read,packages.read,packages.write,processes.read,processes.write,
       run_outputs.read,runs.delete,runs.read,runs.start,schedules.read,schedules.write,secrets.read,webhooks.read,
       work_items.read,work_items.write,workers.read}'),
    ('00000000-0000-7000-8000-000000000004', 'viewer', 'Sees what happens',
     '{assets.read,assistants.read,members.read,packages.read,processes.read,run_outputs.read,runs.read,schedules.read,
       webhooks.read,work_items.read,workers.read}');

create table user_group (
    id              uuid primary key,
    number          bigint not null unique default nextval('number'),
    organization_id uuid not null references organization,
    name            text not null check (name <> ''),
    description     text not null default '',
    created_at      timestamptz not null default clock_now()
);
create unique index user_group_name on user_group (organization_id, lower(name));
create index user_group_of_organization on user_group (organization_id, id);

create table user_group_member (
    user_group_id uuid not null references user_group on delete cascade,
    user_id       uuid not null references app_user,
    created_at    timestamptz not null default clock_now(),
    primary key (user_group_id, user_id)
);
create index user_group_of_user on user_group_member (user_id);

create table access_grant (                        -- `grant` is a word of SQL
    id              uuid primary key,
    number          bigint not null unique default nextval('number'),
    organization_id uuid not null references organization,
    workspace_id    uuid references workspace,     -- null: in the whole organization
    user_id         uuid references app_user,
    user_group_id   uuid references user_group on delete cascade,
    role_id         uuid not null references role,
    created_at      timestamptz not null default clock_now(),
    check (num_nonnulls(user_id, user_group_id) = 1)
);
create unique index access_grant_once on access_grant (user_id, user_group_id, organization_id, workspace_id, role_id)
    nulls not distinct;
create index access_grant_of_group on access_grant (user_group_id) where user_group_id is not null;
create index access_grant_of_organization on access_grant (organization_id, id);
create index access_grant_of_workspace on access_grant (workspace_id, user_id);
create index access_grant_of_role on access_grant (role_id);
-- A user has one of the roles that members have, however many others.
create unique index access_grant_membership on access_grant (workspace_id, user_id)
    where role_id in ('00000000-0000-7000-8000-000000000002', '00000000-0000-7000-8000-000000000003',
                      '00000000-0000-7000-8000-000000000004');

create function role_of_member(name text) returns uuid language sql immutable as $$
    select id from (values ('owner', '00000000-0000-7000-8000-000000000002'::uuid),
                           ('operator', '00000000-0000-7000-8000-000000000003'),
                           ('viewer', '00000000-0000-7000-8000-000000000004')) as known (role, id) where role = name
$$;
create function member_of_role(asked uuid) returns text language sql immutable as $$
    select role from (values ('owner', '00000000-0000-7000-8000-000000000002'::uuid),
                             ('operator', '00000000-0000-7000-8000-000000000003'),
                             ('viewer', '00000000-0000-7000-8000-000000000004')) as known (role, id) where id = asked
$$;

-- Nobody writes the old places from here on until the copies and the triggers are there.
lock table member, app_user in share row exclusive mode;

insert into access_grant (id, organization_id, workspace_id, user_id, role_id, created_at)
select access_id(member.created_at), workspace.organization_id, member.workspace_id, member.user_id,
       role_of_member(member.role), member.created_at
  from member join workspace on workspace.id = member.workspace_id
 order by member.created_at, member.user_id;

insert into access_grant (id, organization_id, user_id, role_id, created_at)
select access_id(created_at), organization_id, id, '00000000-0000-7000-8000-000000000001', created_at
  from app_user where is_admin
 order by id;

create function member_as_grant() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        delete from access_grant
         where workspace_id = old.workspace_id and user_id = old.user_id and member_of_role(role_id) is not null;
    else
        insert into access_grant (id, organization_id, workspace_id, user_id, role_id, created_at)
        select access_id(new.created_at), organization_id, id, new.user_id, role_of_member(new.role), new.created_at
          from workspace where id = new.workspace_id
        on conflict (workspace_id, user_id)
            where role_id in ('00000000-0000-7000-8000-000000000002', '00000000-0000-7000-8000-000000000003',
                              '00000000-0000-7000-8000-000000000004')
        do update set role_id = excluded.role_id;
    end if;
    return null;
end $$;
create trigger member_is_a_grant after insert or update or delete on member
    for each row when (pg_trigger_depth() = 0) execute function member_as_grant();

create function admin_as_grant() returns trigger language plpgsql as $$
begin
    if new.is_admin then
        insert into access_grant (id, organization_id, user_id, role_id)
        values (access_id(clock_timestamp()), new.organization_id, new.id, '00000000-0000-7000-8000-000000000001')
        on conflict do nothing;
    else
        delete from access_grant
         where user_id = new.id and workspace_id is null and role_id = '00000000-0000-7000-8000-000000000001';
    end if;
    return null;
end $$;
create trigger admin_is_a_grant after insert or update of is_admin on app_user
    for each row when (pg_trigger_depth() = 0) execute function admin_as_grant();

create function grant_as_member() returns trigger language plpgsql as $$
begin
    if tg_op <> 'INSERT' and old.user_id is not null then
        if old.workspace_id is null and old.role_id = '00000000-0000-7000-8000-000000000001' then
            update app_user set is_admin = false where id = old.user_id;
        elsif old.workspace_id is not null and member_of_role(old.role_id) is not null then
            delete from member where workspace_id = old.workspace_id and user_id = old.user_id;
        end if;
    end if;
    if tg_op <> 'DELETE' and new.user_id is not null then
        if new.workspace_id is null and new.role_id = '00000000-0000-7000-8000-000000000001' then
            update app_user set is_admin = true where id = new.user_id;
        elsif new.workspace_id is not null and member_of_role(new.role_id) is not null then
            insert into member (workspace_id, user_id, role, created_at)
            values (new.workspace_id, new.user_id, member_of_role(new.role_id), new.created_at);
        end if;
    end if;
    return null;
end $$;
create trigger grant_is_a_member after insert or update or delete on access_grant
    for each row when (pg_trigger_depth() = 0) execute function grant_as_member();
