"""What becomes of a worker that was asked for. Pure."""

from datetime import timedelta
from typing import Final, assert_never

from msgspec import Struct

from controlroom.engine.provisioners.model import Provisioning, ProvisioningState
from controlroom.engine.runs.model import StepRunState

LINK_WITHIN: Final = timedelta(minutes=30)
"""From the request to the worker's coming. A machine that must be bought and started takes minutes. A guess."""

MOST_ASKED: Final = 3
"""Workers for one step run: each of the others came, and went before the robot began."""

MOST_LIFETIME: Final = timedelta(days=7)

_WAITING: Final = frozenset({StepRunState.NEW, StepRunState.AWAITING_WORKER})


class Wait(Struct, frozen=True):
    """Nothing is to be done now."""


class Release(Struct, frozen=True):
    """Its step run has ended: have it stopped."""


class Spare(Struct, frozen=True):
    """Another worker, of an earlier place, has taken its step run: have it stopped, and ask anew if that is lost."""


class Forget(Struct, frozen=True):
    """It is gone: unlink it."""


class Fail(Struct, frozen=True):
    """No worker comes: the step run fails."""

    why: str


class AskAgain(Struct, frozen=True):
    """It came and went before the robot began: have it stopped, and ask for another one."""


Step = Wait | Release | Spare | Forget | Fail | AskAgain


def next_for(one: Provisioning) -> Step:
    """What is to be done about a worker that was asked for."""
    match one.state:
        case ProvisioningState.ENDED:
            return Wait()
        case ProvisioningState.RELEASED:
            return Forget() if one.is_away else Wait()
        case ProvisioningState.REQUESTED:
            return _of_requested(one)
        case _:
            assert_never(one.state)


def _of_requested(one: Provisioning) -> Step:
    if one.step_run_state is None or StepRunState(one.step_run_state) not in _WAITING | {StepRunState.IN_PROGRESS}:
        return Release()
    if one.step_run_state == StepRunState.IN_PROGRESS and one.is_elsewhere:
        return Spare()
    if one.step_run_state == StepRunState.IN_PROGRESS or (one.has_come and not one.is_away):
        return Wait()
    return _of_gone(one) if one.has_come else _of_missing(one)


def _of_gone(one: Provisioning) -> Step:
    if one.asked < MOST_ASKED and not one.is_deleted:
        return AskAgain()
    return Fail(f"The workers that the provisioner {one.provisioner_name} started went before the robot began.")


def _of_missing(one: Provisioning) -> Step:
    if one.refusal is not None:
        return Fail(f"The provisioner {one.provisioner_name} starts no worker: {one.refusal}")
    if one.is_late:
        minutes = int(LINK_WITHIN.total_seconds() // 60)
        return Fail(f"No worker of the provisioner {one.provisioner_name} came within {minutes} minutes.")
    return Wait()
