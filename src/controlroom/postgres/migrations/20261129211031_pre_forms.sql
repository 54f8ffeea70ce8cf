-- A step may wait for a person, who fills in a form; a process may have a form by which people start it.
alter table step
    add column form jsonb,                         -- Form of processes/forms.py; null: robots work in it
    add constraint step_asks_or_runs check (form is null or (task_id is null and commands is null));
alter table process add column form jsonb;         -- likewise; null: it has none of its own
