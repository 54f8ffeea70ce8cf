"""What a step run has printed: a page of a thousand lines, and behind it what the viewer asks for (`log.js`)."""

from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Final

import msgspec
from litestar.response import Stream
from msgspec import Struct

from controlroom.border.abandoned import unless_left
from controlroom.engine.console import reading, searching
from controlroom.engine.console import store as consoles
from controlroom.engine.console.model import Line, Position, Range
from controlroom.engine.console.search_rules import LONGEST_SOUGHT, Sought
from controlroom.engine.console.unfinished import after as unfinished_after
from controlroom.engine.references import resolve
from controlroom.engine.runs import store
from controlroom.engine.runs.model import Phase, Result, StepRun
from controlroom.engine.runs.store import STEP_RUN
from controlroom.errors import Invalid, NotFound
from controlroom.ids import StepRunId
from controlroom.ui.asking import Asking, Path, Permission, Shown
from controlroom.ui.routing import page
from controlroom.ui.runs.pages_run import MOST_STEP_RUNS, run_of, show_of_run

LINES: Final = 1000
"""Lines of a page without script."""
FIRST: Final = 300
"""Lines with which a console is opened: more than a screen shows, and few enough to be there at once."""
_ABOVE: Final = 8
"""Lines above the first error, for whoever begins to read there."""
MOST_LINES: Final = 2000
"""Lines of one answer to the viewer."""
_MOST_ARTIFACTS: Final = 200
_LOOKED_THROUGH: Final = 200_000
"""Lines up to which a page looks for the first error by itself; beyond, the viewer does so after it is there."""
_JSON: Final = b"application/json"
_NEEDS: Final = (Permission.READ_RUN_OUTPUTS, Permission.READ_RUNS)
_WENT_WRONG: Final = frozenset({Result.FAILED, Result.LOST, Result.TIMED_OUT})


class Lines(Struct, frozen=True, kw_only=True):
    """Neighbouring lines of an attempt."""

    first: int
    """The number of the first, from 0."""
    total: int
    """How many the attempt has now."""
    live: bool
    lines: list[str]
    at: list[tuple[int, float]]
    """Where among them another batch begins, and when that was read, in Unix seconds."""
    unfinished: str
    """What stands behind the last line of all, without an end."""


@page("/runs/{number:str}/console", needs=_NEEDS)
async def show_console(request: Asking, number: Path[str]) -> Shown:
    """One attempt of a step run."""
    run = await run_of(request, number)
    if not request.wants("tab", "console", "attempts", "phases", "main"):  # its head alone, which is nudged
        return await show_of_run(request, "runs/console.html", run, "Console", chosen=None)
    step_runs = await store.list_step_runs(*request.reading, run.id, limit=MOST_STEP_RUNS)
    chosen = await _chosen(request, step_runs, request.query_params.get("step", ""))
    here = f"{request.base}/runs/{run.number}/console"
    if chosen is None or chosen.attempt == 0:
        return await show_of_run(
            request, "runs/console.html", run, "Console", chosen=None, here=here, awaits=chosen, step_runs=step_runs
        )
    attempt = _whole(request, "attempt", default=chosen.attempt, least=0, most=max(chosen.attempt, 0))
    phases = [each for each in await store.list_phases(*request.reading, chosen.id) if each.attempt == attempt]
    begins: defaultdict[int, list[Phase]] = defaultdict(list)
    for phase in phases:
        if phase.first_line is not None:
            begins[phase.first_line].append(phase)
    address = f"{here}?step={chosen.number}&attempt={attempt}"
    seen = _Seen() if not request.wants("tab", "console", "main") else await _seen(request, chosen, attempt)
    first, end, total = seen.first, seen.first + len(seen.lines), seen.total
    return await show_of_run(
        request,
        "runs/console.html",
        run,
        "Console",
        here=here,
        address=address,
        step_runs=step_runs,
        chosen=chosen,
        attempt=attempt,
        phases=phases,
        begins=begins,
        seen=seen,
        before=f"{address}&from={max(1, first + 1 - LINES)}" if first else "",
        behind=f"{address}&from={end + 1}" if end < total else "",
        artifacts=await store.list_artifacts(*request.reading, chosen.id, limit=_MOST_ARTIFACTS),
    )


class _Seen(Struct, frozen=True, kw_only=True):
    """What of an attempt's console is in the page when it comes."""

    total: int = 0
    error: int | None = None
    """The first one of an attempt that failed."""
    first: int = 0
    lines: list[Line] = []
    is_placed: bool = False
    """Whether the address says from where on."""
    is_at_end: bool = False


async def _seen(request: Asking, chosen: StepRun, attempt: int) -> _Seen:
    """From the line of the address; else the first error; what a running one printed last; the top."""
    total = await consoles.lines_of(*request.reading, chosen.id, attempt)
    placed = request.query_params.get("from", "") != ""
    runs = chosen.ended_at is None and attempt == chosen.attempt
    error = None
    if chosen.result in _WENT_WRONG and 0 < total <= _LOOKED_THROUGH:
        errors = (await searching.levels(request.engine, request.seen, chosen.id, attempt)).errors.at
        error = errors[0] if errors else None
    usual = max(0, error - _ABOVE) if error is not None else max(0, total - FIRST) if runs else 0
    first = _whole(request, "from", default=usual + 1, least=1, most=max(1, total)) - 1
    limit = LINES if placed else FIRST
    within = Range(attempt, first, first + limit)
    lines = await reading.read(request.engine, request.seen, chosen.id, limit=limit, within=within) if total else []
    return _Seen(
        total=total,
        error=error,
        first=first,
        lines=lines,
        is_placed=placed,
        is_at_end=runs and error is None and not placed,
    )


