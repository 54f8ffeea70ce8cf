"""The sections of a step run as they are reported."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from msgspec import structs

from controlroom.protocol import PhaseKind, PhaseReport, PhaseState
from controlroom.worker.console import Console
from controlroom.worker.server import AttemptReports


class Phases:
    """All phases of one attempt, in order, each with its range of the console. One at a time is in progress."""

    def __init__(self, reports: AttemptReports, console: Console) -> None:
        self._reports = reports
        self._console = console
        self._phases: list[PhaseReport] = []
        self._reported: dict[int, PhaseReport] = {}
        self.position = 0
        """Of the phase that was begun last."""

    @property
    def unreported(self) -> tuple[PhaseReport, ...]:
        """Phases that changed since the last report."""
        return tuple(phase for phase in self._phases if self._reported.get(phase.position) != phase)

    @property
    def are_between(self) -> bool:
        """Whether none is in progress."""
        return not any(phase.state is PhaseState.IN_PROGRESS for phase in self._phases)

    def expect(self, kind: PhaseKind, names: Iterable[str], *, is_preparation: bool = False) -> None:
        """Phases to come, after those that are known."""
        for name in names:
            waiting = PhaseReport(
                position=len(self._phases),
                kind=kind,
                name=name,
                state=PhaseState.WAITING,
                is_preparation=is_preparation,
            )
            self._phases.append(waiting)

    def begin_next(self) -> None:
        """The first phase that waits is begun."""
        waiting = next(phase for phase in self._phases if phase.state is PhaseState.WAITING)
        self.position = waiting.position
        self._phases[self.position] = structs.replace(
            waiting, state=PhaseState.IN_PROGRESS, started_at=time.time(), first_line=self._console.lines
        )

    def skip_next(self, message: str) -> None:
        """The first phase that waits will not be."""
        waiting = next(phase for phase in self._phases if phase.state is PhaseState.WAITING)
        self._phases[waiting.position] = structs.replace(waiting, state=PhaseState.SKIPPED, message=message)

    def skip_rest(self, message: str) -> None:
        """No phase that waits will be."""
        while any(phase.state is PhaseState.WAITING for phase in self._phases):
            self.skip_next(message)

    def end(self, state: PhaseState, message: str = "", exit_code: int | None = None) -> None:
        """The end of the phase in progress; nothing happens if it has ended already."""
        if self.are_between:
            return
        phase = self._phases[self.position]
        last = self._console.lines - 1
        self._phases[self.position] = structs.replace(
            phase,
            state=state,
            ended_at=time.time(),
            last_line=last if phase.first_line is not None and last >= phase.first_line else None,
            message=message,
            exit_code=exit_code,
        )

    @contextmanager
    def running(self, kind: PhaseKind, name: str) -> Iterator[None]:
        """A phase of its own for as long as the block lasts; it failed if the block raises."""
        self.expect(kind, [name])
        self.begin_next()
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
