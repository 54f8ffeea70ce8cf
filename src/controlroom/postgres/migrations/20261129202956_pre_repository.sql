-- The repository: folders and plain files of workspaces and of single users, their versions, locks, labels and
-- dependencies, and what roles may do in which folder. All that can be listed is one view, in one space of numbers.

create table repository_file (                     -- a folder, or a file that is no package
    id              uuid primary key,
    number          bigint not null unique default nextval('number'),
    organization_id uuid not null references organization,
    workspace_id    uuid references workspace,     -- null: of one user alone
    owner_id        uuid references app_user,      -- who alone sees it
    parent_id       uuid references repository_file,  -- null: directly below its workspace or owner
    above           uuid[] not null,               -- what it lies in from the workspace or owner on, itself last
    path            text[] not null,               -- the names of these but the first
    name            text not null check (name <> ''),
    is_folder       boolean not null,
    content_type    text not null default '',
    description     text not null default '',
    has_errors      boolean not null default false,  -- as who wrote it said; such a one is kept, and never runs
    copied_from     uuid,                          -- the package or file that it was checked out from
    locked_by       uuid references app_user,      -- who alone may write it
    locked_at       timestamptz,
    created_at      timestamptz not null default clock_now(),
    created_by      uuid,
    updated_at      timestamptz not null default clock_now(),
    updated_by      uuid,
    deleted_at      timestamptz,
    check (num_nonnulls(workspace_id, owner_id) = 1),
    check ((locked_by is null) = (locked_at is null)),
    check (above[cardinality(above)] = id and path[cardinality(path)] = name)
);
create unique index repository_file_name on repository_file (coalesce(parent_id, workspace_id, owner_id), lower(name))
    where deleted_at is null;
create index repository_file_of_parent on repository_file (parent_id) where deleted_at is null;
create index repository_file_of_workspace on repository_file (workspace_id) where deleted_at is null;
create index repository_file_of_owner on repository_file (owner_id) where deleted_at is null;
create index repository_file_of_organization on repository_file (organization_id) where deleted_at is null and is_folder;

create table repository_file_version (
    id         uuid primary key,
    number     bigint not null unique default nextval('number'),
    file_id    uuid not null references repository_file,
    version    int not null,
    hash       text not null,
    size       bigint not null,
    created_at timestamptz not null default clock_now(),
    created_by uuid,
    unique (file_id, version)
);
create index repository_file_version_by_hash on repository_file_version (hash);

create table repository_file_label (               -- as package_label: a name that one version bears
    file_id    uuid not null references repository_file,
    name       text not null,
    version_id uuid not null references repository_file_version,
    primary key (file_id, name)
);

create table repository_dependency (               -- what somebody says that a task or file needs
    organization_id uuid not null references organization,
    file_id         uuid not null,
    needed_id       uuid not null,
    created_at      timestamptz not null default clock_now(),
    created_by      uuid,
    primary key (file_id, needed_id)
);
create index repository_dependency_of_needed on repository_dependency (needed_id);

create table folder_right (                        -- what holders of a role may do in a folder and below it
    organization_id uuid not null references organization,
    role_id         uuid not null references role on delete cascade,
    folder_id       uuid not null,                 -- a workspace, a folder or a package; the nearest one counts
    rights          text[] not null,
    updated_at      timestamptz not null default clock_now(),
    updated_by      uuid,
    primary key (role_id, folder_id)
);

alter table package
    add column folder_id uuid references repository_file,  -- null: directly below its workspace
    add column locked_by uuid references app_user,         -- who alone may give it a version
    add column locked_at timestamptz,
    add constraint package_locked check ((locked_by is null) = (locked_at is null));
create index package_of_folder on package (folder_id) where folder_id is not null and deleted_at is null;

