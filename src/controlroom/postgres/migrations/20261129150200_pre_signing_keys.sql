-- Tokens that others can read and check (JWT): the key pairs that sign them, and their sessions. Servers of the release before
-- know neither; what they do to sessions (a new password, a disabled user) ends these, too.

create table signing_key (                         -- of the whole room; one signs, those before it are kept to check
    kid        text primary key,                   -- RFC 7638
    public     jsonb not null,                     -- as it is published
    sealed     bytea not null,                     -- the private key, encrypted
    made_at    timestamptz not null default clock_now(),
    retired_at timestamptz,                        -- signs no more since
    ends_at    timestamptz,                        -- no token that it has signed lives any more
    check ((retired_at is null) = (ends_at is null))
);
create unique index signing_key_that_signs on signing_key ((true)) where retired_at is null;

alter table user_session
    add column kind     text not null default 'session' check (kind in ('session', 'jwt')),
    add column began_at timestamptz not null default clock_now(); -- of the first of a row of tokens, each for the one before
