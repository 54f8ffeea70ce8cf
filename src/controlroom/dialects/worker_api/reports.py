"""What a worker fetches and tells for one attempt of a step run."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

import msgspec
from litestar.params import FromPath, JSONBody, PathParameter, QueryParameter, RawBody
from litestar.response import Stream

from controlroom.dialects.worker_api.artifact_names import checked_artifact_name
from controlroom.dialects.worker_api.asking import WorkerRequest
from controlroom.dialects.worker_api.routing import get, post, put
from controlroom.engine.analyses import claims
from controlroom.engine.console import actions as console
from controlroom.engine.console.errors import BatchInvalid
from controlroom.engine.packages import store as packages
from controlroom.engine.runs import reports
from controlroom.errors import Invalid, NotFound
from controlroom.ids import StepRunId
from controlroom.protocol import SMALL_ARTIFACTS_BYTES, Finish, PhaseReports, Return, SmallArtifacts

Attempt = Annotated[int, PathParameter(ge=0, le=2**31 - 1)]
Number = Annotated[int, QueryParameter(ge=0, le=2**62)]
Position = Annotated[int | None, QueryParameter(ge=0, le=2**31 - 1)]
Instant = Annotated[float, QueryParameter(ge=0, le=253_402_300_000)]
"""Unix seconds, up to the year 9999."""

ATTEMPT = "/step-runs/{step_run_id:uuid}/attempts/{attempt:int}"


@get("/packages/{digest:str}", media_type="application/zip")
async def get_package(request: WorkerRequest, digest: FromPath[str]) -> Stream:
    """Fetch a package's zip by the hash of its content."""
    objects = request.engine.objects
    found = await packages.zip_by_hash(*request.reading, digest)
    size = found.size if found else await claims.size_of(*request.serving, digest)
    if size is None or await objects.size(digest) is None:
        raise NotFound("there is no such package", code="PACKAGE_NOT_FOUND")
    headers = {"content-length": str(size)}
    return Stream(objects.stream(digest), media_type="application/zip", headers=headers)


@post(ATTEMPT + "/phases")
async def report_phases(
    request: WorkerRequest, step_run_id: FromPath[StepRunId], attempt: Attempt, data: JSONBody[PhaseReports]
) -> dict[str, str]:
    """Tell the phases that changed."""
    await reports.report_phases(*request.serving, step_run_id, attempt, data)
    return {}


@post(ATTEMPT + "/console")
async def append_console(
    request: WorkerRequest,
    step_run_id: FromPath[StepRunId],
    attempt: Attempt,
    first: Number,
    count: Number,
    at: Instant,
    body: RawBody,
    unfinished: Number = 0,
) -> dict[str, str]:
    """Append console lines: UTF-8, each ended by a line feed. The body's last `unfinished` bytes have no end yet."""
    end = len(body) - unfinished
    if end < 0:
        raise BatchInvalid("holds the line without end that it announces")
    lines, begun = body[:end], body[end:]
    await console.append(
        *request.serving, step_run_id, attempt, first=first, count=count, at=at, body=lines, unfinished=begun
    )
    return {}


@put(ATTEMPT + "/artifacts/{name:path}", request_max_body_size=None)
async def put_artifact(
    request: WorkerRequest,
    step_run_id: FromPath[StepRunId],
    attempt: Attempt,
    name: FromPath[str],
    size: Number,
    phase: Position = None,
) -> dict[str, str]:
    """Store a file that the attempt left, streamed."""
    engine, artifact = request.engine, checked_artifact_name(name.removeprefix("/"))
    blob = await engine.objects.put(content_of(request), expected_size=size, max_size=engine.limits.artifact_bytes)
    await reports.add_artifacts(*request.serving, step_run_id, attempt, {artifact: blob}, phase=phase)
    return {}


# names and frames come on top of the content
@post(ATTEMPT + "/artifacts", request_max_body_size=2 * SMALL_ARTIFACTS_BYTES)
async def post_small_artifacts(
    request: WorkerRequest, step_run_id: FromPath[StepRunId], attempt: Attempt, body: RawBody
) -> dict[str, str]:
    """Store several small files that the attempt left."""
    try:
        small = msgspec.msgpack.decode(body, type=SmallArtifacts)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Invalid(f"these are no artifacts: {error}", code="ARTIFACTS_INVALID") from error
    contents = {checked_artifact_name(file.name): file.content for file in small.artifacts}
    if len(contents) < len(small.artifacts):
        raise Invalid("two artifacts have the same name", code="ARTIFACTS_INVALID")
    if sum(map(len, contents.values())) > SMALL_ARTIFACTS_BYTES:
        raise Invalid(f"they have more than {SMALL_ARTIFACTS_BYTES:,} bytes", code="ARTIFACTS_INVALID")
    blobs = await asyncio.gather(*map(request.engine.objects.put_bytes, contents.values()))
    stored = dict(zip(contents, blobs, strict=True))
    await reports.add_artifacts(*request.serving, step_run_id, attempt, stored, phase=small.phase)
    return {}


@post(ATTEMPT + "/finish")
async def finish(
    request: WorkerRequest, step_run_id: FromPath[StepRunId], attempt: Attempt, data: JSONBody[Finish]
) -> dict[str, str]:
    """Tell that the attempt has ended."""
    await reports.finish(*request.serving, step_run_id, attempt, data)
    return {}


@post(ATTEMPT + "/return")
async def give_back(
    request: WorkerRequest, step_run_id: FromPath[StepRunId], attempt: Attempt, data: JSONBody[Return]
) -> dict[str, str]:
    """Tell that the attempt could not be begun, so that another worker gets it."""
    await reports.give_back(*request.serving, step_run_id, attempt, data.reason)
    return {}


async def content_of(request: WorkerRequest) -> AsyncIterator[bytes]:
    """The body as it comes; raises Invalid `INTERRUPTED` when the worker has gone before its end."""
    more = True
    while more:
        message = await request.receive()
        if message["type"] != "http.request":
            raise Invalid("the upload was interrupted", code="INTERRUPTED")
        if body := message["body"]:
            yield body
        more = message["more_body"]
