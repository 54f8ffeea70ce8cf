"""Step runs (§1.7) and what they left: artifacts, console messages, events."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import replace

from controlroom.border.asking import Asking, Path, Permission, Query
from controlroom.border.cursors import RowNumber
from controlroom.border.links import download_url
from controlroom.dialects.robocorp.answers import Identified, Named, Shape, shown_as, shown_with
from controlroom.dialects.robocorp.placements import PlacementBody, show_placement
from controlroom.dialects.robocorp.routing import Page, Pages, get, post
from controlroom.engine.console import model
from controlroom.engine.console import reading as console
from controlroom.engine.console.unfinished import after as following
from controlroom.engine.downloads.model import DownloadKind
from controlroom.engine.lists.errors import FilterTooLarge
from controlroom.engine.processes.model import Placement
from controlroom.engine.runs import pauses, store
from controlroom.engine.runs.model import Artifact, Phase, RunEvent, StepRun, StepRunState
from controlroom.ids import ArtifactId, PhaseId, RunId, StepRunId, UserId
from controlroom.protocol import ErrorCode

ShownState = Literal["new", "awaiting_worker", "in_progress", "completed", "failed"]
_MOST_RUNS: Final = 100
"""So many ids make an address of 5 KB, which servers and proxies let pass."""


class StepRunErrorAnswer(Shape, frozen=True):
    """Why a step run failed. The vendor tells the code alone; the message is ours."""

    code: ErrorCode
    message: str


class ProgressAnswer(Shape, frozen=True):
    """How far a robot is, as it has said last. Ours."""

    done: int | float
    total: int | float | None
    """Null: it does not know how much there is."""
    message: str
    at: datetime


class StepRunAnswer(Shape, frozen=True, kw_only=True, omit_defaults=True):
    """One robot process of a run. The last two fields are ours, and told of one that is not for every worker."""

    id: StepRunId
    state: ShownState
    state_updated_at: datetime
    error: StepRunErrorAnswer | None
    started_at: datetime | None
    ended_at: datetime | None
    duration: float | None
    step: Named
    paused_at: datetime | None
    """Ours: since when its robot is halted, if it is."""
    placement: PlacementBody | None = None
    run_as: UserId | None = None
    progress: ProgressAnswer | None = None
    """Ours: what its robot has said of how far it is, if it has."""
    process_run: Identified | UnsetType = UNSET
    """Ours: whose it is, told where those of several process runs were asked for."""


class PhaseAnswer(Shape, frozen=True, kw_only=True):
    """An ordered section of a step run: its environment, a pre-run script, its task or one of its commands. Ours."""

    id: PhaseId
    attempt: int
    kind: str
    name: str
    state: str
    """waiting, in_progress, succeeded, failed or skipped."""
    started_at: datetime | None
    ended_at: datetime | None
    duration: float | None
    exit_code: int | None
    message: str
    """Why it failed, or was skipped."""
    first_line: int | None
    """Where its part of the console begins, by the lines' numbers; null if it was never begun."""
    console_lines: int | None
    """How many lines that has, once it has ended."""


class ArtifactAnswer(Shape, frozen=True, kw_only=True):
    """A file that a step run left; `size` in bytes."""

    id: ArtifactId
    name: str
    size: int
    phase: Named | UnsetType = UNSET
    """Ours: the phase that left it, told where files of one name are told apart by that."""


class ArtifactWithUrl(ArtifactAnswer, frozen=True, kw_only=True):
    """Likewise, with the address to fetch it by."""

    url: str


class ConsoleMessage(Shape, frozen=True):
    """One line of console output."""

    timestamp: datetime
    message: str
    line_number: int
    """Counted from 1, over all attempts. Ours, and what a robot of the community reads."""


class ConsolePage(Page[ConsoleMessage], omit_defaults=True):
    """One page of console output. `unfinished` is ours: told only to who asks for it."""

    unfinished: ConsoleMessage | UnsetType | None = UNSET
    """What the robot has begun to print behind the page's last line, without an end yet; it changes until it ends."""