create view repository_node as
    select organization.id, organization.number, organization.id as organization_id, null::uuid as workspace_id,
           null::uuid as owner_id, null::uuid as parent_id, null::bigint as parent_number,
           organization.id as container_id, array[organization.id] as above, 'root' as kind, true as is_folder,
           '' as name, array[]::text[] as path, '' as content_type, '' as description, false as has_errors,
           0::bigint as size, 0 as version, null::uuid as locked_by, organization.created_at, null::uuid as created_by,
           organization.created_at as updated_at, null::uuid as updated_by, null::uuid as copied_from
      from organization
     union all
    select app_user.id, app_user.number, app_user.organization_id, null, app_user.id, null, null, app_user.id,
           array[app_user.id], 'root', true, '', array[]::text[], '', '', false, 0, 0, null, app_user.created_at, null,
           app_user.created_at, null, null
      from app_user
     union all
    select workspace.id, workspace.number, workspace.organization_id, workspace.id, null, organization.id,
           organization.number, workspace.id, array[workspace.id], 'workspace', true, workspace.name,
           array[workspace.name], '', '', false, 0, 0, null, workspace.created_at, null, workspace.created_at, null, null
      from workspace join organization on organization.id = workspace.organization_id
     where workspace.deleted_at is null
     union all
    select file.id, file.number, file.organization_id, file.workspace_id, file.owner_id,
           coalesce(file.parent_id, file.workspace_id, file.owner_id),
           coalesce(parent.number, workspace.number, owner.number),
           case when file.is_folder then file.id else coalesce(file.parent_id, file.workspace_id, file.owner_id) end,
           file.above, case when file.is_folder then 'folder' else 'file' end, file.is_folder, file.name,
           case when workspace.id is null then file.path else array_prepend(workspace.name, file.path) end,
           file.content_type, file.description, file.has_errors, coalesce(latest.size, 0), coalesce(latest.version, 0),
           file.locked_by, file.created_at, file.created_by, file.updated_at, file.updated_by, file.copied_from
      from repository_file as file
      left join repository_file as parent on parent.id = file.parent_id
      left join workspace on workspace.id = file.workspace_id
      left join app_user as owner on owner.id = file.owner_id
      left join lateral (select each.size, each.version from repository_file_version as each
                          where each.file_id = file.id
                          order by each.version desc limit 1) as latest on true
     where file.deleted_at is null and workspace.deleted_at is null
     union all
    select package.id, package.number, workspace.organization_id, package.workspace_id, null,
           coalesce(package.folder_id, package.workspace_id), coalesce(folder.number, workspace.number), package.id,
           coalesce(folder.above, array[workspace.id]) || package.id, 'package', true, package.name,
           array_prepend(workspace.name, coalesce(folder.path, array[]::text[])) || package.name, '', '', false,
           coalesce(latest.size, 0), coalesce(latest.version, 0), package.locked_by, package.created_at,
           first.created_by, coalesce(latest.created_at, package.created_at), latest.created_by, null
      from package
      join workspace on workspace.id = package.workspace_id
      left join repository_file as folder on folder.id = package.folder_id
      left join lateral (select each.size, each.version, each.created_at, each.created_by from package_version as each
                          where each.package_id = package.id
                          order by each.version desc limit 1) as latest on true
      left join package_version as first on first.package_id = package.id and first.version = 1
     where package.deleted_at is null and workspace.deleted_at is null
     union all
    select task.id, task.number, workspace.organization_id, package.workspace_id, null, package.id, package.number,
           package.id, coalesce(folder.above, array[workspace.id]) || array[package.id, task.id], 'task', false, task.name,
           array_prepend(workspace.name, coalesce(folder.path, array[]::text[])) || array[package.name, task.name], '', '',
           false, latest.size, latest.version, package.locked_by, package.created_at, first.created_by,
           latest.created_at, latest.created_by, null
      from task
      join package on package.id = task.package_id
      join workspace on workspace.id = package.workspace_id
      left join repository_file as folder on folder.id = package.folder_id
      join lateral (select each.size, each.version, each.created_at, each.created_by, each.robot
                      from package_version as each
                     where each.package_id = package.id
                     order by each.version desc limit 1) as latest on true
      left join package_version as first on first.package_id = package.id and first.version = 1
     where package.deleted_at is null and workspace.deleted_at is null
       and exists (select from jsonb_array_elements(latest.robot -> 'tasks') as told where told ->> 'name' = task.name);
