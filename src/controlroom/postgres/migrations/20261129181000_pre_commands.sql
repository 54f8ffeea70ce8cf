-- A step runs a task, or a list of commands of a package, and a list's phases have artifacts of their own.

alter table step
    add column package_id uuid references package,  -- whose commands they are
    add column commands jsonb,                       -- tuple[protocol.Command, …], in their order
    add constraint step_has_one_kind_of_work
        check ((commands is null) = (package_id is null) and (task_id is null or commands is null));
create index step_of_package on step (package_id) where package_id is not null;

-- Why not valid: what was a state before is one still, and nothing need be looked through for that
alter table phase
    add column exit_code int,
    drop constraint phase_state_check,
    add constraint phase_state_check
        check (state in ('waiting', 'in_progress', 'succeeded', 'failed', 'skipped')) not valid;

alter table artifact add column phase int check (phase >= 0);  -- position of the phase that left it; null: the step run
create unique index artifact_of_phase on artifact (step_run_id, attempt, phase, name) nulls not distinct;

alter table worker add column abilities text[] not null default '{}';  -- protocol.Ability, as its session said