class StepRunEvent(Shape, frozen=True):
    """Something that happened to a step run."""

    timestamp: datetime
    event_type: str


@get("/step-runs", needs=Permission.READ_PROCESSES)
async def list_step_runs(request: Asking, paging: Pages, process_run_id: Query[list[RunId]]) -> Page[StepRunAnswer]:
    """List the step runs of a process run, oldest first; or, with several `process_run_id`, those of up to 100.

    Each tells its process run then, and runs that are not there have none.
    """
    if len(process_run_id) > _MOST_RUNS:
        raise FilterTooLarge(f"the step runs of at most {_MOST_RUNS} process runs are listed at once")
    if len(process_run_id) > 1:
        rows = await store.list_step_runs_of(*request.reading, process_run_id, **paging.after(StepRunId))
        return paging.page(rows, lambda found: replace(show(found), process_run=Identified(found.run_id)))
    [run] = process_run_id
    rows = await store.list_step_runs(*request.reading, run, **paging.after(StepRunId))
    if not rows:
        await store.get(*request.reading, run)
    return paging.page(rows, show)


@get("/step-runs/{step_run_id:uuid}", needs=Permission.READ_RUNS)
async def get_step_run(request: Asking, step_run_id: Path[StepRunId]) -> StepRunAnswer:
    """Get a step run."""
    return show(await store.get_step_run(*request.reading, step_run_id))


@post("/step-runs/{step_run_id:uuid}/pause")
async def pause_step_run(request: Asking, step_run_id: Path[StepRunId]) -> StepRunAnswer:
    """Halt a robot at work until it is resumed; its time limit rests meanwhile."""
    return show(await pauses.pause(*request.acting, step_run_id))


@post("/step-runs/{step_run_id:uuid}/resume")
async def resume_step_run(request: Asking, step_run_id: Path[StepRunId]) -> StepRunAnswer:
    """Let a paused robot go on."""
    return show(await pauses.resume(*request.acting, step_run_id))


@get("/step-runs/{step_run_id:uuid}/phases", needs=Permission.READ_RUNS)
async def list_step_run_phases(request: Asking, paging: Pages, step_run_id: Path[StepRunId]) -> Page[PhaseAnswer]:
    """List the phases of a step run, attempt by attempt, in their order; those to come, too."""
    await store.get_step_run(*request.reading, step_run_id)
    after = paging.position(_position) or model.BEGINNING
    phases = await store.list_phases(*request.reading, step_run_id)
    rows = [phase for phase in phases if _place(phase) > after][: paging.fetch]
    begins = {
        attempt: await console.place_of(request.engine, request.seen, step_run_id, attempt, 0)
        for attempt in dict.fromkeys(phase.attempt for phase in rows)
    }

    def shown(phase: Phase) -> PhaseAnswer:
        first = None if phase.first_line is None else begins[phase.attempt] + phase.first_line
        return _show_phase(phase, first_line=first)

    return paging.page(rows, shown, _place)


@get("/step-runs/{step_run_id:uuid}/artifacts", needs=Permission.READ_RUN_OUTPUTS)
async def list_step_run_artifacts(
    request: Asking, paging: Pages, step_run_id: Path[StepRunId], phase: Query[PhaseId | None] = None
) -> Page[ArtifactAnswer]:
    """List the artifacts of a step run, or of one of its phases."""
    await store.get_step_run(*request.reading, step_run_id)
    rows = await store.list_artifacts(*request.reading, step_run_id, phase=phase, **paging.after(ArtifactId))
    return paging.page(rows, _show_artifact)


@get("/step-runs/{step_run_id:uuid}/artifacts/{artifact_id:uuid}", needs=Permission.READ_RUN_OUTPUTS)
async def get_step_run_artifact(
    request: Asking, step_run_id: Path[StepRunId], artifact_id: Path[ArtifactId]
) -> ArtifactWithUrl:
    """Get an artifact, with the address to fetch it by."""
    found = await store.get_artifact(*request.reading, step_run_id, artifact_id)
    return _show_artifact(found).widened(ArtifactWithUrl, url=artifact_url(request, found))


