"""Times of models (§3.9): what the steps of a run have built, by node, as `run_results.json` of each tells it."""

from controlroom.dialects.dbt_cloud.answers import Shape
from controlroom.dialects.dbt_cloud.asking import Asking, Permission
from controlroom.dialects.dbt_cloud.ids import Id, find, of_project
from controlroom.dialects.dbt_cloud.routing import V3, get
from controlroom.dialects.dbt_cloud.times import with_t
from controlroom.engine.runs.projects import listings, timings
from controlroom.engine.runs.projects.timings import NodeTiming
from controlroom.engine.runs.store import RUN


class TimingShown(Shape, frozen=True, kw_only=True):
    """How long a node took."""

    run_id: int
    step: int
    unique_id: str
    status: str
    thread_id: str
    execution_time: float
    started_at: str | None
    completed_at: str | None


@get(
    "/accounts/{account}/projects/{project}/runs/{run}/timing",
    versions=V3,
    needs=Permission.READ_RUN_OUTPUTS,
)
async def list_model_timing(request: Asking, project: Id, run: Id) -> list[TimingShown]:
    """What a run has built, and when, in the order of its steps."""
    located = await find(request, RUN, run, await of_project(request, project))
    found = await listings.listed(request.db, located.scope, located.id)
    told = await timings.timings(request.engine, located.scope, located.id)
    return [_show(found.number, each.phase, node) for each in told for node in each.nodes]


def _show(run: int, phase: int, node: NodeTiming) -> TimingShown:
    began = [part.started_at for part in node.timing if part.started_at is not None]
    ended = [part.completed_at for part in node.timing if part.completed_at is not None]
    return TimingShown(
        run_id=run,
        step=phase + 1,
        unique_id=node.unique_id,
        status=node.status,
        thread_id=node.thread_id,
        execution_time=node.execution_time,
        started_at=with_t(min(began)) if began else None,
        completed_at=with_t(max(ended)) if ended else None,
    )
