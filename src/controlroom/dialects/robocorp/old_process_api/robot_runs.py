"""Step runs in the old Process API (§2.1), and what they left. Lists are bare arrays."""

from litestar import MediaType, get

from controlroom.border.asking import Path, Permission, Query
from controlroom.dialects.robocorp.old_process_api import shapes
from controlroom.dialects.robocorp.old_process_api.asking import Asking
from controlroom.dialects.robocorp.step_runs import artifact_url
from controlroom.engine.console import model
from controlroom.engine.console import reading as console
from controlroom.engine.runs import store
from controlroom.ids import ArtifactId

_ROBOT_RUN = "/runs/{run_id:uuid}/robotRuns/{step_run_id:uuid}"
_ARTIFACT = f"{_ROBOT_RUN}/artifacts/{{artifact_id:uuid}}/{{file_name:path}}"


@get("/runs/{run_id:uuid}/robotRuns", needs=Permission.READ_PROCESSES)
async def list_robot_runs(request: Asking, limit: Query[int | None] = None) -> list[shapes.OldRobotRun]:
    """List the step runs of a run, oldest first."""
    run = await request.run()
    rows = await store.list_step_runs(*request.reading, run.id, limit=request.most(limit))
    return [shapes.show_robot_run(row) for row in rows]


@get(_ROBOT_RUN, needs=Permission.READ_RUNS)
async def get_robot_run(request: Asking) -> shapes.OldRobotRun:
    """Get a step run."""
    return shapes.show_robot_run(await request.step_run())


@get(f"{_ROBOT_RUN}/events", needs=Permission.READ_RUN_OUTPUTS)
async def list_events(request: Asking) -> list[shapes.OldEvent]:
    """List what happened to a step run, oldest first."""
    step_run = await request.step_run()
    rows = await store.list_events(*request.reading, step_run.id, limit=request.most(None))
    return [shapes.OldEvent(place, row.at, row.kind, row.data) for place, row in enumerate(rows, 1)]


@get(f"{_ROBOT_RUN}/messages", needs=Permission.READ_RUN_OUTPUTS)
async def list_messages(request: Asking, limit: Query[int | None] = None) -> list[shapes.OldMessage]:
    """List the first lines that a step run printed; the whole of them is in the public API, by pages."""
    step_run, most = await request.step_run(), request.most(limit)
    rows = await console.read(request.engine, request.seen, step_run.id, after=model.BEGINNING, limit=most)
    return [shapes.show_line(row) for row in rows]


@get(f"{_ROBOT_RUN}/artifacts", needs=Permission.READ_RUN_OUTPUTS)
async def list_artifacts(request: Asking) -> list[shapes.OldArtifact]:
    """List what a step run left."""
    step_run = await request.step_run()
    rows = await store.list_artifacts(*request.reading, step_run.id, limit=request.engine.limits.artifacts)
    return [shapes.show_artifact(row) for row in rows]


@get(_ARTIFACT, media_type=MediaType.JSON, needs=Permission.READ_RUN_OUTPUTS)
async def get_artifact_url(request: Asking, artifact_id: Path[ArtifactId]) -> str:
    """Tell where an artifact is fetched: a JSON string, alone. The file's name in the address is for people."""
    step_run = await request.step_run()
    return artifact_url(request, await store.get_artifact(*request.reading, step_run.id, artifact_id))
