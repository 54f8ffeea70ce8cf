-- A schedule that starts a bare task says how; all have an owner, may be drafts, and keep what grammars said of them.
alter table schedule
    add column description text not null default '',
    add column owner_id    uuid references app_user on delete set null, -- who answers for it; null: made by no user
    add column start       jsonb,                      -- StoredTaskStart of schedules/definitions.py; null: starts the process
    add column is_draft    boolean not null default false,
    add column asides      jsonb not null default '{}', -- by grammar: what means nothing here, as it was given
    add column updated_at  timestamptz,
    add column updated_by  uuid,
    add constraint schedule_draft_rests check (not (is_draft and is_enabled));

update schedule set owner_id = created_by where created_by in (select id from app_user);
