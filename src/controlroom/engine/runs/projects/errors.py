"""What can go wrong with runs of projects."""

from typing import ClassVar
from uuid import UUID

from controlroom.engine.runs.projects.retry_rules import RetryRefusal
from controlroom.errors import Conflict, Invalid, NotFound


class ProjectNotReady(Conflict):
    """A job that cannot be started as its project is."""

    code: ClassVar[str] = "PROJECT_NOT_READY"

    def __init__(self, why: str) -> None:
        super().__init__(f"the job cannot be started: {why}")


class JobTakesNoItems(Invalid):
    """Commands of a job read no work items."""

    code: ClassVar[str] = "JOB_TAKES_NO_ITEMS"

    def __init__(self) -> None:
        super().__init__("a job is started without work items: its commands read none")


class NotOfJob(Invalid):
    """Only a start of a job has what is a project's."""

    code: ClassVar[str] = "OVERRIDES_INVALID"

    def __init__(self) -> None:
        super().__init__("only a job's start overrides what a project's run goes by")


class NoDocs(NotFound):
    """No good run of a job has made documentation."""

    code: ClassVar[str] = "DOCS_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("no good run of the job has made documentation yet: start one that is asked for it")


class RetryRefused(Conflict):
    """A run cannot go on where it ended."""

    code: ClassVar[str] = "RETRY_REFUSED"

    def __init__(self, run: UUID, reason: RetryRefusal) -> None:
        super().__init__(f"run {run} cannot be retried: {_WHY[reason]}", run_id=str(run), reason=reason.value)
        self.reason = reason

    @staticmethod
    def why(reason: RetryRefusal) -> str:
        """The reason in words."""
        return _WHY[reason]


_WHY = {
    RetryRefusal.NOT_FAILED: "it has not failed",
    RetryRefusal.NOT_LATEST: "its job has a newer run",
    RetryRefusal.UNSUPPORTED_VERSION: "its version of the tool cannot",
    RetryRefusal.UNSUPPORTED_COMMAND: "the command that failed cannot go on from where it failed",
    RetryRefusal.NO_RESULTS: "the command that failed has left no results",
}
