"""What ran: executions, what they put out, and deployments."""

from typing import Final

from controlroom.sources.automation360.tables.parts import (
    as_json,
    count,
    flag,
    moment,
    of,
    text,
    unless_empty,
)
from controlroom.sources.columns import INTEGER, JSON, NUMBER, TEXT, TIME, Column, Table

EXECUTIONS: Final = Table(
    name="executions",
    description="Executions (activities): each a bot that runs, has run, or waits to.",
    columns=(
        text("id", "Its id."),
        Column(
            "deployment_id", TEXT, "The deploy that it is of; `deployments.id`.", at="deploymentId", read=unless_empty
        ),
        text("automation_name", "The name of its deploy."),
        of("file_id", "Its bot; `automations.id`."),
        text("file_name", "The bot's name."),
        text("file_path", "The bot's path; newer Control Rooms leave it empty."),
        text(
            "status",
            "QUEUED, PENDING_EXECUTION, DEPLOYED, RUNNING, UPDATE, RUN_PAUSED; COMPLETED, RUN_FAILED, "
            "RUN_ABORTED, RUN_TIMED_OUT, DEPLOY_FAILED; UNKNOWN.",
        ),
        count("progress", "How far it has come, of 100."),
        text("message", "Why it failed."),
        text("error_code", "The code of the error.", "error.code"),
        text("error_message", "Its message; mostly empty, `message` has it.", "error.message"),
        text("error_details", "More of it.", "error.details"),
        text("error_corrective_action", "What might help.", "error.correctiveAction"),
        moment("start_date_time", "When it began; until then, when it was made."),
        moment("end_date_time", "When it ended."),
        moment("created_on", "When it was made."),
        of("created_by", "Who deployed it; `users.id`."),
        moment("modified_on", "When it changed last."),
        of("modified_by", "Who did; `users.id`."),
        of(
            "automation_id",
            "What began it: a schedule (`schedules.id`) or a queue's automation (`queue_automations.id`).",
        ),
        of("user_id", "As whom it runs; `users.id`."),
        text("user_name", "That user's name."),
        of("device_id", "On which device; `robots.id`."),
        text("device_name", "That device's name."),
        text("type", "What began it, in older words."),
        text("initiation_type", "API, RUN_NOW, SCHEDULED, TRIGGER, WLM and so on."),
        text("activity_type", "TASK_BOT, API_TASK and so on."),
        text("automation_priority", "PRIORITY_LOW, PRIORITY_MEDIUM or PRIORITY_HIGH."),
        text("bot_label", "The label of the version that was asked for."),
        text("current_bot_name", "The bot at work."),
        text("command", "What it does now."),
        count("current_line", "At which line it is, or failed."),
        count("total_lines", "How many lines it has."),
        text("workspace_type", "PUBLIC or PRIVATE."),
        Column("parent_id", TEXT, "The execution that it is a child of.", at="parentId", read=unless_empty),
        text("queue_id", "Not used any more."),
        text("queue_name", "Not used any more."),
        text("ref_id", "The request of Process Composer that it is of."),
        flag("using_rdp", "Whether its device is entered by RDP."),
        flag("run_elevated", "Whether it runs elevated."),
        flag("can_manage", "Whether the user who loads may stop it."),
        text("device_host_type", "What kind of host its device is."),
        text("user_group_name", "The group that it is of."),
        as_json("roles_with_access", "Which roles may see it."),
        text("tenant_uuid", "The Control Room's own id."),
    ),
    key=("id",),
    passed_over=frozenset(
        {
            "callbackInfo",
            "botOutVariables",
            "error.messageValues",
            "error.detailsValues",
            "error.correctiveActionValues",
        }
    ),
)

EXECUTION_OUTPUTS: Final = Table(
    name="execution_outputs",
    description="What executions put out: a row for each output variable of each.",
    columns=(
        Column("execution_id", TEXT, "The execution; `executions.id`."),
        Column("name", TEXT, "The variable."),
        Column("type", TEXT, "STRING, NUMBER, BOOLEAN, DATETIME, LIST, DICTIONARY, TABLE and so on."),
        Column("value", TEXT, "Its value as text; of lists, dictionaries and tables as JSON."),
        Column("number", NUMBER, "Its value, if it is a NUMBER."),
        Column("whole", JSON, "The value object as the API tells it."),
    ),
    key=("execution_id", "name"),
)

DEPLOYMENTS: Final = Table(
    name="deployments",
    description="Deploys: the executions that one call began, put together.",
    columns=(
        Column("id", TEXT, "Its id, `executions.deployment_id`."),
        Column("automation_name", TEXT, "Its name."),
        Column("file_id", INTEGER, "Its bot; `automations.id`."),
        Column("file_name", TEXT, "The bot's name."),
        Column("initiation_type", TEXT, "What began it."),
        Column("automation_id", INTEGER, "The schedule or queue's automation that began it."),
        Column("automation_priority", TEXT, "How urgent it is."),
        Column("bot_label", TEXT, "The label of the version that was asked for."),
        Column("created_by", INTEGER, "Who deployed it; `users.id`."),
        Column("created_on", TIME, "When its first execution was made."),
        Column("started_on", TIME, "When the first execution began that is not waiting."),
        Column("ended_on", TIME, "When its last execution ended; null while one goes on."),
        Column(
            "status",
            TEXT,
            "RUNNING while an execution goes on; then RUN_FAILED if one failed, timed out or could not be deployed, "
            "RUN_ABORTED if one was stopped, else COMPLETED.",
        ),
        Column("execution_count", INTEGER, "How many executions it has."),
        Column("active_count", INTEGER, "How many of them wait or run."),
        Column("completed_count", INTEGER, "How many have completed."),
        Column("failed_count", INTEGER, "How many failed, timed out or could not be deployed."),
        Column("aborted_count", INTEGER, "How many were stopped."),
    ),
    key=("id",),
)
