-- One notion of credential: what somebody shows to be let in. `api_key`, `user_credential` and `link_token` become its rows, with
-- the same ids, numbers and sealed values.
--
-- The old tables stay while servers of the release before run, and triggers keep both in step, in either direction: a key that
-- one release makes opens doors of the other, one that is deleted opens none, a one-time link token that is used at one is used
-- at both. An old server writes uses into the old tables, by what it adds; a new one into `credential`. When both write the
-- same rows at the same moment they may wait for each other: PostgreSQL ends one of the two, and uses are counted again with the next
-- flush, a worker comes again. Grants to a credential are nothing to an old server: there a key may do what its own permissions
-- say. The old tables go by 20261129160100_post_credentials.sql.

create table credential (
    id              uuid primary key,
    number          bigint not null unique default nextval('number'),
    kind            text not null check (kind in ('workspace_key', 'user_credential', 'link_token',
                                                  'user_key', 'personal_token', 'service_token')),
    organization_id uuid not null references organization,
    workspace_id    uuid references workspace,     -- the owner: a workspace,
    user_id         uuid references app_user,      -- a user, or (neither) the organization
    name            text not null default '',
    identifier      text unique,                   -- what is shown in clear beside the secret
    lookup          bytea unique,                  -- keyed hash of the value
    sealed          bytea,                         -- the value, encrypted, where it must be used or can be viewed again
    permissions     text[] not null default '{}',  -- what it may do in the workspace that owns it; grants come on top
    created_by      uuid references app_user,
    created_at      timestamptz not null default clock_now(),
    used_at         timestamptz,
    use_count       bigint not null default 0,
    expires_at      timestamptz,
    check (num_nonnulls(workspace_id, user_id) <= 1),
    check (case kind
           when 'workspace_key' then workspace_id is not null and lookup is not null and sealed is not null and name <> ''
           when 'link_token' then user_id is null and lookup is not null and sealed is not null
           when 'user_credential' then user_id is not null and identifier is not null and sealed is not null
           when 'service_token' then user_id is null and lookup is not null
           else user_id is not null and lookup is not null
           end)
);
create index credential_of_workspace on credential (workspace_id, kind, id) where workspace_id is not null;
create index credential_of_user on credential (user_id, kind, id) where user_id is not null;

create table linking (                             -- what a link token is for, by the id of its credential
    credential_id   uuid primary key references credential on delete cascade,
    worker_group_id uuid references worker_group,
    worker_id       uuid,                          -- the id a worker made by this token shall have (on-demand)
    is_reusable     boolean not null
);
create index linking_of_group on linking (worker_group_id, credential_id) where worker_group_id is not null;

lock table api_key, user_credential, link_token in share row exclusive mode;

insert into credential (id, number, kind, organization_id, workspace_id, name, lookup, sealed, permissions, created_by,
                        created_at, used_at, use_count, expires_at)
select api_key.id, api_key.number, 'workspace_key', workspace.organization_id, workspace_id, api_key.name, lookup, sealed,
       permissions, created_by, api_key.created_at, used_at, use_count, expires_at
  from api_key join workspace on workspace.id = workspace_id
 order by api_key.id;

insert into credential (id, kind, organization_id, user_id, name, identifier, sealed, created_at, used_at)
select user_credential.id, 'user_credential', app_user.organization_id, user_id, name, identifier, sealed,
       user_credential.created_at, used_at
  from user_credential join app_user on app_user.id = user_id
 order by user_credential.id;

insert into credential (id, number, kind, organization_id, workspace_id, name, lookup, sealed, created_at, used_at, expires_at)
select link_token.id, link_token.number, 'link_token', workspace.organization_id, workspace_id, link_token.name, lookup,
       sealed, link_token.created_at, used_at, expires_at
  from link_token join workspace on workspace.id = workspace_id
 order by link_token.id;

insert into linking (credential_id, worker_group_id, worker_id, is_reusable)
select id, worker_group_id, worker_id, is_reusable from link_token;

-- A handshake is of a key, wherever its row stands.
alter table handshake drop constraint handshake_api_key_id_fkey;
alter table handshake add constraint handshake_api_key_id_fkey
    foreign key (api_key_id) references credential on delete cascade;

-- Roles are granted to credentials, too.
alter table access_grant add column credential_id uuid references credential on delete cascade;
alter table access_grant drop constraint access_grant_check;
alter table access_grant add constraint access_grant_check check (num_nonnulls(user_id, user_group_id, credential_id) = 1);
drop index access_grant_once;
create unique index access_grant_once
    on access_grant (user_id, user_group_id, credential_id, organization_id, workspace_id, role_id) nulls not distinct;
