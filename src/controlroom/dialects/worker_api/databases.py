"""The file of a database that an attempt works on: what a worker fetches before it, and brings behind it."""

from litestar.params import FromPath
from litestar.response import Stream

from controlroom.dialects.worker_api.asking import WorkerRequest
from controlroom.dialects.worker_api.reports import ATTEMPT, Attempt, Number, content_of
from controlroom.dialects.worker_api.routing import get, put
from controlroom.engine.runs import databases
from controlroom.ids import StepRunId


@get(ATTEMPT + "/database/{digest:str}", media_type="application/octet-stream")
async def get_version(
    request: WorkerRequest, step_run_id: FromPath[StepRunId], attempt: Attempt, digest: FromPath[str]
) -> Stream:
    """Fetch the version that the attempt begins with, by the hash that its assignment names."""
    size = await databases.size_of(*request.serving, step_run_id, attempt, digest)
    headers = {"content-length": str(size)}
    stream = request.engine.objects.stream(digest)
    return Stream(stream, media_type="application/octet-stream", headers=headers)


@put(ATTEMPT + "/database", request_max_body_size=None)
async def put_version(
    request: WorkerRequest, step_run_id: FromPath[StepRunId], attempt: Attempt, size: Number
) -> dict[str, str]:
    """Bring the database as the attempt leaves it, streamed."""
    await databases.bring(*request.serving, step_run_id, attempt, content_of(request), size=size)
    return {}
