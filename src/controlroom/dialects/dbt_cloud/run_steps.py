"""Run steps (§3.8, §4): the phases of a run's last attempt, those that were skipped, too, with their logs.

Logs are readable while they grow, and only ever grow: there are clients that print what is new by its length. They are
a text, never null, and not empty of a step that has succeeded. Debug logs are the files `logs/dbt.log` of the phases:
their end with each step, the whole where it is asked for.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from controlroom.dialects.dbt_cloud.answers import Shape
from controlroom.dialects.dbt_cloud.asking import Asking, Permission
from controlroom.dialects.dbt_cloud.ids import Id, find
from controlroom.dialects.dbt_cloud.routing import get
from controlroom.dialects.dbt_cloud.run_shapes import WORDS, TriggerShown, shown_trigger
from controlroom.dialects.dbt_cloud.times import clock, humanized, with_blank
from controlroom.engine.console import reading as console
from controlroom.engine.console.model import Position
from controlroom.engine.nouns import Missing
from controlroom.engine.runs.projects import left, listings
from controlroom.engine.runs.projects.left import RunPhase
from controlroom.engine.runs.projects.listings import ListedRun
from controlroom.engine.runs.projects.model import Stage
from controlroom.engine.runs.store import PHASE
from controlroom.engine.tenancy import Of
from controlroom.protocol import PhaseState

MOST_LOG: Final = 16 << 20
"""Bytes of a step's log that are told; what comes after them stands in the console of the run."""
MOST_LOG_OF_LISTED: Final = 64 << 10
"""Likewise, of a step of a run in a list: a page has many."""
_TAIL_LINES: Final = 1_000
_TAIL_BYTES: Final = 256 << 10
_MOST_DEBUG: Final = 32 << 20
_LINES: Final = 5_000
_SILENT: Final = "(no output)"

_STATUS: Final[Mapping[str, int]] = {
    PhaseState.WAITING: 1,
    PhaseState.IN_PROGRESS: 3,
    PhaseState.SUCCEEDED: 10,
    PhaseState.FAILED: 20,
    PhaseState.SKIPPED: 30,
}
_SKIPPED: Final = "Skipped"
_COMMAND: Final = re.compile(r"Invoke dbt with `(.*)`", re.DOTALL)
_COLORS: Final[Mapping[int, str]] = {
    1: "#6b7280",
    3: "#2563eb",
    10: "#16a34a",
    20: "#dc2626",
    30: "#9ca3af",
}


class CommandShown(Shape, frozen=True, kw_only=True):
    """The command of a step."""

    run_step_id: int
    dbt_command: str


class InvocationShown(Shape, frozen=True, kw_only=True):
    """Of which run a step is."""

    run_step_id: int
    run_id: int


class StepShown(Shape, frozen=True, kw_only=True):
    """A step of a run."""

    id: int
    run_id: int
    account_id: int
    index: int
    status: int
    status_humanized: str
    status_color: str
    name: str
    logs: str
    debug_logs: str | None
    truncated_debug_logs: str
    log_path: str | None = None
    debug_log_path: str | None
    log_location: str = "db"
    log_archive_type: str = "db_flushed"
    created_at: str
    updated_at: str
    started_at: str | None
    finished_at: str | None
    duration: str
    duration_humanized: str
    run_step_command: CommandShown | None
    run_step_invocation: InvocationShown
    trigger: TriggerShown | None = None


@get("/accounts/{account}/steps/{step}", needs=Permission.READ_RUNS)
async def get_step(request: Asking, step: Id) -> StepShown:
    """A step of a run, by its own id. `include_related` takes `trigger` and `debug_logs`."""
    located = await find(request, PHASE, step)
    run = await listings.of_phase(request.db, located.scope, located.id)
    found = await left.phase(request.db, located.scope, located.id)
    if run is None or found is None:
        raise Missing("step", step)
    return await _shown(request, run, found, most=MOST_LOG)


