"""What a workspace of the Robocorp grammar holds, as tables. Columns that only our rooms fill say so."""

from controlroom.sources.columns import (
    FLAG,
    INTEGER,
    ITSELF,
    JSON,
    NUMBER,
    POSITION,
    TEXT,
    TIME,
    Column,
    Table,
    child,
)

WORKSPACE = Table(
    name="workspace",
    description="The workspace that was loaded, and whose it is.",
    key=("id",),
    columns=(
        Column("id", TEXT, "Its id."),
        Column("name", TEXT, "Its name."),
        Column("organization_id", TEXT, "Its organization.", at="organization.id"),
        Column("organization_name", TEXT, "Its organization's name.", at="organization.name"),
    ),
)

PROCESSES = Table(
    name="processes",
    description="Processes, in the order in which they were made.",
    key=("id",),
    columns=(
        Column("id", TEXT, "Its id."),
        Column("name", TEXT, "Its name."),
        Column("created_at", TIME, "When it was made."),
        Column("enabled", FLAG, "Whether it may be started. Ours."),
        Column("default_work_item", JSON, "What a start without input begins with. Ours."),
        Column("form", JSON, "The form by which people start it. Ours."),
        Column("locks", JSON, "The locks that its runs want. Ours."),
    ),
    children=(
        child(
            "steps",
            Table(
                name="process_steps",
                description="The steps of processes, in their order.",
                key=("id",),
                columns=(
                    Column("id", TEXT, "Its id."),
                    Column("process_id", TEXT, "Its process.", at="^.id"),
                    Column("position", INTEGER, "Its place in the process, from 0.", at=POSITION),
                    Column("name", TEXT, "Its name."),
                    Column("task_id", TEXT, "The task that it runs. Ours.", at="task.id"),
                    Column("task_name", TEXT, "The task's name. Ours.", at="task.name"),
                    Column("package_id", TEXT, "The task's package. Ours.", at="task.package_id"),
                    Column("package_name", TEXT, "The package's name. Ours.", at="task.package_name"),
                    Column("commands", JSON, "The commands that it runs in place of a task. Ours."),
                    Column("form", JSON, "The form by which it asks a person. Ours."),
                    Column("queue_id", TEXT, "Where its work items wait. Ours.", at="queue.id"),
                    Column("max_parallel", INTEGER, "So many of its step runs at once. Ours."),
                    Column("timeout_seconds", NUMBER, "When a step run is ended. Ours."),
                    Column("environment", JSON, "Variables of its robots. Ours."),
                    Column("placement", JSON, "Who may run it. Ours."),
                    Column("retry", JSON, "When failed items are tried again by themselves. Ours."),
                    Column("starts_after_previous", FLAG, "Whether it waits for the step before. Ours."),
                    Column("one_item_per_step_run", FLAG, "Whether each item has a robot of its own. Ours."),
                    Column("database", JSON, "The connection whose DuckDB file it works on. Ours."),
                ),
            ),
            parent=("process_id",),
        ),
    ),
)

PROCESS_RUNS = Table(
    name="process_runs",
    description="One execution of a process each.",
    key=("id",),
    columns=(
        Column("id", TEXT, "Its id."),
        Column("state", TEXT, "new, in_progress, stopping, completed or unresolved."),
        Column("created_at", TIME, "When it was asked for."),
        Column("started_at", TIME, "When its first robot began."),
        Column("ended_at", TIME, "When it ended."),
        Column("duration", NUMBER, "Seconds from its start to its end."),
        Column("process_id", TEXT, "Its process.", at="process.id"),
        Column("process_name", TEXT, "The name that its process had when this was loaded.", at="process.name"),
        Column("started_by", TEXT, "api, user, schedule or email.", at="started_by.type"),
        Column("started_by_id", TEXT, "The user who started it.", at="started_by.details.id"),
        Column("started_by_first_name", TEXT, "Their first name.", at="started_by.details.first_name"),
        Column("started_by_last_name", TEXT, "Their last name.", at="started_by.details.last_name"),
        Column("name", TEXT, "What its start called it. Ours."),
        Column("cause", TEXT, "Why it was started, in words. Ours."),
        Column("rerun_of", TEXT, "The run that it repeats. Ours."),
        Column("overrides", JSON, "What it had in place of its steps' settings. Ours."),
        Column("locks", JSON, "How it stands with the locks that it wants. Ours."),
        Column("blocked_by", JSON, "The runs that it waits for. Ours."),
    ),
)

