"""What becomes of an attempt whose robot did not come to an end by itself: whose fault it was, and what is reported."""

import errno
import os
from collections.abc import Callable
from typing import assert_never

import structlog

from controlroom.errors import ControlRoomError, Invalid
from controlroom.protocol import ErrorCode, Finish, StepRunError
from controlroom.worker.environments.environment import EnvironmentFailed
from controlroom.worker.orders import EndReason
from controlroom.worker.server import Refused

log = structlog.get_logger(__name__)

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


class Failure(ControlRoomError):  # noqa: N818 - a fact about the robot, raised and caught by that name
    """The step run has failed, with its code and a message for people."""

    def __init__(self, code: ErrorCode, message: str, exit_code: int | None = None) -> None:
        super().__init__(message, code=code)
        self.error = StepRunError(code, message)
        self.exit_code = exit_code


class Ended(Exception):  # noqa: N818 - not an error: an order to end
    """The step run is ended from outside."""

    def __init__(self, reason: EndReason) -> None:
        super().__init__(reason.name)
        self.reason = reason


class NotBegun(Exception):  # noqa: N818 - a fact about the worker
    """The attempt can't be begun here; no robot code has run, so another worker may."""


def after(error: Exception, *, may_have_run: bool, trouble: Callable[[], str]) -> Finish:
    """What to report after an error; `trouble` tells what is wrong with the worker now.

    Raises NotBegun instead if it is the worker's fault and robot code can't have run, and Ended if it is nobody's
    business any more.
    """
    match error:
        case Failure():
            return _failed(error.error.code, error.message, error.exit_code)
        case Ended():
            return _after_order(error, may_have_run=may_have_run)
        case Refused():
            return _failed(ErrorCode.WORKER_LOST, f"The worker failed: {error.message}")
        case Invalid():  # it looks like the robot's fault, but may come of a machine without room
            if not may_have_run and (reason := trouble() or _no_room(error)):
                raise NotBegun(reason) from error
            is_environment = isinstance(error, EnvironmentFailed)
            code = ErrorCode.ENVIRONMENT_FAILED if is_environment else ErrorCode.PACKAGE_INVALID
            return _failed(code, error.message)
        case _:
            log.error("step run broke in the worker", exc_info=error)
            if not may_have_run:
                raise NotBegun(str(error) or type(error).__name__) from error
            return _failed(ErrorCode.WORKER_LOST, f"The worker failed: {error}")


def _after_order(end: Ended, *, may_have_run: bool) -> Finish:
    match end.reason:
        case EndReason.TERMINATED:
            return _failed(ErrorCode.TERMINATED, "The step run was terminated by request.")
        case EndReason.WORKER_STOPS:
            if not may_have_run:
                raise NotBegun("The worker was asked to stop.") from end
            return _failed(ErrorCode.WORKER_LOST, "The worker was asked to stop while the robot was running.")
        case EndReason.ABANDONED:
            raise end
        case _ as unknown:
            assert_never(unknown)


def _failed(code: ErrorCode, message: str, exit_code: int | None = None) -> Finish:
    return Finish(exit_code=exit_code, error=StepRunError(code, message))


def _no_room(failure: ControlRoomError) -> str:
    """What a failure says of a disk that was full, and may have room again by now; empty if nothing."""
    return failure.message if any(os.strerror(number) in failure.message for number in _NO_ROOM) else ""