@page("/runs/{number:str}/console/{step_run:uuid}/lines", needs=_NEEDS)
async def list_lines(request: Asking, step_run: Path[StepRunId]) -> Shown:
    """`limit` lines of an attempt from number `from` (0 is the first) on, as JSON."""
    of = await store.get_step_run(*request.reading, step_run)
    attempt = _whole(request, "attempt", default=of.attempt, least=0, most=of.attempt)
    first = _whole(request, "from", default=0, least=0, most=1 << 60)
    limit = _whole(request, "limit", default=500, least=0, most=MOST_LINES)
    total = await consoles.lines_of(*request.reading, step_run, attempt)
    found, live = [], of.ended_at is None and attempt == of.attempt
    if limit and first < total:
        within = Range(attempt, first, first + limit)
        found = await reading.read(request.engine, request.seen, step_run, limit=limit, within=within)
    begun = unfinished_after(request.engine, step_run, Position(attempt, total - 1)) if live else None
    times: list[tuple[int, float]] = []
    last: datetime | None = None
    for index, line in enumerate(found):
        if line.at != last:
            times.append((index, line.at.timestamp()))
            last = line.at
    return _json(
        Lines(
            first=first,
            total=max(total, first + len(found)),
            live=live,
            lines=[line.text for line in found],
            at=times,
            unfinished="" if begun is None else begun.text,
        )
    )


@page("/runs/{number:str}/console/{step_run:uuid}/find", needs=_NEEDS)
async def find_lines(request: Asking, step_run: Path[StepRunId]) -> Shown:
    """The lines that have `q` (a pattern with `pattern=1`); without, the errors and warnings. Of all of the attempt.

    Ten million lines take a while: for who has gone on to seek something else they are not looked through to the end.
    """
    of = await store.get_step_run(*request.reading, step_run)
    attempt = _whole(request, "attempt", default=of.attempt, least=0, most=of.attempt)
    sought = request.query_params.get("q", "")
    if len(sought) > LONGEST_SOUGHT:
        raise Invalid(f"What is sought has {LONGEST_SOUGHT} characters at most.", code="SOUGHT_TOO_LONG")
    if not sought:
        return _json(await unless_left(request, searching.levels(request.engine, request.seen, step_run, attempt)))
    asked = Sought(sought, is_pattern=request.query_params.get("pattern") == "1")
    return _json(await unless_left(request, searching.find(request.engine, request.seen, step_run, attempt, asked)))


@page("/runs/{number:str}/console/{step_run:uuid}/raw", needs=_NEEDS)
async def fetch_raw(request: Asking, step_run: Path[StepRunId]) -> Stream:
    """All lines of an attempt as they were printed, or those from `from` to `to` (1 is the first)."""
    of = await store.get_step_run(*request.reading, step_run)
    attempt = _whole(request, "attempt", default=of.attempt, least=0, most=of.attempt)
    first = _whole(request, "from", default=1, least=1, most=1 << 60) - 1
    end = _whole(request, "to", default=1 << 60, least=1, most=1 << 60)
    engine, seen = request.engine, request.seen

    async def content() -> AsyncIterator[bytes]:
        async for start, body in reading.blocks(engine, seen, step_run, attempt, start=first):
            count = body.count(b"\n")
            if start + count > end:
                yield b"".join(line + b"\n" for line in body.split(b"\n")[: max(0, end - start)])
                return
            yield body

    name = f"console-{of.number}" + (f"-{attempt}" if attempt > 1 else "")
    headers = {"content-disposition": f'attachment; filename="{name}.txt"', "x-content-type-options": "nosniff"}
    return Stream(content(), media_type="text/plain; charset=utf-8", headers=headers)


def _json(value: object) -> Shown:
    return Shown(msgspec.json.encode(value), kind=_JSON)


async def _chosen(request: Asking, step_runs: list[StepRun], named: str) -> StepRun | None:
    """The step run that the address names, else the first that failed, else the last. Raises NotFound for no such."""
    if named:
        for each in step_runs:
            if str(each.number) == named:
                return each
        found = await store.get_step_run(*request.reading, await resolve(*request.reading, STEP_RUN, named))
        if not step_runs or found.run_id != step_runs[0].run_id:
            raise NotFound("This run has no such step run.", code="STEP_RUN_NOT_FOUND")
        return found
    failed = [each for each in step_runs if each.error_code is not None]
    return next(iter([*failed, *step_runs[-1:]]), None)


def _whole(request: Asking, name: str, *, default: int, least: int, most: int) -> int:
    """A whole number of the address, brought within its bounds. Raises Invalid for what is no number."""
    text = request.query_params.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):  # noqa: PLR2004 - 64 bits
        raise Invalid(f"{name} is a whole number.", code="NUMBER_WRONG")
    return min(most, max(least, int(text)))
