"""Key figures, as the Control Room reckons them."""

from typing import Final

from controlroom.sources.automation360.tables.parts import moment, of, own_id, text, unless_empty
from controlroom.sources.columns import INTEGER, NUMBER, TEXT, Column, Table

_RANGE: Final = (Column("range_type", TEXT, "The range of time that the figure is of."),)
ACC_OVERVIEW: Final = Table(
    name="acc_overview",
    description="Key figures: how many bots run, have completed, failed, and are scheduled.",
    columns=(
        text("field", "RUNNING, COMPLETED, FAILED or SCHEDULED."),
        Column("value", INTEGER, "How many."),
        *_RANGE,
    ),
    key=("field",),
)
ACC_RUN_DURATIONS: Final = Table(
    name="acc_run_durations",
    description="Key figures: how long bots ran, by the hour or the day that they began in.",
    columns=(
        moment("time", "The hour or day."),
        Column("value", INTEGER, "Milliseconds, of all together."),
        Column("time_unit", TEXT, "MINUTES, HOURS or DAYS.", at="time_unit"),
        *_RANGE,
    ),
    key=("time",),
)
ACC_BOTS: Final = Table(
    name="acc_bots",
    description="Key figures of each bot: how often it ran and failed, and its longest run.",
    columns=(
        own_id("bot_id", at="botId", what="The bot; `automations.id`."),
        text("name", "Its name."),
        text("path", "Its path."),
        Column("successful", INTEGER, "How many runs ended well.", at="count.successful"),
        Column("failed", INTEGER, "How many failed.", at="count.failed"),
        text("last_failed_reason", "Why the last of them did.", "failures.lastFailedReason"),
        Column("longest_run_id", TEXT, "Its longest run; `executions.id`.", at="longestBotRun.id", read=unless_empty),
        Column("longest_run_milliseconds", INTEGER, "How long that took.", at="longestBotRun.runDurationMillisec"),
        moment("longest_run_from", "When it began.", "longestBotRun.from"),
        moment("longest_run_to", "When it ended.", "longestBotRun.to"),
        of("longest_run_device_id", "On which device; `robots.id`.", "longestBotRun.deviceId"),
        Column(
            "average_run_milliseconds",
            INTEGER,
            "How long its runs take.",
            at="longestBotRun.averageRunDurationMillisec",
        ),
        *_RANGE,
    ),
    key=("bot_id",),
    passed_over=frozenset({"id", "failures.count", "longestBotRun.botId", "longestBotRun.deviceName"}),
)
ACC_GROUPS: Final = Table(
    name="acc_groups",
    description="Key figures: how long runs took, by bot, device, user, status, what began them, and licence.",
    columns=(
        Column(
            "group_by",
            TEXT,
            "automationName, deviceName, userName, executionStatus, executionType or licenseType.",
            at="group_by",
        ),
        text("field_name", "Of which of them."),
        Column("run_duration_milliseconds", INTEGER, "How long its runs took.", at="runDurationMilliseconds"),
        Column("percentage_value", NUMBER, "What part of all that is.", at="percentageValue"),
        *_RANGE,
    ),
    key=("group_by", "field_name"),
)
