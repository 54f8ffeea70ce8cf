"""A start that answers with what the run put out (our own management API)."""

from contextlib import AbstractAsyncContextManager
from typing import Annotated, Final

from msgspec import Meta, Raw

from controlroom.border.asking import Asking, Body, Path
from controlroom.border.long_polls import Hold
from controlroom.dialects.robocorp.answers import Shape
from controlroom.dialects.robocorp.codes import told_exception
from controlroom.dialects.robocorp.process_runs import NotStarted, StartRequest, inputs_of, parameters_of
from controlroom.dialects.robocorp.routing import post
from controlroom.dialects.robocorp.work_items import ExceptionAnswer, show_exception
from controlroom.engine.runs import calls, model
from controlroom.engine.wakes import Watch
from controlroom.ids import ProcessId, RunId, TaskId

LONGEST_SECONDS: Final = 600.0
"""How long a call may wait. Who needs longer starts a run, and looks."""
_USUAL_SECONDS: Final = 30.0


class CallRequest(StartRequest, frozen=True, kw_only=True):
    """How to start a run, and how long to wait for its end."""

    wait_seconds: Annotated[float, Meta(ge=0, le=LONGEST_SECONDS)] = _USUAL_SECONDS


class CallAnswer(Shape, frozen=True, kw_only=True):
    """The run that was started, as it was when the wait was over. Outputs are told of a run that has ended."""

    id: RunId
    ended: bool
    state: model.RunState
    result: model.Result | None
    outputs: dict[str, Raw] | None
    """The fields of the payloads of its outputs; of one name, the last."""
    outputs_complete: bool
    """Whether these are all; if not, or for files, list the outputs of the run."""
    exception: ExceptionAnswer | None
    """Why the run is unresolved: of one of its items that failed."""


@post("/processes/{process_id:uuid}/calls")
async def call_process(
    request: Asking, process_id: Path[ProcessId], data: Body[CallRequest | None] = None
) -> CallAnswer | NotStarted:
    """Start a process and wait for the end of the run; when the wait is over, or the caller leaves, the run goes on."""
    return await _call(request, model.OfProcess(process_id), data or CallRequest())


@post("/tasks/{task_id:uuid}/calls")
async def call_task(
    request: Asking, task_id: Path[TaskId], data: Body[CallRequest | None] = None
) -> CallAnswer | NotStarted:
    """Start a bare task of a package and wait for the end of the run, likewise."""
    return await _call(request, model.OfTask(task_id), data or CallRequest())


async def _call(request: Asking, what: model.OfProcess | model.OfTask, asked: CallRequest) -> CallAnswer | NotStarted:
    def waiting(watch: Watch) -> AbstractAsyncContextManager[Hold]:
        return request.holds.hold(request, watch, asked.wait_seconds)

    called = await calls.start_and_wait(*request.acting, what, inputs_of(asked), parameters_of(asked), waiting=waiting)
    return NotStarted() if called is None else _show(called)


def _show(called: calls.Called) -> CallAnswer:
    run, outputs, exception = called.run, called.outputs, called.exception
    return CallAnswer(
        id=run.id,
        ended=outputs is not None,
        state=run.state,
        result=run.result,
        outputs=None if outputs is None else outputs.values,
        outputs_complete=outputs is not None and outputs.is_whole,
        exception=None if exception is None else show_exception(told_exception(exception)),
    )
