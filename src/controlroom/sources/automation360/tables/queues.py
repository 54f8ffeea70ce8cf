"""Queues, work items and what works them off."""

from typing import Final

from controlroom.sources.automation360.tables.parts import (
    MADE,
    as_json,
    count,
    flag,
    moment,
    number,
    of,
    own_id,
    text,
    unless_empty,
)
from controlroom.sources.columns import INTEGER, ITSELF, NUMBER, PARENT, POSITION, TEXT, Column, Table, child

WORK_ITEM_MODEL_ATTRIBUTES: Final = Table(
    name="work_item_model_attributes",
    description="The columns of a work item model.",
    columns=(
        Column("model_id", INTEGER, "The model; `work_item_models.id`.", at=f"{PARENT}.id", read=number),
        Column("position", INTEGER, "Its place in the list, from 0.", at=POSITION),
        own_id(what="Its id, by which queues name their display columns."),
        text("name", "Its name."),
        text("type", "TEXT, NUMBER or DATE."),
    ),
    key=("model_id", "id"),
)

WORK_ITEM_MODELS: Final = Table(
    name="work_item_models",
    description="Work item models: the columns that the items of a queue have.",
    columns=(
        own_id(),
        text("name", "Its name."),
        *MADE,
        count("version", "Raised by each change."),
        of("tenant_id", "The Control Room's number."),
    ),
    key=("id",),
    children=(child("attributes", WORK_ITEM_MODEL_ATTRIBUTES, parent=("model_id",)),),
)

QUEUE_DISPLAY_COLUMNS: Final = Table(
    name="queue_display_columns",
    description="Which columns of a queue's items stand in `col1`, `col2` and `col3` of `work_items`.",
    columns=(
        Column("queue_id", INTEGER, "The queue; `queues.id`.", at=f"{PARENT}.id", read=number),
        Column("position", INTEGER, "0 for `col1`, and so on.", at=POSITION),
        Column("attribute_id", INTEGER, "The column; `work_item_model_attributes.id`.", at=ITSELF, read=number),
    ),
    key=("queue_id", "position"),
)

QUEUES: Final = Table(
    name="queues",
    description="WLM queues.",
    columns=(
        own_id(),
        text("name", "Its name."),
        text("description", "What is said of it."),
        text("status", "DRAFT, IN_USE or NOT_IN_USE."),
        of("work_item_model_id", "The columns of its items; `work_item_models.id`."),
        count("reactivation_threshold", "From how many waiting items on it is worked at again."),
        flag("consider_reactivation_threshold", "Whether that counts."),
        count("manual_processing_time", "How long a person would take for an item."),
        text("manual_processing_time_unit", "In seconds, minutes, hours or days."),
        flag("disallow_duplicate", "Whether an equal item is refused."),
        flag("mark_duplicate", "Whether an equal item is marked."),
        count("auto_retry_limit", "How often a failed item is tried again."),
        as_json("work_item_processing_orders", "By which columns items are taken."),
        *MADE,
        of("tenant_id", "The Control Room's number."),
        count("version", "Raised by each change."),
    ),
    key=("id",),
    children=(child("displayColumnIds", QUEUE_DISPLAY_COLUMNS, parent=("queue_id",)),),
)

QUEUE_AUTOMATION_USERS: Final = Table(
    name="queue_automation_users",
    description="As whom a queue's automation runs its bot.",
    columns=(
        Column("automation_id", INTEGER, "The automation; `queue_automations.id`.", at=f"{PARENT}.id", read=number),
        Column("user_id", INTEGER, "The user; `users.id`.", at=ITSELF, read=number),
    ),
    key=("automation_id", "user_id"),
)

QUEUE_AUTOMATIONS: Final = Table(
    name="queue_automations",
    description="WLM automations: which bot works at which queue, on which pool.",
    columns=(
        own_id(),
        text("name", "Its name."),
        text("description", "What is said of it."),
        text("status", "ACTIVE or PAUSE."),
        of("file_id", "The bot; `automations.id`."),
        text("file_name", "The bot's name."),
        of("queue_id", "The queue; `queues.id`."),
        text("queue_name", "The queue's name."),
        of("pool_id", "The pool; `pools.id`."),
        text("priority", "How urgent it is."),
        text("zone_id", "In which time zone its hours are."),
        as_json("schedules", "In which hours it works."),
        text("bot_label", "The label of the bot's version."),
        text("bot_version", "The bot's version, if it is pinned."),
        as_json("bot_input", "What the bot is given."),
        count("work_items_processed", "How many items it has worked at."),
        Column("average_processing_time", NUMBER, "Seconds that it takes for one.", at="averageProcessingTime"),
        count("total_paused_time_in_sec", "For how many seconds it was paused."),
        moment("started_on", "When it was started last."),
        of("started_by", "By whom; `users.id`."),
        of("owner", "Who answers for it; `users.id`."),
        flag("run_elevated", "Whether the bot runs elevated."),
        flag("rdp_enabled", "Whether devices are entered by RDP."),
        flag("handle_unexpected_popups", "Whether windows that come up are closed."),
        flag("hide_bot_agent_ui", "Whether the agent shows nothing."),
        as_json("default_devices", "Its users' default devices."),
        as_json("resiliency", "How it goes on after faults."),
        *MADE,
        of("tenant_id", "The Control Room's number."),
        text("tenant_uuid", "The Control Room's own id."),
        count("version", "Raised by each change."),
    ),
    key=("id",),
    children=(child("runAsUserIds", QUEUE_AUTOMATION_USERS, parent=("automation_id",)),),
)

WORK_ITEMS: Final = Table(
    name="work_items",
    description="Work items of WLM queues, without their payload but for the columns that the queue shows.",
    columns=(
        own_id(),
        Column("queue_id", INTEGER, "Its queue; `queues.id`.", at="queueId", read=number),
        text(
            "status",
            "NEW, READY_TO_RUN, QUEUED, ACTIVE, COMPLETED, FAILED, ON_HOLD or DATA_ERROR; older Control Rooms say "
            "STAGED, SUCCESSFUL, UNSUCCESSFUL.",
        ),
        text("col1", "The first column that the queue shows."),
        text("col2", "The second."),
        text("col3", "The third."),
        text("result", "What came of it."),
        text("comment", "What people say of it."),
        text("error", "Why it failed."),
        moment("start_time", "When work at it began."),
        moment("end_time", "When work at it ended."),
        moment("deferred_until", "Until when it waits."),
        count("total_paused_time", "For how many seconds it was paused."),
        count("retry_count", "How often it was tried again."),
        of("automation_id", "What worked at it; `queue_automations.id`."),
        of("device_id", "On which device; `robots.id`."),
        of("device_user_id", "As whom; `users.id`."),
        Column(
            "job_execution_id",
            TEXT,
            "The execution that worked at it last; `executions.id`.",
            at="jobExecutionId",
            read=unless_empty,
        ),
        count("hash_code", "Of its payload."),
        *MADE,
        count("version", "Raised by each change."),
    ),
    key=("id",),
    passed_over=frozenset({"json", "tenantUuid", "lastPausedTime", "tenantId"}),
)

WORK_ITEM_PAYLOADS: Final = Table(
    name="work_item_payloads",
    description="The payloads of work items, which lists do not tell: one request an item.",
    columns=(
        own_id("work_item_id", what="The item; `work_items.id`."),
        Column("queue_id", INTEGER, "Its queue; `queues.id`.", at="queueId", read=number),
        count("version", "The item's version when it was read."),
        as_json("payload", "Its columns and their values.", "json"),
    ),
    key=("work_item_id",),
)