@get("/step-runs/{step_run_id:uuid}/console-messages", needs=Permission.READ_RUN_OUTPUTS)
async def list_step_run_console_messages(
    request: Asking,
    paging: Pages,
    step_run_id: Path[StepRunId],
    unfinished: Query[bool] = False,  # noqa: FBT002 - a query's word
    phase: Query[PhaseId | None] = None,
) -> ConsolePage:
    """List what the step run's programs printed, line by line; while it runs, what has come so far.

    With `unfinished=true` the last page also tells the line that has no end yet, a question or a progress bar; with
    `phase`, only what belongs to that phase is told.
    """
    await store.get_step_run(*request.reading, step_run_id)
    of_phase = None if phase is None else (await store.get_phase(*request.reading, step_run_id, phase)).lines
    after = paging.position(_position) or model.BEGINNING
    rows = await console.read(
        request.engine, request.seen, step_run_id, after=after, limit=paging.fetch, within=of_phase
    )
    page = paging.page(rows, _show_line, lambda row: row.position, size=lambda row: row.size)
    answer = ConsolePage(page.next, page.has_more, page.data)
    if unfinished:
        last = rows[-1].position if rows else after if of_phase is None else max(after, of_phase.before)
        is_over = page.has_more or (of_phase is not None and of_phase.end != model.OPEN)
        line = None if is_over else following(request.engine, step_run_id, last)
        answer.unfinished = None
        if line is not None:
            place = await console.place_of(request.engine, request.seen, step_run_id, line.attempt, line.number)
            answer.unfinished = ConsoleMessage(line.at, line.text, place)
    return answer


@get("/step-runs/{step_run_id:uuid}/events", needs=Permission.READ_RUN_OUTPUTS)
async def list_step_run_events(request: Asking, paging: Pages, step_run_id: Path[StepRunId]) -> Page[StepRunEvent]:
    """List what happened to the step run, oldest first."""
    await store.get_step_run(*request.reading, step_run_id)
    return paging.page(await store.list_events(*request.reading, step_run_id, **paging.after(int)), _show_event)


def artifact_url(request: Asking, artifact: Artifact) -> str:
    """Where an artifact may be fetched for an hour; it is called there as in its folder."""
    name = artifact.name.rpartition("/")[2]
    return download_url(request, DownloadKind.ARTIFACT, artifact.id, file_name=name)


def _state(step_run: StepRun) -> StepRunState:
    """Lists leave withdrawn ones out; who asks for one by its id is told the nearest of this dialect's words."""
    return StepRunState.COMPLETED if step_run.state is StepRunState.WITHDRAWN else step_run.state


def _error(step_run: StepRun) -> StepRunErrorAnswer | None:
    code = step_run.error_code
    return None if code is None else StepRunErrorAnswer(code, step_run.error_message)


show = shown_as(
    StepRunAnswer,
    StepRun,
    state=_state,
    error=_error,
    placement=lambda step_run: show_placement(Placement(step_run.places)) if step_run.places else None,
)
"""A step run as this dialect writes it."""


def _phase_of(artifact: Artifact) -> Named | UnsetType:
    return UNSET if artifact.phase_id is None else Named(artifact.phase_id, artifact.phase_name or "")


_show_phase = shown_with(("first_line",), PhaseAnswer, Phase, console_lines="line_count")
_show_artifact = shown_as(ArtifactAnswer, Artifact, phase=_phase_of)
_show_line = shown_as(ConsoleMessage, model.Line, message="text", line_number="place")
_show_event = shown_as(StepRunEvent, RunEvent)


def _place(phase: Phase) -> model.Position:
    return model.Position(phase.attempt, phase.position)


def _position(found: Any) -> model.Position:
    attempt, line = msgspec.convert(found, tuple[_Attempt, RowNumber])
    return model.Position(attempt, line)


_Attempt = Annotated[int, Meta(ge=0, le=2**31 - 1)]
