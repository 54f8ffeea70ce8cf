"""How long what a project's run has built took, as the tool's own results tell it."""

import asyncio
from datetime import datetime
from typing import Final

import msgspec
from msgspec import Struct

from controlroom.engine.access.scope import Scope
from controlroom.engine.engine import Engine
from controlroom.engine.runs.projects import left
from controlroom.errors import Conflict
from controlroom.ids import RunId

RESULTS: Final = "run_results.json"
_MOST_BYTES: Final = 64 << 20
"""Of one step's results. Why: of so much about thirty thousand nodes are told; it is read in a tenth of a second."""


class Stretch(Struct, frozen=True):
    """A part of the work on a node: `compile` or `execute`."""

    name: str
    started_at: datetime | None = None
    completed_at: datetime | None = None


class NodeTiming(Struct, frozen=True, kw_only=True):
    """What was built, and how long it took."""

    unique_id: str
    status: str
    thread_id: str = ""
    execution_time: float = 0.0
    timing: list[Stretch] = []


class PhaseTimings(Struct, frozen=True):
    """What the phase at a position of a run has built."""

    phase: int
    nodes: list[NodeTiming]


class _Results(Struct, frozen=True):
    results: list[NodeTiming] = []


class ResultsUnreadable(Conflict):
    """Results that are not what the tool writes, or more than is read."""

    code = "RESULTS_UNREADABLE"

    def __init__(self, phase: int) -> None:
        super().__init__(f"the results of step {phase + 1} cannot be read: fetch {RESULTS} instead")


async def timings(engine: Engine, scope: Scope, run: RunId) -> list[PhaseTimings]:
    """Of each phase that has left results, what it has built. Raises ResultsUnreadable."""
    found = []
    for file in await left.files_named(engine.database, scope, run, RESULTS):
        if file.size > _MOST_BYTES:
            raise ResultsUnreadable(file.phase)
        content = await engine.objects.read(file.hash)
        try:
            results = await asyncio.to_thread(msgspec.json.decode, content, type=_Results)
        except (msgspec.DecodeError, UnicodeDecodeError) as broken:
            raise ResultsUnreadable(file.phase) from broken
        found.append(PhaseTimings(file.phase, results.results))
    return found