STEP_RUNS = Table(
    name="step_runs",
    description="One robot process of a run each.",
    key=("id",),
    columns=(
        Column("id", TEXT, "Its id."),
        Column("process_run_id", TEXT, "Its run."),
        Column("state", TEXT, "new, awaiting_worker, in_progress, completed or failed."),
        Column("state_updated_at", TIME, "Since when."),
        Column("error_code", TEXT, "Why it failed, in a word.", at="error.code"),
        Column("error_message", TEXT, "Why, in a sentence. Ours.", at="error.message"),
        Column("started_at", TIME, "When its robot began."),
        Column("ended_at", TIME, "When it ended."),
        Column("duration", NUMBER, "Seconds from its start to its end."),
        Column("step_id", TEXT, "Its step.", at="step.id"),
        Column("step_name", TEXT, "Its step's name.", at="step.name"),
        Column("paused_at", TIME, "Since when its robot is halted. Ours."),
        Column("placement", JSON, "Who may run it. Ours."),
        Column("run_as", TEXT, "The user as whom it runs. Ours."),
    ),
    passed_over=frozenset({"process_run.id"}),
)

STEP_RUN_EVENTS = Table(
    name="step_run_events",
    description="What happened to step runs, in order.",
    key=("step_run_id", "position"),
    columns=(
        Column("step_run_id", TEXT, "Whose it is."),
        Column("position", INTEGER, "Its place among them, from 1."),
        Column("timestamp", TIME, "When."),
        Column("event_type", TEXT, "What."),
    ),
)

STEP_RUN_PHASES = Table(
    name="step_run_phases",
    description="Sections of step runs: environment, scripts, the task or each command. Only of our rooms.",
    key=("id",),
    columns=(
        Column("id", TEXT, "Its id."),
        Column("step_run_id", TEXT, "Whose it is."),
        Column("attempt", INTEGER, "In which attempt of the step run."),
        Column("kind", TEXT, "What it does."),
        Column("name", TEXT, "Its name."),
        Column("state", TEXT, "waiting, in_progress, succeeded, failed or skipped."),
        Column("started_at", TIME, "When it began."),
        Column("ended_at", TIME, "When it ended."),
        Column("duration", NUMBER, "Seconds from its start to its end."),
        Column("exit_code", INTEGER, "The exit code of its program."),
        Column("message", TEXT, "Why it failed, or was skipped."),
        Column("first_line", INTEGER, "Where its part of the console begins."),
        Column("console_lines", INTEGER, "How many lines that has."),
    ),
)

CONSOLE_MESSAGES = Table(
    name="console_messages",
    description="What the programs of step runs printed, line by line.",
    key=("step_run_id", "line_number"),
    columns=(
        Column("step_run_id", TEXT, "Who printed it."),
        Column("line_number", INTEGER, "Its line, from 1."),
        Column("timestamp", TIME, "When."),
        Column("message", TEXT, "The line."),
    ),
)

STEP_RUN_ARTIFACTS = Table(
    name="step_run_artifacts",
    description="Files that step runs left.",
    key=("id",),
    columns=(
        Column("id", TEXT, "Its id."),
        Column("step_run_id", TEXT, "Who left it."),
        Column("name", TEXT, "Its path in the folder of artifacts."),
        Column("size", INTEGER, "Its bytes."),
        Column("phase_id", TEXT, "The phase that left it, where commands did. Ours.", at="phase.id"),
        Column("phase_name", TEXT, "That phase's name. Ours.", at="phase.name"),
        Column("stored_at", TEXT, "Where its content was put, if it was asked for (`artifact_files`)."),
    ),
)

