-- People come by an invitation or by another room's log-in, and a password that somebody else has chosen is for once.
create table invitation (
    id              uuid primary key,
    number          bigint not null unique default nextval('number'),
    organization_id uuid not null references organization,
    workspace_id    uuid not null references workspace,
    role_id         uuid not null references role,
    email           text not null default '',
    lookup          bytea not null unique,             -- keyed hash of the token
    created_by      uuid references app_user,
    created_at      timestamptz not null default clock_now(),
    expires_at      timestamptz not null
);
create index invitation_of_workspace on invitation (workspace_id, id);

alter table app_user add column password_is_temporary boolean not null default false;

create table user_identity (                           -- as whom a user is known to a provider of identities
    organization_id uuid not null references organization,
    issuer          text not null check (issuer <> ''),
    subject         text not null check (subject <> ''),
    user_id         uuid not null references app_user,
    email           text not null default '',          -- as the provider told it last
    created_at      timestamptz not null default clock_now(),
    used_at         timestamptz not null default clock_now(),
    primary key (organization_id, issuer, subject)
);
create index user_identity_of_user on user_identity (user_id);
