"""A worker asks for code to read, and tells what it has found."""

from litestar.params import FromPath, JSONBody

from controlroom.dialects.worker_api.asking import WorkerRequest
from controlroom.dialects.worker_api.reports import Attempt
from controlroom.dialects.worker_api.routing import post
from controlroom.dialects.worker_api.sessions import LONGEST_WAIT_SECONDS
from controlroom.engine.analyses import claims
from controlroom.ids import CodeAnalysisId
from controlroom.protocol import AskForCode, CodeToReads, FoundInCode


@post("/code/claims")
async def claim_code(request: WorkerRequest, data: JSONBody[AskForCode]) -> CodeToReads:
    """Ask for code to read; the answer comes with it, or empty when the wait is over."""
    engine, worker = request.serving
    with claims.waiting(engine, worker) as watch:
        code = await claims.claim(engine, worker)
        if code is None and data.wait_seconds > 0:
            async with request.holds.hold(request, watch, min(data.wait_seconds, LONGEST_WAIT_SECONDS)) as hold:
                while code is None and await hold.goes_on():
                    # Why only then: the next call looks anyway, and a thousand workers wait here
                    if hold.was_woken:
                        code = await claims.claim(engine, worker)
    return CodeToReads(code)


@post("/code/{analysis_id:uuid}/attempts/{attempt:int}/finish")
async def finish_code(
    request: WorkerRequest, analysis_id: FromPath[CodeAnalysisId], attempt: Attempt, data: JSONBody[FoundInCode]
) -> dict[str, str]:
    """Tell what was found in it."""
    await claims.finish(*request.serving, analysis_id, attempt, data)
    return {}