_FILE = (
    Column("id", TEXT, "Its id."),
    Column("work_item_id", TEXT, "Whose it is.", at="^.id"),
    Column("name", TEXT, "Its name."),
    Column("size", INTEGER, "Its bytes."),
)
WORK_ITEMS = Table(
    name="work_items",
    description="What waits in the queues of processes, and what was made of it.",
    key=("id",),
    columns=(
        Column("id", TEXT, "Its id."),
        Column("created_at", TIME, "When it was made."),
        Column("state", TEXT, "new, pending, in_progress, failed or done."),
        Column("state_updated_at", TIME, "Since when."),
        Column("process_id", TEXT, "Its process.", at="process.id"),
        Column("process_run_id", TEXT, "Its run, once it has one.", at="process_run.id"),
        Column("step_id", TEXT, "The step in whose queue it is.", at="step.id"),
        Column("step_run_id", TEXT, "The step run that holds it or did last.", at="step_run.id"),
        Column("exception_code", TEXT, "Why it failed, in a word.", at="exception.code"),
        Column("exception_type", TEXT, "application, business, orchestrator or unspecified.", at="exception.type"),
        Column("exception_message", TEXT, "Why, in the robot's words.", at="exception.message"),
        Column("held", FLAG, "Whether somebody has set it aside. Ours."),
        Column("priority", INTEGER, "Higher ones are first. Ours."),
        Column("due_at", TIME, "Not before. Ours."),
        Column("deadline", TIME, "By when it should be done. Ours."),
        Column("reference", TEXT, "What it is called elsewhere. Ours."),
        Column("payload", JSON, "Its data."),
    ),
    children=(
        child(
            "files",
            Table(
                name="work_item_files",
                description="Files of work items; their contents are not loaded.",
                key=("id",),
                columns=_FILE,
                passed_over=frozenset({"download"}),
            ),
            parent=("work_item_id",),
        ),
    ),
)

OUTPUTS = Table(
    name="outputs",
    description="What the last steps of runs put out.",
    key=("id",),
    columns=(
        Column("id", TEXT, "Its id."),
        Column("created_at", TIME, "When it was made."),
        Column("process_id", TEXT, "Its process.", at="process.id"),
        Column("process_run_id", TEXT, "Its run.", at="process_run.id"),
        Column("payload", JSON, "Its data."),
    ),
    children=(
        child(
            "files",
            Table(
                name="output_files",
                description="Files of outputs; their contents are not loaded.",
                key=("id",),
                columns=(
                    Column("id", TEXT, "Its id."),
                    Column("output_id", TEXT, "Whose it is.", at="^.id"),
                    *_FILE[2:],
                ),
                passed_over=frozenset({"download"}),
            ),
            parent=("output_id",),
        ),
    ),
)

ASSETS = Table(
    name="assets",
    description="Assets; their contents are not loaded.",
    key=("id",),
    columns=(
        Column("id", TEXT, "Its id."),
        Column("name", TEXT, "Its name."),
        Column("payload_type", TEXT, "empty or url.", at="payload.type"),
        Column("content_type", TEXT, "What its content is.", at="payload.content_type"),
    ),
    passed_over=frozenset({"payload.url"}),
)

