"""What can go wrong with schedules."""

from typing import ClassVar
from uuid import UUID

from controlroom.errors import Conflict, Invalid, NotFound


class ScheduleNotFound(NotFound):
    """There is no such schedule."""

    code: ClassVar[str] = "SCHEDULE_NOT_FOUND"

    def __init__(self, schedule: UUID | str) -> None:
        super().__init__(f"there is no schedule {schedule}", schedule_id=str(schedule))


class RuleInvalid(Invalid):
    """The rule of a schedule cannot be."""

    code: ClassVar[str] = "SCHEDULE_RULE_INVALID"

    def __init__(self, why: str) -> None:
        super().__init__(f"the rule cannot be: {why}")


class ZoneInvalid(Invalid):
    """There is no such time zone."""

    code: ClassVar[str] = "TIME_ZONE_INVALID"

    def __init__(self, zone: str) -> None:
        super().__init__(f"there is no time zone {zone!r}: name one as Europe/Helsinki", zone=zone)


class ScheduleBusy(Conflict):
    """A run of the schedule is under way, and it is not to start another meanwhile."""

    code: ClassVar[str] = "SCHEDULE_BUSY"

    def __init__(self) -> None:
        super().__init__("a run of the schedule is under way, and it starts no other meanwhile")
