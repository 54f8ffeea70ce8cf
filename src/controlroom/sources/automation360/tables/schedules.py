"""When bots start by themselves."""

from typing import Final

from controlroom.sources.automation360.tables.parts import MADE, as_json, flag, moment, number, of, own_id, text
from controlroom.sources.columns import INTEGER, ITSELF, PARENT, POSITION, Column, Table, child

SCHEDULE_USERS: Final = Table(
    name="schedule_users",
    description="As whom a schedule runs its bot.",
    columns=(
        Column("schedule_id", INTEGER, "The schedule; `schedules.id`.", at=f"{PARENT}.id", read=number),
        Column("user_id", INTEGER, "The user; `users.id`.", at=ITSELF, read=number),
    ),
    key=("schedule_id", "user_id"),
)
SCHEDULE_POOLS: Final = Table(
    name="schedule_pools",
    description="On which pools a schedule runs its bot.",
    columns=(
        Column("schedule_id", INTEGER, "The schedule; `schedules.id`.", at=f"{PARENT}.id", read=number),
        Column("position", INTEGER, "Its place in the list, from 0.", at=POSITION),
        Column("pool_id", INTEGER, "The pool; `pools.id`.", at=ITSELF, read=number),
    ),
    key=("schedule_id", "position"),
)

SCHEDULES: Final = Table(
    name="schedules",
    description="Schedules: when which bot is run.",
    columns=(
        own_id(),
        text("activity_name", "Its name."),
        text("description", "What is said of it."),
        text("status", "DRAFT, ACTIVE, INACTIVE, COMPLETED, ACTIVE_WITH_ERROR and so on."),
        text("task_type", "TASK_BOT, API_TASK, PROCESS_TASK and so on."),
        of("file_id", "The bot; `automations.id`."),
        text("file_name", "The bot's name."),
        text("file_path", "The bot's path."),
        text("schedule_type", "NONE (once), DAILY, WEEKLY, MONTHLY or INSTANT."),
        as_json("daily_recurrence", "Every how many days."),
        as_json("weekly_recurrence", "On which days of the week."),
        as_json("monthly_date_recurrence", "On which day of which months."),
        as_json("monthly_week_day_recurrence", "On which weekday of which months."),
        text("time_zone", "In which time zone."),
        text("start_date", "From which day on."),
        text("end_date", "Until which day."),
        text("start_time", "At what time."),
        flag("repeat_enabled", "Whether it is repeated within the day."),
        as_json("repeat_occurrence", "How."),
        moment("zoned_next_run_date_time", "When it is due next."),
        text("activity_priority", "How urgent its runs are."),
        text("team_identifier_type", "Whose process it starts: TEAM_ID, ROLE_ID or USER_ID."),
        of("team_identifier_id", "Of which team, role or user."),
        of("owned_by", "Who answers for it; `users.id`."),
        *MADE,
    ),
    key=("id",),
    children=(
        child("runAsUserIds", SCHEDULE_USERS, parent=("schedule_id",)),
        child("poolIds", SCHEDULE_POOLS, parent=("schedule_id",)),
    ),
    passed_over=frozenset({"poolId", "tenantId", "tenantUuid", "deviceIds"}),
)
