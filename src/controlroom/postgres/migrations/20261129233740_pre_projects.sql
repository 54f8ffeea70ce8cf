-- Projects: workspaces in which a tool builds tables by jobs, from one package; and what git packages held at commits and
-- refs that somebody asked for beside the packages' own.
create table project (
    workspace_id         uuid primary key references workspace,
    package_id           uuid references package,          -- where its files are; null: nowhere yet
    subdirectory         text not null default '',         -- of the package
    description          text not null default '',
    docs_process_id      uuid references process,          -- whose documents are shown as the project's
    freshness_process_id uuid references process,
    connection_id        uuid,                             -- of the organization: what its targets begin with
    revision             bigint not null default 1,
    created_at           timestamptz not null default clock_now(),
    updated_at           timestamptz not null default clock_now(),
    deleted_at           timestamptz
);

create table package_commit (                              -- the content of a git package at a commit
    package_id   uuid not null references package,
    workspace_id uuid not null references workspace,
    commit       text not null,
    folder       text not null,                            -- as it was asked for
    root         text not null,                            -- where robot.yaml or dbt_project.yml lies
    hash         text not null,                            -- of the zip
    size         bigint not null,
    fetched_at   timestamptz not null default clock_now(),
    asked_at     timestamptz not null default clock_now(), -- by the last who wanted it
    primary key (package_id, commit, folder)
);
create index package_commit_by_hash on package_commit (hash);
create index package_commit_by_age on package_commit (asked_at);

create table package_ref (                                 -- what somebody wants of a git package as it is now
    package_id   uuid not null references package,
    workspace_id uuid not null references workspace,
    ref_kind     text not null check (ref_kind in ('branch', 'tag', 'commit')),
    ref          text not null check (ref <> ''),
    folder       text not null,
    wanted_at    timestamptz,                              -- somebody has asked for a fetch that is not done yet
    lease_id     uuid,
    lease_until  timestamptz,
    answers      timestamptz,                              -- whoever asked until then has this answer
    commit       text,
    error        text not null default '',                 -- why the last fetch failed
    primary key (package_id, ref_kind, ref, folder)
);
create index package_ref_wanted on package_ref (wanted_at) where wanted_at is not null;