create index access_grant_of_credential on access_grant (credential_id) where credential_id is not null;

-- ------------------------------------------------------------------------------------ from the release before
create function api_key_as_credential() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        delete from credential where id = old.id;
    elsif tg_op = 'INSERT' then
        insert into credential (id, number, kind, organization_id, workspace_id, name, lookup, sealed, permissions,
                                created_by, created_at, used_at, use_count, expires_at)
        select new.id, new.number, 'workspace_key', organization_id, id, new.name, new.lookup, new.sealed,
               new.permissions, new.created_by, new.created_at, new.used_at, new.use_count, new.expires_at
          from workspace where id = new.workspace_id;
    else
        update credential
           set name = new.name, permissions = new.permissions, expires_at = new.expires_at, used_at = new.used_at,
               use_count = use_count + new.use_count - old.use_count
         where id = new.id;
    end if;
    return null;
end $$;
create trigger api_key_is_a_credential after insert or update or delete on api_key
    for each row when (pg_trigger_depth() = 0) execute function api_key_as_credential();

create function user_credential_as_credential() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        delete from credential where id = old.id;
    elsif tg_op = 'INSERT' then
        insert into credential (id, kind, organization_id, user_id, name, identifier, sealed, created_at, used_at)
        select new.id, 'user_credential', organization_id, id, new.name, new.identifier, new.sealed, new.created_at,
               new.used_at
          from app_user where id = new.user_id;
    else
        update credential set name = new.name, used_at = new.used_at where id = new.id;
    end if;
    return null;
end $$;
create trigger user_credential_is_a_credential after insert or update or delete on user_credential
    for each row when (pg_trigger_depth() = 0) execute function user_credential_as_credential();

create function link_token_as_credential() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        delete from credential where id = old.id;
    elsif tg_op = 'INSERT' then
        insert into credential (id, number, kind, organization_id, workspace_id, name, lookup, sealed, created_at,
                                used_at, expires_at)
        select new.id, new.number, 'link_token', organization_id, id, new.name, new.lookup, new.sealed, new.created_at,
               new.used_at, new.expires_at
          from workspace where id = new.workspace_id;
        insert into linking (credential_id, worker_group_id, worker_id, is_reusable)
        values (new.id, new.worker_group_id, new.worker_id, new.is_reusable);
    else
        update credential set name = new.name, expires_at = new.expires_at, used_at = new.used_at where id = new.id;
    end if;
    return null;
end $$;
create trigger link_token_is_a_credential after insert or update or delete on link_token
    for each row when (pg_trigger_depth() = 0) execute function link_token_as_credential();

-- ------------------------------------------------------------------------------------ to the release before
create function credential_as_before() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        delete from api_key where id = old.id;
        delete from user_credential where id = old.id;
        delete from link_token where id = old.id;
    elsif tg_op = 'UPDATE' then
        update api_key
           set name = new.name, permissions = new.permissions, expires_at = new.expires_at, used_at = new.used_at,
               use_count = use_count + new.use_count - old.use_count
         where id = new.id;
        update user_credential set name = new.name, used_at = new.used_at where id = new.id;
        update link_token set name = new.name, expires_at = new.expires_at, used_at = new.used_at where id = new.id;
    elsif new.kind = 'workspace_key' then
        insert into api_key (id, number, workspace_id, name, permissions, lookup, sealed, created_by, created_at,
                             expires_at)
        values (new.id, new.number, new.workspace_id, new.name, new.permissions, new.lookup, new.sealed, new.created_by,
                new.created_at, new.expires_at);
    elsif new.kind = 'user_credential' then
        insert into user_credential (id, user_id, name, identifier, sealed, created_at)
        values (new.id, new.user_id, new.name, new.identifier, new.sealed, new.created_at);
    end if;
    return null;
end $$;
create trigger credential_is_as_before after insert or update or delete on credential
    for each row when (pg_trigger_depth() = 0) execute function credential_as_before();

create function linking_as_before() returns trigger language plpgsql as $$
begin
    insert into link_token (id, number, workspace_id, worker_group_id, worker_id, name, lookup, sealed, is_reusable,
                            expires_at, created_at)
    select id, number, workspace_id, new.worker_group_id, new.worker_id, name, lookup, sealed, new.is_reusable,
           expires_at, created_at
      from credential where id = new.credential_id and workspace_id is not null;
    return null;
end $$;
create trigger linking_is_as_before after insert on linking
    for each row when (pg_trigger_depth() = 0) execute function linking_as_before();
