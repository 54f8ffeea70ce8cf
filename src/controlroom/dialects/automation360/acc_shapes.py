"""What the key figures answer (§2.9): counts and milliseconds as text, but for those of durations."""

from typing import Literal

from msgspec import field

from controlroom.dialects.automation360.answers import Shape


class OverviewEntry(Shape, frozen=True):
    """How many, as text."""

    field: Literal["RUNNING", "COMPLETED", "FAILED", "SCHEDULED"]
    value: str


class Overview(Shape, frozen=True):
    """How many bots run now, have completed and failed, and how many schedules have a next start."""

    data: list[OverviewEntry]


class DurationEntry(Shape, frozen=True):
    """Milliseconds of all that began in the hour or day at this time."""

    time: str
    value: int


class Durations(Shape, frozen=True):
    """How long bots ran, by the hour or the day."""

    data: list[DurationEntry]
    time_unit: Literal["HOURS", "DAYS"]


class TotalDuration(Shape, frozen=True):
    """Milliseconds of all together."""

    total_run_time: int


class Counts(Shape, frozen=True):
    """How many ended how, as text."""

    successful: str
    failed: str


class MostRunning(Shape, frozen=True, kw_only=True):
    """A bot, and how often it ran."""

    id: str
    bot_id: str
    name: str
    path: str
    count: Counts


class LongestRun(Shape, frozen=True, kw_only=True):
    """The longest run of a bot; without an id and times if it is not kept any more."""

    id: str
    bot_id: str
    run_duration_millisec: str
    since: str = field(name="from")
    to: str
    average_run_duration_millisec: str
    device_id: str
    device_name: str


class LongestRunning(Shape, frozen=True, kw_only=True):
    """A bot, and its longest run."""

    id: str
    bot_id: str
    name: str
    path: str
    longest_bot_run: LongestRun


class FailureCount(Shape, frozen=True):
    """How often a bot failed, and why the last time."""

    count: str
    last_failed_reason: str


class MostFailed(Shape, frozen=True, kw_only=True):
    """A bot that failed."""

    id: str
    bot_id: str
    name: str
    path: str
    failures: FailureCount


class MostRunningBots(Shape, frozen=True):
    """The bots that ran most often, first."""

    metrics: list[MostRunning]


class LongestRunningBots(Shape, frozen=True):
    """The bots with the longest runs, first."""

    metrics: list[LongestRunning]


class MostFailedBots(Shape, frozen=True):
    """The bots that failed most often, first."""

    metrics: list[MostFailed]


class FailedRun(Shape, frozen=True, kw_only=True):
    """A run that failed."""

    id: str
    error_message: str
    since: str = field(name="from")
    to: str


class FailedRuns(Shape, frozen=True):
    """Runs that failed, the latest first."""

    runs: list[FailedRun]


class RunningBot(Shape, frozen=True, kw_only=True):
    """A bot that runs now."""

    id: str
    name: str
    path: str
    user_name: str
    device_name: str
    start_date_time: str
    bot_id: str


class EndedBot(Shape, frozen=True, kw_only=True):
    """A run that has ended."""

    bot_id: str
    name: str
    path: str
    start_date_time: str
    id: str


class FailedBot(EndedBot, frozen=True, kw_only=True):
    """A run that failed, and why."""

    failure_reason: str


class EndedBots(Shape, frozen=True):
    """Runs that have completed, the latest first."""

    list: list[EndedBot]


class FailedBots(Shape, frozen=True):
    """Runs that failed, the latest first."""

    list: list[FailedBot]


class Group(Shape, frozen=True):
    """How long all runs took that have something in common, and what part of all that is."""

    field_name: str
    run_duration_milliseconds: str
    percentage_value: float


class Grouped(Shape, frozen=True):
    """How long bots ran, told apart by a field."""

    group_by_field: str
    group_by: list[Group]


class GroupRow(Shape, frozen=True, kw_only=True):
    """How long the runs of a bot took."""

    id: str
    field_id: str
    automation_name: str
    run_duration_milliseconds: str
    folder_path: str


class Owner(Shape, frozen=True, kw_only=True):
    """Who answers for a bot."""

    type: Literal["CREATOR", "LAST_MODIFIER"]
    user_id: int
    user_name: str
    first_name: str
    last_name: str


class LastRun(Shape, frozen=True):
    """How a bot ended last."""

    end_date_time: str
    status: str


class About(Shape, frozen=True, kw_only=True):
    """What there is to know of a bot."""

    bot_id: int
    bot_name: str
    version: str
    last_modified_date: str
    technical_owners: list[Owner]
    last_successful_run: LastRun | None
    last_failed_run: LastRun | None
