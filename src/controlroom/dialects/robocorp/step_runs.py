"""Step runs (§1.7) and what they left: artifacts, console messages, events."""

from datetime import datetime
from typing import Annotated, Any, Literal, assert_never

import msgspec
from litestar.params import FromPath, FromQuery
from msgspec import UNSET, Meta, Struct, UnsetType

from controlroom.border.asking import Asking
from controlroom.dialects.robocorp.answers import Named, seconds
from controlroom.dialects.robocorp.links import download_url
from controlroom.dialects.robocorp.paging import Page, Pages, RowNumber
from controlroom.dialects.robocorp.routing import get
from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.console import reading as console
from controlroom.engine.console.model import BEGINNING, Line, Position
from controlroom.engine.console.unfinished import after as following
from controlroom.engine.downloads.model import DownloadKind
from controlroom.engine.engine import Engine
from controlroom.engine.runs import store
from controlroom.engine.runs.errors import RunNotFound, StepRunNotFound
from controlroom.engine.runs.model import Artifact, RunEvent, StepRun, StepRunState
from controlroom.errors import NotFound
from controlroom.ids import ArtifactId, RunId, StepRunId, WorkspaceId
from controlroom.protocol import ErrorCode

ShownState = Literal["new", "awaiting_worker", "in_progress", "completed", "failed"]


class StepRunErrorAnswer(Struct, frozen=True):
    """Why a step run failed. The vendor tells the code alone; the message is ours."""

    code: ErrorCode
    message: str


class StepRunAnswer(Struct, frozen=True, kw_only=True):
    """One robot process of a run."""

    id: StepRunId
    state: ShownState
    state_updated_at: datetime
    error: StepRunErrorAnswer | None
    started_at: datetime | None
    ended_at: datetime | None
    duration: float | None
    step: Named


class ArtifactAnswer(Struct, frozen=True):
    """A file that a step run left; `size` in bytes."""

    id: ArtifactId
    name: str
    size: int


class ArtifactWithUrl(Struct, frozen=True):
    """Likewise, with the address to fetch it by."""

    id: ArtifactId
    name: str
    size: int
    url: str


class ConsoleMessage(Struct, frozen=True):
    """One line of console output."""

    timestamp: datetime
    message: str
    line_number: int
    """Counted from 1, over all attempts. Ours, and what a robot of the community reads."""


class ConsolePage(Page[ConsoleMessage], omit_defaults=True):
    """One page of console output. `unfinished` is ours: told only to who asks for it."""

    unfinished: ConsoleMessage | UnsetType | None = UNSET
    """What the robot has begun to print behind the page's last line, without an end yet; it changes until it ends."""


class StepRunEvent(Struct, frozen=True):
    """Something that happened to a step run."""

    timestamp: datetime
    event_type: str


@get("/step-runs", needs=Permission.READ_PROCESSES)
async def list_step_runs(request: Asking, paging: Pages, process_run_id: FromQuery[RunId]) -> Page[StepRunAnswer]:
    """List the step runs of a process run, oldest first."""
    rows = await store.list_step_runs(
        request.db, request.workspace, process_run_id, after=paging.after(StepRunId), limit=paging.fetch
    )
    if not rows and await store.get(request.db, request.workspace, process_run_id) is None:
        raise RunNotFound(process_run_id)
    return paging.page(rows, show, lambda row: row.id)


@get("/step-runs/{step_run_id:uuid}", needs=Permission.READ_RUNS)
async def get_step_run(request: Asking, step_run_id: FromPath[StepRunId]) -> StepRunAnswer:
    """Get a step run."""
    return show(await _found(request.engine, request.workspace, step_run_id))


@get("/step-runs/{step_run_id:uuid}/artifacts")
async def list_step_run_artifacts(
    request: Asking, paging: Pages, step_run_id: FromPath[StepRunId]
) -> Page[ArtifactAnswer]:
    """List the artifacts of a step run."""
    await _outputs_of(*request.acting, step_run_id)
    rows = await store.list_artifacts(
        request.db, request.workspace, step_run_id, after=paging.after(ArtifactId), limit=paging.fetch
    )
    return paging.page(rows, _show_artifact, lambda row: row.id)


