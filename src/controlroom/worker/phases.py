"""The sections of a step run as they are reported."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import structs

from controlroom.protocol import PhaseKind, PhaseReport, PhaseState
from controlroom.worker.console import Console
from controlroom.worker.server import AttemptReports


class Phases:
    """All phases of one attempt, in order, each with its range of the console."""

    def __init__(self, reports: AttemptReports, console: Console) -> None:
        self._reports = reports
        self._console = console
        self._phases: list[PhaseReport] = []
        self._reported: dict[int, PhaseReport] = {}

    @property
    def unreported(self) -> tuple[PhaseReport, ...]:
        """Phases that changed since the last report."""
        return tuple(phase for phase in self._phases if self._reported.get(phase.position) != phase)

    def begin(self, kind: PhaseKind, name: str) -> None:
        """A new phase, after the last one."""
        self._phases.append(
            PhaseReport(
                position=len(self._phases),
                kind=kind,
                name=name,
                state=PhaseState.IN_PROGRESS,
                started_at=time.time(),
                first_line=self._console.lines,
            )
        )

    def end(self, state: PhaseState, message: str = "") -> None:
        """The end of the last phase; nothing happens if it has ended already."""
        if not self._phases or self._phases[-1].state is not PhaseState.IN_PROGRESS:
            return
        phase = self._phases[-1]
        last = self._console.lines - 1
        self._phases[-1] = structs.replace(
            phase,
            state=state,
            ended_at=time.time(),
            last_line=last if phase.first_line is not None and last >= phase.first_line else None,
            message=message,
        )

    @contextmanager
    def running(self, kind: PhaseKind, name: str) -> Iterator[None]:
        """A phase for as long as the block lasts; it failed if the block raises."""
        self.begin(kind, name)
        try:
            yield
        except BaseException as error:
            self.end(PhaseState.FAILED, str(error))
            raise
        self.end(PhaseState.SUCCEEDED)

    async def report(self) -> None:
        """Tell the server what changed. Returns when it has acknowledged."""
        if changed := self.unreported:
            await self._reports.phases(changed)
            self._reported |= {phase.position: phase for phase in changed}
