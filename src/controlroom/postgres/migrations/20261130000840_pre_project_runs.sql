-- Runs of projects: what a run goes by because its process is a job, and how far it is.
create table project_run (
    run_id       uuid primary key references run,
    run_number   bigint not null unique,
    workspace_id uuid not null references workspace,
    process_id   uuid not null references process,
    target_id    uuid not null,
    kind         text not null check (kind in ('ci', 'merge', 'scheduled', 'other')),  -- the job's, at the start
    stage        text not null default 'queued'
                 check (stage in ('queued', 'starting', 'running', 'succeeded', 'failed', 'cancelled')),
    is_scheduled boolean not null default false,       -- its job was due
    work         jsonb not null,                       -- ProjectWork of runs/projects/model.py
    tool_version text,
    pull_request text,                                 -- whose and which: `github:12`
    commit       text,                                 -- of a repository: what was fetched
    branch       text,
    retry_of     uuid,                                 -- the run that this one goes on from
    defers_to    uuid,                                 -- the run whose manifest stands for what is not built
    has_docs     boolean not null default false,
    has_sources  boolean not null default false,
    source_asked_at timestamptz,                       -- as it is since then, the source is fetched
    created_at   timestamptz not null default clock_now(),
    dequeued_at  timestamptz,                          -- a worker has taken it
    began_at     timestamptz,                          -- the first command of its own may have run
    ended_at     timestamptz,
    check ((stage in ('succeeded', 'failed', 'cancelled')) = (ended_at is not null))
);
create index project_run_of_workspace on project_run (workspace_id, run_number);
create index project_run_of_job on project_run (process_id, run_number);
create index project_run_of_target on project_run (target_id, run_number);
create index project_run_by_stage on project_run (workspace_id, stage, run_number);
create index project_run_by_end on project_run (workspace_id, ended_at, run_number);
create index project_run_open on project_run (process_id) where stage in ('queued', 'starting', 'running');
create index project_run_good on project_run (process_id, run_number) where stage = 'succeeded';
create index project_run_good_of_target on project_run (target_id, run_number) where stage = 'succeeded' and kind <> 'ci';

alter table run_lock add column follows_workers boolean not null default false;  -- capacity: the slots of the workers