async def steps_of(request: Asking, runs: Sequence[ListedRun], *, most: int) -> dict[int, list[StepShown]]:
    """The steps of some runs, by their numbers; of each log so many bytes."""
    by_step_run = {run.step_run_id: run for run in runs if run.step_run_id is not None}
    phases = await left.phases(request.db, request.seen, list(by_step_run))
    return {
        run.number: [await _shown(request, run, phase, most=most) for phase in phases[step_run]]
        for step_run, run in by_step_run.items()
    }


async def _shown(request: Asking, run: ListedRun, phase: RunPhase, *, most: int) -> StepShown:
    status, state = _STATUS[phase.state], PhaseState(phase.state)
    if state is PhaseState.FAILED and run.stage is Stage.CANCELLED:
        status = 30
    began, ended = phase.started_at, phase.ended_at
    took = None if began is None else (ended or run.asked_at) - began
    command, is_told = _COMMAND.fullmatch(phase.name), _may_read(request, run)
    wants_debug = "debug_logs" in request.related
    return StepShown(
        id=phase.number,
        run_id=run.number,
        account_id=request.account,
        index=phase.position + 1,
        status=status,
        status_humanized=_SKIPPED if state is PhaseState.SKIPPED else WORDS[status],
        status_color=_COLORS[status],
        name=phase.name,
        logs=await _log(request, run, phase, most=most) if is_told else "",
        debug_logs=await _file(request, phase, 0) if wants_debug and is_told else None,
        truncated_debug_logs=await _tail(request, phase) if is_told and most == MOST_LOG else "",
        debug_log_path=None if phase.debug_hash is None else left.DEBUG_LOG,
        created_at=with_blank(began or run.dequeued_at or run.created_at),
        updated_at=with_blank(ended or began or run.created_at),
        started_at=_or_none(began),
        finished_at=_or_none(ended),
        duration="00:00:00" if took is None else clock(took),
        duration_humanized="0 minutes" if took is None else humanized(took),
        run_step_command=CommandShown(run_step_id=phase.number, dbt_command=command[1]) if command else None,
        run_step_invocation=InvocationShown(run_step_id=phase.number, run_id=run.number),
        trigger=shown_trigger(run) if "trigger" in request.related else None,
    )


def _may_read(request: Asking, run: ListedRun) -> bool:
    return request.actor.may(Permission.READ_RUN_OUTPUTS, run.workspace_id)


def _or_none(at: datetime | None) -> str | None:
    return None if at is None else with_blank(at)


async def _log(request: Asking, run: ListedRun, phase: RunPhase, *, most: int) -> str:
    """What a step has printed until now: whole lines, from its first on."""
    seen = Of(request.actor.organization_id, (run.workspace_id,))
    texts: list[str] = []
    size, lines = 0, phase.lines
    after: Position | None = lines.before
    while after is not None and lines.end > lines.first and size < most:
        found = await console.read(request.engine, seen, phase.step_run_id, after=after, limit=_LINES, within=lines)
        for line in found:
            size += line.size + 1
            if size > most:
                break
            texts.append(line.text)
        after = found[-1].position if found else None
    if not texts and phase.state == PhaseState.SUCCEEDED:
        return _SILENT
    return "".join(f"{text}\n" for text in texts)


async def _tail(request: Asking, phase: RunPhase) -> str:
    if phase.debug_hash is None:
        return ""
    start = max(0, phase.debug_size - _TAIL_BYTES)
    text = await _file(request, phase, start) or ""
    lines = text.splitlines(keepends=True)[1 if start else 0 :]
    return "".join(lines[-_TAIL_LINES:])


async def _file(request: Asking, phase: RunPhase, start: int) -> str:
    if phase.debug_hash is None:
        return ""
    end = min(phase.debug_size, start + _MOST_DEBUG)
    pieces = request.engine.objects.stream(phase.debug_hash, start=start, end=end)
    return b"".join([piece async for piece in pieces]).decode(errors="replace")
