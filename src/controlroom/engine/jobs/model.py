"""Jobs: processes of a project, which run commands of one tool against a target."""

from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Raw, Struct

from controlroom.ids import PackageId, ProcessId, TargetId, WorkspaceId
from controlroom.protocol import Command


class JobKind(StrEnum):
    """What a job is for. It decides whether its runs wait for each other."""

    CI = "ci"
    """It tries changes before they are merged; its runs take no slots, and a newer one ends an older one."""
    MERGE = "merge"
    SCHEDULED = "scheduled"
    OTHER = "other"


# ---------------------------------------------------------------------------------------------------- when it is due
class EveryDay(Struct, frozen=True, tag="every_day"):
    """Each day of the week."""


class DaysOfWeek(Struct, frozen=True, tag="days_of_week"):
    """Some days of the week, from 0 for Sunday."""

    days: tuple[int, ...]


class IntervalOfDays(Struct, frozen=True, tag="interval_cron"):
    """Likewise, at every so many hours from a minute that the room chooses."""

    days: tuple[int, ...]


class CustomCron(Struct, frozen=True, tag="custom_cron"):
    """As an expression of five fields says; `L` is the last day of a month."""

    expression: str


class EveryHours(Struct, frozen=True, tag="every_hour"):
    """Every so many hours of the day, from midnight."""

    interval: int = 1


class AtHours(Struct, frozen=True, tag="at_exact_hours"):
    """At these hours of the day."""

    hours: tuple[int, ...]


Days = EveryDay | DaysOfWeek | IntervalOfDays | CustomCron
Hours = EveryHours | AtHours


class Timetable(Struct, frozen=True, omit_defaults=True):
    """When a job is due, as its author has said it. All times are of UTC."""

    days: Days = EveryDay()
    hours: Hours = EveryHours()
    minute: int = 0
    """Of each hour; only `IntervalOfDays` has another than 0."""


EVERY_HOUR = Timetable()


# ---------------------------------------------------------------------------------------------------- what there is
class JobSettings(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What its author wants of a job beside commands and timeout, which are its step's. Stored in `job.settings`."""

    threads: int = 4
    target_name: str = "default"
    """What the tool calls the target; a job that says no other leaves it to the log-in."""
    tool_version: str | None = None
    """None: the target's."""
    generates_docs: bool = False
    checks_freshness: bool = False
    lints: bool = False
    fails_on_lint: bool = True
    defer_to_process: ProcessId | None = None
    """The job whose last good manifest stands for what this one does not build; it may be the job itself."""
    defer_to_target: TargetId | None = None
    on_pull_request: bool = False
    """Whether changes that are proposed start it. Kept: who proposes them calls the API."""
    on_push: bool = False
    on_merge: bool = False
    on_draft: bool = False
    is_scheduled: bool = False
    timetable: Timetable = EVERY_HOUR
    """When it is due while it is scheduled."""
    waiting: tuple[Command, ...] = ()
    """Its commands while its project has no files, so that there is no step that could run them."""


class Job(Struct, frozen=True, kw_only=True):
    """A job, as its runs go by it."""

    id: ProcessId
    number: int
    workspace_id: WorkspaceId
    name: str
    description: str
    kind: JobKind
    target_id: TargetId
    package_id: PackageId | None
    """Whose commands they are; None while its project has no repository."""
    commands: tuple[Command, ...]
    timeout: timedelta | None
    settings: JobSettings
    asides: dict[str, Raw]
    """What grammars have said of it that means nothing here, by their names, kept as it was given."""
    is_enabled: bool
    created_at: datetime
    updated_at: datetime
