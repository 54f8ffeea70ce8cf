"""Artifacts (§6): what the steps of a run have left, each as it left it; files go raw, without an envelope.

Without `step` it is the last step that has left any. What lies below `logs/` is shown as a step's debug logs instead.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from mimetypes import guess_type
from typing import Annotated, Final
from urllib.parse import quote

from litestar.response import Stream

from controlroom.dialects.dbt_cloud.asking import Asking, Path, Permission, QueryParameter
from controlroom.dialects.dbt_cloud.errors import FieldsWrong
from controlroom.dialects.dbt_cloud.ids import Id, find
from controlroom.dialects.dbt_cloud.routing import get
from controlroom.engine.jobs.store import JOB
from controlroom.engine.runs.errors import ArtifactNotFound
from controlroom.engine.runs.projects import left, listings
from controlroom.engine.runs.projects.left import LeftFile
from controlroom.engine.runs.store import RUN

Step = Annotated[str, QueryParameter(name="step", description="The index of a step, counted from 1.")]

_SAFE: Final = {
    "content-security-policy": "sandbox; default-src 'none'",
    "x-content-type-options": "nosniff",
    "cache-control": "private, no-store",
}
"""What a run has made is never a page of ours."""
_TYPES: Final = {".parquet": "application/x-parquet", ".sql": "text/plain", ".msgpack": "application/msgpack"}


@get("/accounts/{account}/runs/{run}/artifacts", needs=Permission.READ_RUN_OUTPUTS)
async def list_run_artifacts(request: Asking, run: Id, step: Step = "") -> list[str]:
    """The paths of what a step of a run has left; of the last one, if none is named."""
    located = await find(request, RUN, run)
    await listings.listed(request.db, located.scope, located.id)
    found = await left.files(request.db, located.scope, located.id, phase=_phase(step))
    return [file.name for file in found]


@get("/accounts/{account}/runs/{run}/artifacts/{path:path}", needs=Permission.READ_RUN_OUTPUTS)
async def get_run_artifact(request: Asking, run: Id, path: Path[str], step: Step = "") -> Stream:
    """A file that a step of a run has left."""
    located = await find(request, RUN, run)
    name = path.strip("/")
    found = await left.files(request.db, located.scope, located.id, phase=_phase(step), name=name)
    return await _given(request, name, found[0] if found else None)


@get("/accounts/{account}/jobs/{job}/artifacts/{path:path}", needs=Permission.READ_RUN_OUTPUTS)
async def get_job_artifact(request: Asking, job: Id, path: Path[str]) -> Stream:
    """A file as the last good run of a job has left it that has such a file."""
    located = await find(request, JOB, job)
    name = path.strip("/")
    return await _given(request, name, await left.file_of_job(request.db, located.scope, located.id, name))


def _phase(step: str) -> int | None:
    """The position of a step; -1, where there is none, for one that no run has."""
    text = step.strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit()):
        raise FieldsWrong({"step": "the index of a step, counted from 1"})
    return min(int(text[:9]), 2**30) - 1


async def _given(request: Asking, name: str, file: LeftFile | None) -> Stream:
    if file is None:
        raise ArtifactNotFound(name)
    pieces = request.engine.objects.stream(file.hash)
    first = await anext(pieces, b"")  # what is not there is still a plain 404
    plain = name.rpartition("/")[2]
    headers = {
        **_SAFE,
        "content-length": str(file.size),
        "content-disposition": f"attachment; filename*=UTF-8''{quote(plain, safe='')}",
    }
    return Stream(_following(first, pieces), media_type=_type_of(plain), headers=headers)


def _type_of(name: str) -> str:
    ending = name[name.rfind(".") :].lower() if "." in name else ""
    return _TYPES.get(ending) or guess_type(name)[0] or "application/octet-stream"


async def _following(first: bytes, pieces: AsyncGenerator[bytes, None]) -> AsyncIterator[bytes]:
    async with aclosing(pieces):
        yield first
        async for piece in pieces:
            yield piece
