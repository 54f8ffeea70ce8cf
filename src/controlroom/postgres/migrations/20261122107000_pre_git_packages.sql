-- Packages whose content is fetched from a git repository.

create table package_source (
    package_id     uuid primary key references package,
    workspace_id   uuid not null references workspace,
    url            text not null check (url <> ''),
    ref_kind       text not null check (ref_kind in ('branch', 'tag', 'commit')),
    ref            text not null check (ref <> ''),
    secret_name    text,                           -- of the vault: how the room proves itself to the repository
    hook_sealed    bytea not null,                 -- the secret that signs push hooks
    wanted_at      timestamptz,                    -- somebody has asked for a fetch that is not done yet
    lease_until    timestamptz,                    -- a server is at it
    fetched_at     timestamptz,
    fetched_commit text,
    error          text not null default '',       -- why the last fetch failed
    created_at     timestamptz not null default clock_now()
);
create index package_source_wanted on package_source (wanted_at) where wanted_at is not null;
