"""The lists of runs and step runs: what a row shows, and by which fields they are found and sorted."""

from typing import Final

from controlroom.engine.lists.model import Field, Kind, Listing, among
from controlroom.engine.processes.listings import ASKS_PEOPLE
from controlroom.engine.runs.model import Result, RunState, StartedBy, StepRunState

_PROCESS: Final = "join process on process.id = run.process_id"

RUNS: Final = Listing(
    noun="runs",
    table="run",
    columns="""run.id, run.number, run.run_no, run.workspace_id, run.process_id, process.name as process_name,
           run.state, run.result, run.started_by, run.started_by_id, run.created_at, run.started_at, run.ended_at,
           run.priority, run.stop, run.lock_state,
           case when run.parameters <> '{}' then jsonb_strip_nulls(jsonb_build_object(
                'name', run.parameters -> 'name', 'cause', run.parameters -> 'cause',
                'rerun_of', run.parameters -> 'rerun_of', 'retry_of', run.parameters -> 'retry_of',
                'overrides', run.parameters -> 'overrides'))
           end as told,
           app_user.first_name as starter_first_name, app_user.last_name as starter_last_name""",
    joins=f"""{_PROCESS}
      left join app_user on run.started_by = 'user' and app_user.id = run.started_by_id""",
    tenant="run.workspace_id",
    fields=(
        Field("id", Kind.ID, is_sortable=True, index="run_of_workspace"),
        Field("number", Kind.INTEGER, is_sortable=True),
        Field("run_no", Kind.INTEGER),
        Field("process_id", Kind.ID, index="run_of_process"),
        Field("process_name", Kind.TEXT, column="process.name", is_sortable=True, join=_PROCESS),
        Field("asks_people", Kind.TRUTH, column=ASKS_PEOPLE, join=_PROCESS),
        Field("state", Kind.TEXT, choices=among(RunState), is_told=True, index="run_by_state"),
        Field("result", Kind.TEXT, is_nullable=True, choices=among(Result)),
        Field("started_by", Kind.TEXT, choices=among(StartedBy)),
        Field("started_by_id", Kind.ID, is_nullable=True),
        Field("priority", Kind.INTEGER, is_sortable=True),
        Field("created_at", Kind.INSTANT, is_sortable=True),
        Field("started_at", Kind.INSTANT, is_nullable=True, is_sortable=True, index="run_by_start"),
        Field("ended_at", Kind.INSTANT, is_nullable=True, is_sortable=True),
    ),
)

_STEP: Final = "join step on step.id = step_run.step_id"

STEP_RUNS: Final = Listing(
    noun="step runs",
    table="step_run",
    columns="""step_run.id, step_run.number, step_run.workspace_id, step_run.run_id, step_run.step_id,
           step.name as step_name, step_run.state, step_run.state_at, step_run.result, step_run.error_code,
           step_run.error_message, step_run.attempt, step_run.worker_id, step_run.created_at, step_run.started_at,
           step_run.ended_at, step_run.paused_at, step_run.exit_code,
           coalesce(step_run.placement -> 'places', '[]') as places, step_run.run_as, step_run.progress""",
    joins=_STEP,
    tenant="step_run.workspace_id",
    always="step_run.state <> 'withdrawn'",
    fields=(
        Field("id", Kind.ID, is_sortable=True, index="step_run_of_workspace"),
        Field("number", Kind.INTEGER, is_sortable=True),
        Field("run_id", Kind.ID, index="step_run_of_run"),
        Field("step_id", Kind.ID),
        Field("step_name", Kind.TEXT, column="step.name", is_sortable=True, join=_STEP),
        Field("state", Kind.TEXT, choices=among(StepRunState)),
        Field("result", Kind.TEXT, is_nullable=True, choices=among(Result)),
        Field("error_code", Kind.TEXT, is_nullable=True),
        Field("error_message", Kind.TEXT),
        Field("worker_id", Kind.ID, is_nullable=True),
        Field("priority", Kind.INTEGER, is_sortable=True),
        Field("created_at", Kind.INSTANT, is_sortable=True),
        Field("started_at", Kind.INSTANT, is_nullable=True, is_sortable=True, index="step_run_by_start"),
        Field("ended_at", Kind.INSTANT, is_nullable=True, is_sortable=True),
        Field("paused_at", Kind.INSTANT, is_nullable=True),
        Field("run_as", Kind.ID, is_nullable=True),
    ),
)
"""Those that were not withdrawn: nobody has to know that a step run was made and not needed."""
