"""What becomes of a worker that was asked for. Pure."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, assert_never
from urllib.parse import urlsplit

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


class Forget(Struct, frozen=True):
    """It is gone: unlink it."""


class Fail(Struct, frozen=True):
    """No worker comes: the step run fails."""

    why: str


class AskAgain(Struct, frozen=True):
    """It came and went before the robot began: have it stopped, and ask for another one."""


Step = Wait | Release | Forget | Fail | AskAgain


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


SIGNED_HEADERS: Final = ("content-type", "x-rc-timestamp")


def signed(endpoint: str, body: bytes, *, secret: str, at: datetime) -> Mapping[str, str]:
    """The headers of a request to a provisioner, with its signature (protocols/robocorp §9.5).

    Why not the host among the signed headers: proxies before a provisioner may change it. The query stays out, as the
    public provisioners take it: it is for what stands before them (a function's key), which may take it away.
    """
    headers = {"content-type": "application/json", "x-rc-timestamp": str(int(at.timestamp()))}
    names = ";".join(SIGNED_HEADERS)
    request = "\n".join(
        (
            "POST",
            urlsplit(endpoint).path or "/",
            "",  # in place of the query
            *(f"{name}:{headers[name]}" for name in SIGNED_HEADERS),
            names,
            _digest(body),
        )
    )
    text = "\n".join(("sha256", headers["x-rc-timestamp"], _digest(request.encode())))
    signature = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    return headers | {"x-rc-signed-headers": names, "x-rc-signature": signature}


def _digest(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()).decode()
