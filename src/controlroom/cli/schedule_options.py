"""What the command line says about schedules: when, and how runs are started."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from cyclopts import Group, Parameter

from controlroom.cli.errors import Misused
from controlroom.cli.options import Many
from controlroom.cli.values import local_time, number, payload

_Flag = Annotated[bool, Parameter(negative=(), show_default=False)]
NEVER = "never"


@Parameter(name="*", group=Group("When, in one of these ways"))
@dataclass(frozen=True, slots=True)
class When:
    """The times of a schedule."""

    cron: str | None = None
    """As cron's five fields."""
    every: int | None = None
    """As seconds from one to the next."""
    daily: Many = ()
    """As a time of each day (07:30); may be given several times."""
    once: str | None = None
    """As one time (2030-01-31T07:30)."""
    rrule: str | None = None
    """As a recurrence rule (RFC 5545), counted from --start."""
    start: str | None = None
    """Local time from which a recurrence rule is counted."""
    rule: str | None = None
    """As the API writes it, in JSON: for weeks and months."""

    def asked(self) -> Any:
        """The one rule that the options name; None if they name none. Raises Misused for more than one."""
        given: list[Any] = []
        if self.cron is not None:
            given.append({"type": "cron", "expression": self.cron})
        if self.every is not None:
            given.append({"type": "interval", "seconds": self.every})
        if self.daily:
            given.append({"type": "daily", "times": list(self.daily)})
        if self.once is not None:
            given.append({"type": "once", "at": local_time(self.once, option="--once")})
        if self.rrule is not None:
            if self.start is None:
                raise Misused("--rrule needs --start, the local time from which it is counted")
            given.append({"type": "rrule", "rule": self.rrule, "start": local_time(self.start, option="--start")})
        if self.rule is not None:
            given.append(payload(self.rule))
        if len(given) > 1:
            raise Misused(_ONE_WAY)
        return given[0] if given else None

    def needed(self) -> Any:
        """The one rule that the options name. Raises Misused."""
        asked = self.asked()
        if asked is None:
            raise Misused(_ONE_WAY)
        return asked


SOMETIME = When()
"""Nothing was said."""


@Parameter(name="*", group=Group("How runs are started"))
@dataclass(frozen=True, slots=True)
class Terms:
    """What a schedule does at its times."""

    zone: str | None = None
    """Time zone of all these times, for example Europe/Helsinki [UTC]."""
    begins: str | None = None
    """Nothing is due before this time."""
    ends: str | None = None
    """Nothing is due after this time; `never`."""
    overlap: Literal["allow", "skip", "queue"] | None = None
    """What happens while its last run goes on [allow]."""
    missed: Literal["skip", "run_once"] | None = None
    """What happens after the room was down [skip]."""
    grace: int | None = None
    """Seconds after which a time counts as missed [300]."""
    skip_after: str | None = None
    """Seconds after which a start that had to wait is given up (overlap `queue`); `never`."""
    cancel_after: str | None = None
    """Seconds after which a run that no robot has begun is stopped; `never`."""
    priority: int | None = None
    """Priority of the runs: higher is more urgent."""
    input_: Annotated[str | None, Parameter(name="--input")] = None
    """Payload of the work item that each run starts with, as JSON or @file."""
    waiting: _Flag = False
    """Each run takes what waits in the input queue."""
    usual: _Flag = False
    """Each run starts with the process's own default input, as it does where nothing is said."""

    def body(self) -> dict[str, Any]:
        """What was said, as the API takes it. Raises Misused."""
        said = {
            "time_zone": self.zone,
            "starts_at": self.begins and local_time(self.begins, option="--begins"),
            "overlap": self.overlap,
            "missed": self.missed,
            "grace_seconds": self.grace,
            "priority": self.priority,
            "input": self._input(),
        }
        body: dict[str, Any] = {name: value for name, value in said.items() if value is not None}
        if self.ends is not None:
            body["ends_at"] = None if self.ends == NEVER else local_time(self.ends, option="--ends")
        for name, option, text in (
            ("skip_after_seconds", "--skip-after", self.skip_after),
            ("cancel_after_seconds", "--cancel-after", self.cancel_after),
        ):
            if text is not None:
                body[name] = None if text == NEVER else number(text, option=option, least=1)
        return body

    def _input(self) -> dict[str, Any] | None:
        if (self.input_ is not None) + self.waiting + self.usual > 1:
            raise Misused("give one of --input, --waiting and --usual")
        if self.input_ is not None:
            return {"type": "payload", "payload": payload(self.input_)}
        if self.waiting:
            return {"type": "waiting_items"}
        return {"type": "default"} if self.usual else None


USUAL = Terms()
"""Nothing was said."""

_ONE_WAY = "say when, in one way: --cron, --every, --daily, --once, --rrule or --rule"
