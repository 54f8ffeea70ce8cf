"""What a worker asks for a run of a project: its plan, its source, files by content."""

from litestar.params import FromPath
from litestar.response import Stream

from controlroom.dialects.worker_api.asking import WorkerRequest
from controlroom.dialects.worker_api.reports import ATTEMPT, Attempt
from controlroom.dialects.worker_api.routing import get
from controlroom.engine.runs.projects import files, plans, sources
from controlroom.ids import StepRunId
from controlroom.project_plans import ProjectPlan, ProjectSource

_PROJECT = ATTEMPT + "/project"


@get(_PROJECT)
async def get_plan(request: WorkerRequest, step_run_id: FromPath[StepRunId], attempt: Attempt) -> ProjectPlan:
    """Tell what the attempt is to do and with what, secrets included."""
    return await plans.plan_for(*request.serving, step_run_id, attempt)


@get(_PROJECT + "/source")
async def get_source(request: WorkerRequest, step_run_id: FromPath[StepRunId], attempt: Attempt) -> ProjectSource:
    """Tell where the project's files are, when to ask again, or why there are none."""
    return await sources.source_for(*request.serving, step_run_id, attempt)


@get(_PROJECT + "/files/{digest:str}", media_type="application/octet-stream")
async def get_file(
    request: WorkerRequest, step_run_id: FromPath[StepRunId], attempt: Attempt, digest: FromPath[str]
) -> Stream:
    """Fetch a file that plan or source name, by the hash of its content."""
    size = await files.size_of(*request.serving, step_run_id, attempt, digest)
    headers = {"content-length": str(size)}
    stream = request.engine.objects.stream(digest)
    return Stream(stream, media_type="application/octet-stream", headers=headers)
