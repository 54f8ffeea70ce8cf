-- What starts a process from outside of the API: the secret of the oldest API, mail, and the handshakes of callers.

create table process_secret (                      -- there is a row where the oldest API is switched on (one a process)
    process_id   uuid primary key references process,
    workspace_id uuid not null references workspace,
    lookup       bytea not null unique,            -- keyed hash of the secret
    sealed       bytea not null,                   -- the secret, encrypted: it can be viewed again
    created_at   timestamptz not null default clock_now()
);

create table email_trigger (                       -- the address by which mail becomes work items of a process
    process_id    uuid primary key references process,
    workspace_id  uuid not null references workspace,
    random        text not null unique check (random <> ''), -- the part of the address that cannot be guessed
    is_enabled    boolean not null default true,
    parses        boolean not null default true,   -- fields, body and attachments; else the raw mail alone
    starts        boolean not null default true,   -- a run; else the item waits in the input queue
    created_at    timestamptz not null default clock_now(),
    updated_at    timestamptz not null default clock_now()
);

create table handshake (                           -- the secret that a caller of the integrations endpoint brought
    process_id uuid not null references process,
    api_key_id uuid not null references api_key on delete cascade,
    sealed     bytea not null,
    created_at timestamptz not null default clock_now(),
    primary key (process_id, api_key_id)
);