@get(
    "/step-runs/{step_run_id:uuid}/artifacts/{artifact_id:uuid}",
    needs=Permission.READ_RUN_OUTPUTS,
)
async def get_step_run_artifact(
    request: Asking,
    step_run_id: FromPath[StepRunId],
    artifact_id: FromPath[ArtifactId],
) -> ArtifactWithUrl:
    """Get an artifact, with the address to fetch it by."""
    found = await store.get_artifact(request.db, request.workspace, step_run_id, artifact_id)
    if found is None:
        raise NotFound(f"there is no artifact {artifact_id}", code="ARTIFACT_NOT_FOUND")
    name = found.name.rpartition("/")[2]
    url = download_url(request, DownloadKind.ARTIFACT, found.id, request.workspace, file_name=name)
    return ArtifactWithUrl(found.id, found.name, found.size, url)


@get("/step-runs/{step_run_id:uuid}/console-messages", needs=Permission.READ_RUN_OUTPUTS)
async def list_step_run_console_messages(
    request: Asking,
    paging: Pages,
    step_run_id: FromPath[StepRunId],
    unfinished: FromQuery[bool] = False,  # noqa: FBT002 - a query's word
) -> ConsolePage:
    """List what the step run's programs printed, line by line; while it runs, what has come so far.

    With `unfinished=true` the last page also tells the line that has no end yet, a question or a progress bar.
    """
    await _outputs_of(*request.acting, step_run_id)
    after = paging.after(_position) or BEGINNING
    rows = await console.read(request.engine, request.seen, step_run_id, after=after, limit=paging.fetch)
    page = paging.page(rows, _show_line, lambda row: row.position, size=lambda row: row.size)
    answer = ConsolePage(page.next, page.has_more, page.data)
    if unfinished:
        line = None if page.has_more else following(request.engine, step_run_id, rows[-1].position if rows else after)
        answer.unfinished = None
        if line is not None:
            place = await console.place_of(request.engine, request.seen, step_run_id, line.attempt, line.number)
            answer.unfinished = ConsoleMessage(line.at, line.text, place)
    return answer


@get("/step-runs/{step_run_id:uuid}/events")
async def list_step_run_events(request: Asking, paging: Pages, step_run_id: FromPath[StepRunId]) -> Page[StepRunEvent]:
    """List what happened to the step run, oldest first."""
    await _outputs_of(*request.acting, step_run_id)
    rows = await store.list_events(
        request.db, request.workspace, step_run_id, after=paging.after(int), limit=paging.fetch
    )
    return paging.page(rows, _show_event, lambda row: row.id)


def show(step_run: StepRun) -> StepRunAnswer:
    """A step run as this dialect writes it."""
    code = step_run.error_code
    return StepRunAnswer(
        id=step_run.id,
        state=_state(step_run.state),
        state_updated_at=step_run.state_at,
        error=None if code is None else StepRunErrorAnswer(code, step_run.error_message),
        started_at=step_run.started_at,
        ended_at=step_run.ended_at,
        duration=seconds(step_run.duration),
        step=Named(step_run.step_id, step_run.step_name),
    )


def _state(state: StepRunState) -> ShownState:
    match state:
        case StepRunState.NEW:
            return "new"
        case StepRunState.AWAITING_WORKER:
            return "awaiting_worker"
        case StepRunState.IN_PROGRESS:
            return "in_progress"
        case StepRunState.COMPLETED | StepRunState.WITHDRAWN:  # lists leave withdrawn ones out
            return "completed"
        case StepRunState.FAILED:
            return "failed"
        case _:
            assert_never(state)


async def _found(engine: Engine, workspace: WorkspaceId, step_run: StepRunId) -> StepRun:
    found = await store.get_step_run(engine.database, workspace, step_run)
    if found is None:
        raise StepRunNotFound(step_run)
    return found


async def _outputs_of(engine: Engine, actor: Actor, workspace: WorkspaceId, step_run: StepRunId) -> None:
    """Raise unless the actor may read what the step run left, and there is such a step run."""
    actor.require(Permission.READ_RUN_OUTPUTS, workspace)
    await _found(engine, workspace, step_run)


def _position(found: Any) -> Position:
    attempt, line = msgspec.convert(found, tuple[_Attempt, RowNumber])
    return Position(attempt, line)


_Attempt = Annotated[int, Meta(ge=0, le=2**31 - 1)]


def _show_artifact(artifact: Artifact) -> ArtifactAnswer:
    return ArtifactAnswer(artifact.id, artifact.name, artifact.size)


def _show_line(line: Line) -> ConsoleMessage:
    return ConsoleMessage(line.at, line.text, line.place)


def _show_event(event: RunEvent) -> StepRunEvent:
    return StepRunEvent(event.at, event.kind)
