"""Runs the commands of an attempt one after the other, each as a phase with console range, results and exit code.

Between two commands what the one has left is sent, while the time limit rests: the next may write over it. An order to
end, or the time limit, skips all that is to come, also what always runs: nothing of the attempt may outlast them.
"""

from collections.abc import Awaitable, Callable, Sequence

from controlroom.protocol import Command, ErrorCode, PhaseState
from controlroom.worker.console import Console
from controlroom.worker.launch import CommandNotFound
from controlroom.worker.outcomes import Failure
from controlroom.worker.phases import Phases
from controlroom.worker.succession import cause_of_skips, counts, is_due
from controlroom.worker.supervision import Stage, Supervisor


class CommandList:
    """The commands of one attempt."""

    def __init__(
        self, supervisor: Supervisor, phases: Phases, console: Console, hand_in: Callable[[], Awaitable[None]]
    ) -> None:
        """`hand_in` sends what the last phase has left."""
        self._supervisor = supervisor
        self._phases = phases
        self._console = console
        self._hand_in = hand_in

    async def run(
        self, commands: Sequence[Command], stage: Stage, variables_of: Callable[[Command], dict[str, str]]
    ) -> int:
        """Run those that are due; 0. The first one's phase may have been begun.

        Raises Failure for the first that failed of those that count, Failure (TIMEOUT) and Ended.
        """
        failed: list[Command] = []
        counted: list[Failure] = []
        for command in commands:
            if not is_due(command, failed):
                self._phases.skip_next(f"Skipped, because `{cause_of_skips(failed)}` failed.")
                continue
            if self._phases.are_between:
                await self._begin_next()
            failure = await self._one(command, stage, variables_of(command))
            if failure is not None:
                failed.append(command)
                if counts(command):
                    counted.append(failure)
        if counted:
            raise counted[0]
        return 0

    async def _begin_next(self) -> None:
        limit = self._supervisor.limit
        limit.rest()
        await self._hand_in()
        await self._supervisor.may_go_on()
        self._phases.begin_next()
        await self._supervisor.unless_ended(self._phases.report())
        limit.go_on()

    async def _one(self, command: Command, stage: Stage, variables: dict[str, str]) -> Failure | None:
        """Run a command to the end of its phase; how it failed, if it did."""
        exit_code: int | None = None
        try:
            exit_code = await self._supervisor.run(command.words, variables, stage, spare=None)
        except CommandNotFound as error:
            self._console.say(error.message)
            message = f"The command `{command.name}` was not run. {error.message}"
        except Failure as failure:  # the time limit
            raise Failure(failure.error.code, f"While `{command.name}` ran: {failure.message}") from failure
        else:
            if exit_code == 0:
                self._phases.end(PhaseState.SUCCEEDED, exit_code=0)
                return None
            last_words = self._supervisor.last_words(stage.place)
            message = f"The command `{command.name}` ended with exit code {exit_code}.{last_words}"
        self._phases.end(PhaseState.FAILED, message, exit_code)
        return Failure(ErrorCode.ROBOT_FAILED, message, exit_code)