WORKERS = Table(
    name="workers",
    description="Workers that serve the workspace.",
    key=("id",),
    columns=(
        Column("id", TEXT, "Its id."),
        Column("name", TEXT, "Its name."),
        Column("state", TEXT, "offline, idle or busy."),
        Column("slots", INTEGER, "So many robots at once. Ours."),
        Column("version", TEXT, "Its program's version. Ours."),
        Column("platform", TEXT, "Its system. Ours."),
        Column("sandbox", TEXT, "How robots are kept apart. Ours."),
        Column("sandbox_note", TEXT, "Why not better. Ours."),
        Column("serves_all", FLAG, "Whether it serves all workspaces. Ours."),
        Column("trouble", TEXT, "What hinders it. Ours."),
        Column("rests_since", TIME, "Since when it takes no further work, where it does not. Ours."),
        Column("seen_at", TIME, "When it was last heard of. Ours."),
        Column("created_at", TIME, "Since when it is linked. Ours."),
    ),
)

WORKER_GROUPS = Table(
    name="worker_groups",
    description="Groups of workers.",
    key=("id",),
    columns=(Column("id", TEXT, "Its id."), Column("name", TEXT, "Its name.")),
    children=(
        child(
            "workers",
            Table(
                name="worker_group_members",
                description="Which workers are in which groups. Only of our rooms.",
                key=("worker_group_id", "worker_id"),
                columns=(
                    Column("worker_group_id", TEXT, "The group.", at="^.id"),
                    Column("worker_id", TEXT, "The worker.", at="id"),
                ),
                passed_over=frozenset(WORKERS.names),
            ),
            parent=("worker_group_id",),
        ),
    ),
)

WEBHOOKS = Table(
    name="webhooks",
    description="Who is told what of runs; never with the secrets.",
    key=("id",),
    columns=(
        Column("id", TEXT, "Its id."),
        Column("name", TEXT, "Its name. Ours."),
        Column("process_id", TEXT, "Only of this process.", at="process.id"),
        Column("endpoint", TEXT, "Whom it tells."),
        Column("enabled", FLAG, "Whether it does. Ours."),
        Column("disabled_reason", TEXT, "Why not. Ours."),
        Column("created_at", TIME, "When it was made. Ours."),
    ),
    children=(
        child(
            "enabled_events",
            Table(
                name="webhook_events",
                description="Of what webhooks tell.",
                key=("webhook_id", "event"),
                columns=(
                    Column("webhook_id", TEXT, "The webhook.", at="^.id"),
                    Column("event", TEXT, "The event.", at=ITSELF),
                ),
            ),
            parent=("webhook_id",),
        ),
    ),
    passed_over=frozenset({"secret"}),
)

ASSISTANTS = Table(
    name="assistants",
    description="Tasks that people run on their own machines.",
    key=("id",),
    columns=(
        Column("id", TEXT, "Its id."),
        Column("name", TEXT, "Its name."),
        Column("task_name", TEXT, "What it runs.", at="task.name"),
        Column("package_id", TEXT, "Whose task that is.", at="task.package_id"),
        Column("created_at", TIME, "When it was made."),
    ),
)

ASSISTANT_RUNS = Table(
    name="assistant_runs",
    description="Runs of assistants.",
    key=("id",),
    columns=(
        Column("id", TEXT, "Its id."),
        Column("state", TEXT, "in_progress, completed or failed."),
        Column("error_code", TEXT, "Why it failed.", at="error.code"),
        Column("started_at", TIME, "When it began."),
        Column("ended_at", TIME, "When it ended."),
        Column("duration", NUMBER, "Seconds from its start to its end."),
        Column("assistant_id", TEXT, "Its assistant.", at="assistant.id"),
        Column("assistant_name", TEXT, "Its assistant's name.", at="assistant.name"),
    ),
)

TABLES = (
    WORKSPACE,
    PROCESSES,
    PROCESS_RUNS,
    STEP_RUNS,
    STEP_RUN_EVENTS,
    STEP_RUN_PHASES,
    CONSOLE_MESSAGES,
    STEP_RUN_ARTIFACTS,
    OUTPUTS,
    WORK_ITEMS,
    ASSETS,
    WORKERS,
    WORKER_GROUPS,
    WEBHOOKS,
    ASSISTANTS,
    ASSISTANT_RUNS,
)
"""All of them, a resource each; the lists within their rows are tables, too."""
