"""Step runs in the old Process API (§2.1), and what they left. Lists are bare arrays."""

from litestar import MediaType, get

from controlroom.border.asking import Asking, Path, Permission, Query
from controlroom.dialects.robocorp.old_process_api import shapes
from controlroom.dialects.robocorp.old_process_api.lists import asked_limit
from controlroom.dialects.robocorp.old_process_api.runs import run_of
from controlroom.dialects.robocorp.step_runs import artifact_url
from controlroom.engine.console import reading as console
from controlroom.engine.console.model import BEGINNING
from controlroom.engine.runs import store
from controlroom.engine.runs.errors import StepRunNotFound
from controlroom.engine.runs.model import StepRun
from controlroom.ids import ArtifactId, ProcessId, RunId, StepRunId

_ROBOT_RUN = "/runs/{run_id:uuid}/robotRuns/{step_run_id:uuid}"


@get("/runs/{run_id:uuid}/robotRuns", needs=Permission.READ_PROCESSES)
async def list_robot_runs(
    request: Asking, process_id: Path[ProcessId], run_id: Path[RunId], limit: Query[int | None] = None
) -> list[shapes.OldRobotRun]:
    """List the step runs of a run, oldest first."""
    await run_of(request, process_id, run_id)
    most = asked_limit(request.engine.limits, limit)
    return [shapes.show_robot_run(row) for row in await store.list_step_runs(*request.reading, run_id, limit=most)]


@get(_ROBOT_RUN, needs=Permission.READ_RUNS)
async def get_robot_run(
    request: Asking, process_id: Path[ProcessId], run_id: Path[RunId], step_run_id: Path[StepRunId]
) -> shapes.OldRobotRun:
    """Get a step run."""
    return shapes.show_robot_run(await _found(request, process_id, run_id, step_run_id))


@get(f"{_ROBOT_RUN}/events", needs=Permission.READ_RUN_OUTPUTS)
async def list_events(
    request: Asking, process_id: Path[ProcessId], run_id: Path[RunId], step_run_id: Path[StepRunId]
) -> list[shapes.OldEvent]:
    """List what happened to a step run, oldest first."""
    await _found(request, process_id, run_id, step_run_id)
    rows = await store.list_events(*request.reading, step_run_id, limit=request.engine.limits.max_page_size)
    return [shapes.OldEvent(place, row.at, row.kind, row.data) for place, row in enumerate(rows, 1)]


@get(f"{_ROBOT_RUN}/messages", needs=Permission.READ_RUN_OUTPUTS)
async def list_messages(
    request: Asking,
    process_id: Path[ProcessId],
    run_id: Path[RunId],
    step_run_id: Path[StepRunId],
    limit: Query[int | None] = None,
) -> list[shapes.OldMessage]:
    """List the first lines that a step run printed; the whole of them is in the public API, by pages."""
    await _found(request, process_id, run_id, step_run_id)
    most = asked_limit(request.engine.limits, limit)
    rows = await console.read(request.engine, request.seen, step_run_id, after=BEGINNING, limit=most)
    return [shapes.show_line(row) for row in rows]


@get(f"{_ROBOT_RUN}/artifacts", needs=Permission.READ_RUN_OUTPUTS)
async def list_artifacts(
    request: Asking, process_id: Path[ProcessId], run_id: Path[RunId], step_run_id: Path[StepRunId]
) -> list[shapes.OldArtifact]:
    """List what a step run left."""
    await _found(request, process_id, run_id, step_run_id)
    rows = await store.list_artifacts(*request.reading, step_run_id, limit=request.engine.limits.artifacts)
    return [shapes.show_artifact(row) for row in rows]


@get(
    f"{_ROBOT_RUN}/artifacts/{{artifact_id:uuid}}/{{file_name:path}}",
    media_type=MediaType.JSON,
    needs=Permission.READ_RUN_OUTPUTS,
)
async def get_artifact_url(
    request: Asking,
    process_id: Path[ProcessId],
    run_id: Path[RunId],
    step_run_id: Path[StepRunId],
    artifact_id: Path[ArtifactId],
) -> str:
    """Tell where an artifact is fetched: a JSON string, alone. The file's name in the address is for people."""
    await _found(request, process_id, run_id, step_run_id)
    return artifact_url(request, await store.get_artifact(*request.reading, step_run_id, artifact_id))


async def _found(request: Asking, process: ProcessId, run: RunId, step_run: StepRunId) -> StepRun:
    """A step run of this very run and process; raises RunNotFound, StepRunNotFound."""
    await run_of(request, process, run)
    found = await store.get_step_run(*request.reading, step_run)
    if found.run_id != run:
        raise StepRunNotFound(step_run)
    return found
