-- Workers, worker groups, link tokens and provisioners belong to the organization, and serve one, several or all of its
-- workspaces: those that rows of `serving` name, or all, also those made later (`serves_all`).
--
-- While servers of the release before run, triggers keep both in step: what an old server makes for a workspace serves that one;
-- what a new server makes is shown by an old one in the first workspace that it serves. Old servers' columns, and the triggers, go by
-- 20261129183900_post_serving.sql.

create table serving (                             -- what serves a workspace
    workspace_id uuid not null references workspace,
    subject_id   uuid not null,                    -- the worker, worker group, link token or provisioner
    primary key (subject_id, workspace_id)
);
create index serving_of_workspace on serving (workspace_id, subject_id);

alter table worker add column organization_id uuid references organization;
alter table worker add column serves_all boolean not null default false;
alter table worker add column mixes boolean not null default false; -- may serve several workspaces without a sandbox
alter table worker_group add column organization_id uuid references organization;
alter table worker_group add column serves_all boolean not null default false;
alter table provisioner add column organization_id uuid references organization;
alter table provisioner add column serves_all boolean not null default false;
alter table linking add column serves_all boolean not null default false;

lock table worker, worker_group, provisioner, linking in share row exclusive mode;

update worker set organization_id = (select organization_id from workspace where id = workspace_id);
update worker_group set organization_id = (select organization_id from workspace where id = workspace_id);
update provisioner set organization_id = (select organization_id from workspace where id = workspace_id);

insert into serving (workspace_id, subject_id)
select workspace_id, id from worker
union all
select workspace_id, id from worker_group
union all
select workspace_id, id from provisioner
union all
select workspace_id, id from credential where kind = 'link_token' and workspace_id is not null;

-- What an old server makes.
create function of_organization() returns trigger language plpgsql as $$
begin
    if new.organization_id is null then
        new.organization_id := (select organization_id from workspace where id = new.workspace_id);
    elsif new.workspace_id is null and new.serves_all then
        new.workspace_id := (select id from workspace
                              where organization_id = new.organization_id and deleted_at is null
                              order by id limit 1);
    end if;
    return new;
end $$;
create function serves_its_workspace() returns trigger language plpgsql as $$
begin
    insert into serving (workspace_id, subject_id)
    select new.workspace_id, new.id where new.workspace_id is not null and not new.serves_all
    on conflict do nothing;
    return null;
end $$;
create trigger worker_is_of_organization before insert on worker for each row execute function of_organization();
create trigger worker_group_is_of_organization before insert on worker_group
    for each row execute function of_organization();
create trigger provisioner_is_of_organization before insert on provisioner
    for each row execute function of_organization();
create trigger worker_serves after insert on worker for each row execute function serves_its_workspace();
create trigger worker_group_serves after insert on worker_group
    for each row execute function serves_its_workspace();
create trigger provisioner_serves after insert on provisioner
    for each row execute function serves_its_workspace();

create function link_token_serves_its_workspace() returns trigger language plpgsql as $$
begin
    insert into serving (workspace_id, subject_id)
    select workspace_id, id from credential where id = new.credential_id and workspace_id is not null
    on conflict do nothing;
    return null;
end $$;
create trigger link_token_serves after insert on linking
    for each row when (not new.serves_all) execute function link_token_serves_its_workspace();

-- What a new server makes.
create function serving_as_before() returns trigger language plpgsql as $$
begin
    update worker set workspace_id = new.workspace_id where id = new.subject_id and workspace_id is null;
    update worker_group set workspace_id = new.workspace_id where id = new.subject_id and workspace_id is null;
    update provisioner set workspace_id = new.workspace_id where id = new.subject_id and workspace_id is null;
    update credential set workspace_id = new.workspace_id
     where id = new.subject_id and workspace_id is null and kind = 'link_token';
    return null;
end $$;
create trigger serving_is_as_before after insert on serving
    for each row when (pg_trigger_depth() = 0) execute function serving_as_before();

alter table worker alter column organization_id set not null;
alter table worker_group alter column organization_id set not null;
alter table provisioner alter column organization_id set not null;
alter table worker alter column workspace_id drop not null;
alter table worker_group alter column workspace_id drop not null;
alter table provisioner alter column workspace_id drop not null;

create index worker_of_organization on worker (organization_id, id) where deleted_at is null;
create index worker_group_of_organization on worker_group (organization_id, id) where deleted_at is null;
create index provisioner_of_organization on provisioner (organization_id, id) where deleted_at is null;
create index credential_link_token on credential (organization_id, id) where kind = 'link_token';
