"""The tables of a Control Room, and where in its answers their columns stand.

Ids are decimal numbers that some of its APIs write as texts and others as numbers: here they are numbers everywhere, so
that tables join. What its APIs write for "none" (an empty text as a moment, 0 as an id, 1970 as an end) is null.
"""

from typing import Any, Final

from controlroom.sources.columns import (
    FLAG,
    INTEGER,
    ITSELF,
    JSON,
    NUMBER,
    PARENT,
    POSITION,
    TEXT,
    TIME,
    Column,
    Table,
    child,
)

BOT: Final = "application/vnd.aa.taskbot"
HEADLESS: Final = "application/vnd.aa.headlessbot"
FOLDER: Final = "application/vnd.aa.directory"
_EPOCH: Final = "1970-01-01T00:00:00"


# ------------------------------------------------------------------------------------------------- how values are read
def number(value: Any) -> int:
    """The id of a row. Raises ValueError for what is none: rows must not fall together under a missing number."""
    return int(value)


def reference(value: Any) -> int | None:
    """The id of something else; None where nothing is named."""
    try:
        return int(value) or None
    except (TypeError, ValueError):
        return None


def device(value: Any) -> int | None:
    """The id of a device; -1 says that it is picked at run time."""
    found = reference(value)
    return None if found is None or found < 0 else found


def when(value: Any) -> Any:
    """A moment, unless it says that there is none."""
    return None if not value or (isinstance(value, str) and value.startswith(_EPOCH)) else value


def unless_empty(value: Any) -> Any:
    """A text, unless it is empty."""
    return value or None


# ----------------------------------------------------------------------------------------------------------- columns
def _id(name: str = "id", at: str = "id", what: str = "Its id.") -> Column:
    return Column(name, INTEGER, what, at=at, read=number)


def _of(name: str, what: str, at: str = "") -> Column:
    return Column(name, INTEGER, what, at=at or _camel(name), read=reference)


def _text(name: str, what: str, at: str = "") -> Column:
    return Column(name, TEXT, what, at=at or _camel(name))


def _count(name: str, what: str, at: str = "") -> Column:
    return Column(name, INTEGER, what, at=at or _camel(name))


def _flag(name: str, what: str, at: str = "") -> Column:
    return Column(name, FLAG, what, at=at or _camel(name))


def _time(name: str, what: str, at: str = "") -> Column:
    return Column(name, TIME, what, at=at or _camel(name), read=when)


def _json(name: str, what: str, at: str = "") -> Column:
    return Column(name, JSON, what, at=at or _camel(name))


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


_MADE: Final = (
    _of("created_by", "Which user made it; `users.id`."),
    _time("created_on", "When it was made."),
    _of("updated_by", "Which user changed it last; `users.id`."),
    _time("updated_on", "When it was changed last."),
)

# ------------------------------------------------------------------------------------------------------- repository
_FILE: Final = (
    _id(what="Its id in the repository."),
    _of("parent_id", "The folder that it lies in; `folders.id`."),
    _text("name", "Its name."),
    _text("description", "What people say of it."),
    _text("type", "Its media type."),
    _text("path", "Its path, with backslashes."),
    _text("workspace_type", "PUBLIC or PRIVATE."),
    _of("workspace_id", "Whose private workspace it is in; none in the public one."),
    _time("created_on", "When it was made; newer Control Rooms alone tell it."),
    _of("created_by", "Which user made it; `users.id`."),
    _time("last_modified", "When it was changed last."),
    _of("last_modified_by", "Which user changed it last; `users.id`."),
)
_RIGHTS: Final = _json("permission", "What the user who loads may do with it.")
_FILE_MORE: Final = frozenset(
    {
        *("folder", "typeLabel", "metadata", "uri", "contentModifiedTimestamp", "resourceModifiedTimestamp"),
        *(
            "folderCount",
            "version",
            "versionNumber",
            "originalVersion",
            "createdFromFilePath",
            "createdFromFileVersion",
        ),
        *("gitRepositoryFolder", "author", "isEdited", "hasTriggers", "tags", "uuid", "size", "locked", "lockedBy"),
        *("botStatus", "hasErrors", "productionVersion", "latestVersion", "botVersionLabel", "codeAnalysisResult"),
    }
)

FOLDERS: Final = Table(
    name="folders",
    description="The folders of the public workspace.",
    columns=(
        *_FILE,
        Column("folder_count", INTEGER, "How many folders lie in it.", at="folderCount"),
        _text("uuid", "Another id of it."),
        _RIGHTS,
    ),
    key=("id",),
    passed_over=_FILE_MORE,
)

AUTOMATIONS: Final = Table(
    name="automations",
    description="The automations (bots) of the public workspace: task bots and API tasks.",
    columns=(
        *_FILE,
        Column("size", INTEGER, "Its size, in KB."),
        _text("bot_status", "DRAFT, NEW, PUBLIC, CHECKED_OUT or CLONED."),
        _text("latest_version", "The number of its latest version."),
        _text("production_version", "The number of the version that is labelled PRODUCTION; empty for none."),
        _text("bot_version_label", "The label of the latest version."),
        _flag("locked", "Whether somebody has it checked out."),
        _of("locked_by", "Who; `users.id`."),
        _flag("has_errors", "Whether it cannot run as it is."),
        _flag("has_triggers", "Whether it has event triggers."),
        _text("code_analysis_result", "The worst that was found in its code."),
        _text("uuid", "Another id of it."),
        _json("tags", "Words about it."),
        _RIGHTS,
    ),
    key=("id",),
    passed_over=_FILE_MORE,
)

_OF_BOT: Final = Column(
    "automation_id", INTEGER, "The automation; `automations.id`.", at=f"{PARENT}.botId", read=number
)

AUTOMATION_OWNERS: Final = Table(
    name="automation_owners",
    description="Who answers for an automation.",
    columns=(
        _OF_BOT,
        Column("position", INTEGER, "Its place in the list, from 0.", at=POSITION),
        _text("type", "CREATOR or LAST_MODIFIER."),
        _of("user_id", "Who; `users.id`."),
        _text("user_name", "By what name they log in."),
        _text("first_name", "Their first name."),
        _text("last_name", "Their last name."),
    ),
    key=("automation_id", "position"),
)

AUTOMATION_VARIABLES: Final = Table(
    name="automation_variables",
    description="The inputs and outputs that an automation declares.",
    columns=(
        _OF_BOT,
        Column("position", INTEGER, "Its place in the list, from 0.", at=POSITION),
        _text("name", "Its name."),
        _text("type", "STRING, NUMBER, BOOLEAN, LIST and so on."),
        _flag("input", "Whether a start may give it."),
        _flag("output", "Whether a run tells it."),
        _text("description", "What it is for."),
        _json("default_value", "Its value where nothing is given."),
    ),
    key=("automation_id", "position"),
)

AUTOMATION_DEPENDENCIES: Final = Table(
    name="automation_dependencies",
    description="The files that an automation needs.",
    columns=(
        _OF_BOT,
        _id("file_id", what="The file."),
        _text("name", "Its name."),
        _text("path", "Its path."),
        _text("type", "Its media type."),
        Column("size", INTEGER, "Its size."),
        _text("dependency_type", "MANUAL or SCANNED."),
        _of("required_by_file_id", "Which file names it."),
        _text("bot_status", "In which state of its making it is."),
        _text("version_number", "Its version."),
        _text("label", "The label of that version."),
        _text("url", "Its address in the repository."),
        _of("locked_by", "Who has it checked out; `users.id`."),
    ),
    key=("automation_id", "file_id"),
    passed_over=frozenset({"permission"}),
)

AUTOMATION_DETAILS: Final = Table(
    name="automation_details",
    description="What is known of an automation beside its file: who answers for it, how it ended last, what it takes.",
    columns=(
        _id(at="botId", what="The automation; `automations.id`."),
        _text("name", "Its name.", "botName"),
        _text("version", "Its version."),
        _time("last_modified_date", "When it was changed last."),
        _time("last_successful_run_end", "When it last ended well.", "lastSuccessfulRun.endDateTime"),
        _text("last_successful_run_status", "With which status.", "lastSuccessfulRun.status"),
        _time("last_failed_run_end", "When it last failed.", "lastFailedRun.endDateTime"),
        _text("last_failed_run_status", "With which status.", "lastFailedRun.status"),
    ),
    key=("id",),
    children=(
        child("technicalOwners", AUTOMATION_OWNERS, parent=("automation_id",)),
        child("variables", AUTOMATION_VARIABLES, parent=("automation_id",)),
        child("dependencies", AUTOMATION_DEPENDENCIES, parent=("automation_id",)),
    ),
)

# ------------------------------------------------------------------------------------------------------- executions
EXECUTIONS: Final = Table(
    name="executions",
    description="Executions (activities): each a bot that runs, has run, or waits to.",
    columns=(
        _text("id", "Its id."),
        Column(
            "deployment_id", TEXT, "The deploy that it is of; `deployments.id`.", at="deploymentId", read=unless_empty
        ),
        _text("automation_name", "The name of its deploy."),
        _of("file_id", "Its bot; `automations.id`."),
        _text("file_name", "The bot's name."),
        _text("file_path", "The bot's path; newer Control Rooms leave it empty."),
        _text(
            "status",
            "QUEUED, PENDING_EXECUTION, DEPLOYED, RUNNING, UPDATE, RUN_PAUSED; COMPLETED, RUN_FAILED, "
            "RUN_ABORTED, RUN_TIMED_OUT, DEPLOY_FAILED; UNKNOWN.",
        ),
        _count("progress", "How far it has come, of 100."),
        _text("message", "Why it failed."),
        _text("error_code", "The code of the error.", "error.code"),
        _text("error_message", "Its message; mostly empty, `message` has it.", "error.message"),
        _text("error_details", "More of it.", "error.details"),
        _text("error_corrective_action", "What might help.", "error.correctiveAction"),
        _time("start_date_time", "When it began; until then, when it was made."),
        _time("end_date_time", "When it ended."),
        _time("created_on", "When it was made."),
        _of("created_by", "Who deployed it; `users.id`."),
        _time("modified_on", "When it changed last."),
        _of("modified_by", "Who did; `users.id`."),
        _of(
            "automation_id",
            "What began it: a schedule (`schedules.id`) or a queue's automation (`queue_automations.id`).",
        ),
        _of("user_id", "As whom it runs; `users.id`."),
        _text("user_name", "That user's name."),
        _of("device_id", "On which device; `robots.id`."),
        _text("device_name", "That device's name."),
        _text("type", "What began it, in older words."),
        _text("initiation_type", "API, RUN_NOW, SCHEDULED, TRIGGER, WLM and so on."),
        _text("activity_type", "TASK_BOT, API_TASK and so on."),
        _text("automation_priority", "PRIORITY_LOW, PRIORITY_MEDIUM or PRIORITY_HIGH."),
        _text("bot_label", "The label of the version that was asked for."),
        _text("current_bot_name", "The bot at work."),
        _text("command", "What it does now."),
        _count("current_line", "At which line it is, or failed."),
        _count("total_lines", "How many lines it has."),
        _text("workspace_type", "PUBLIC or PRIVATE."),
        Column("parent_id", TEXT, "The execution that it is a child of.", at="parentId", read=unless_empty),
        _text("queue_id", "Not used any more."),
        _text("queue_name", "Not used any more."),
        _text("ref_id", "The request of Process Composer that it is of."),
        _flag("using_rdp", "Whether its device is entered by RDP."),
        _flag("run_elevated", "Whether it runs elevated."),
        _flag("can_manage", "Whether the user who loads may stop it."),
        _text("device_host_type", "What kind of host its device is."),
        _text("user_group_name", "The group that it is of."),
        _json("roles_with_access", "Which roles may see it."),
        _text("tenant_uuid", "The Control Room's own id."),
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

# ----------------------------------------------------------------------------------------------------------- people
USER_ROLES: Final = Table(
    name="user_roles",
    description="Which user holds which role.",
    columns=(
        Column("user_id", INTEGER, "The user; `users.id`.", at=f"{PARENT}.id", read=number),
        _id("role_id", what="The role; `roles.id`."),
        _text("name", "The role's name."),
    ),
    key=("user_id", "role_id"),
)

USERS: Final = Table(
    name="users",
    description="The users of the Control Room.",
    columns=(
        _id(),
        _text("username", "By what name they log in."),
        _text("domain", "Their directory's domain."),
        _text("first_name", "Their first name."),
        _text("last_name", "Their last name."),
        _text("email", "Their e-mail address."),
        _text("description", "What is said of them."),
        _of("principal_id", "Their id as a holder of rights."),
        _flag("disabled", "Whether they cannot log in."),
        _flag("deleted", "Whether they were deleted."),
        _flag("email_verified", "Whether the address was confirmed."),
        _flag("password_set", "Whether they have a password."),
        _flag("questions_set", "Whether they have answered security questions."),
        _flag("client_registered", "Whether they have registered a device."),
        _flag("enable_auto_login", "Whether bots log in to their device by themselves."),
        _flag("device_credential_attested", "Whether the log-in to their device was confirmed."),
        _flag("multiple_login_allowed", "Whether they may be logged in several times."),
        _json("license_features", "The licences that they hold: RUNTIME, DEVELOPMENT and so on."),
        _json("group_names", "The groups that they are in."),
        _json("permissions", "What their roles let them do, as `action` and `resourceType`."),
        *_MADE,
        _time("last_login_time", "When they logged in last."),
        _time("api_key_created_on", "When their API key was made."),
        _time("api_key_expiration_time", "When it expires."),
        _count("version", "Raised by each change."),
    ),
    key=("id",),
    children=(child("roles", USER_ROLES, parent=("user_id",)),),
    passed_over=frozenset({"password", "publicKey", "routingName", "appType", "sysAssignedRoles"}),
)

ROLE_PERMISSIONS: Final = Table(
    name="role_permissions",
    description="What a role lets its holders do.",
    columns=(
        Column("role_id", INTEGER, "The role; `roles.id`.", at=f"{PARENT}.id", read=number),
        Column("position", INTEGER, "Its place in the list, from 0.", at=POSITION),
        _text("action", "What: `view`, `run` and so on."),
        _text("resource_type", "With what: `devices`, `repositorymanager` and so on."),
        _text("permission_id", "The pair's number in older versions.", "id"),
        _text("resource_id", "With which one."),
    ),
    key=("role_id", "position"),
)
ROLE_USERS: Final = Table(
    name="role_users",
    description="Who holds a role, as the role tells it.",
    columns=(
        Column("role_id", INTEGER, "The role; `roles.id`.", at=f"{PARENT}.id", read=number),
        Column("user_id", INTEGER, "The user; `users.id`.", at=ITSELF, read=number),
    ),
    key=("role_id", "user_id"),
)

ROLES: Final = Table(
    name="roles",
    description="The roles of the Control Room, the system's too.",
    columns=(
        _id(),
        _text("name", "Its name."),
        _text("description", "What is said of it."),
        _count("count_principals", "How many hold it."),
        _flag("system_role", "Whether it is the system's."),
        _flag("enabled", "Whether it counts."),
        *_MADE,
        _count("version", "Raised by each change."),
    ),
    key=("id",),
    children=(
        child("permissions", ROLE_PERMISSIONS, parent=("role_id",)),
        child("userIds", ROLE_USERS, parent=("role_id",)),
    ),
)

# ---------------------------------------------------------------------------------------------------------- devices
ROBOT_USERS: Final = Table(
    name="robot_users",
    description="Whose default device a device is.",
    columns=(
        Column("robot_id", INTEGER, "The device; `robots.id`.", at=f"{PARENT}.id", read=number),
        _id("user_id", what="The user; `users.id`."),
        _text("username", "Their name."),
        _text("domain", "Their domain."),
    ),
    key=("robot_id", "user_id"),
)

ROBOTS: Final = Table(
    name="robots",
    description="Devices: the machines that bots run on (Bot Runners).",
    columns=(
        _id(),
        _text("host_name", "Its name."),
        _text("nickname", "Another name of it."),
        _text("description", "What is said of it."),
        _text("status", "CONNECTED, DISCONNECTED or OFFLINE."),
        _text("type", "SINGLE_USER or MULTIPLE_USERS."),
        _text("pool_name", "The pool that it is in; `pools.name`."),
        _text("lifespan", "PERSISTENT or TEMPORARY."),
        _text("installation_type", "SYSTEM_WIDE or USER_SPECIFIC."),
        _text("host_type", "What kind of host it is."),
        _text("deployment_type", "REGULAR or RDP."),
        _text("bot_agent_version", "The version of the program on it."),
        _count("bot_agent_debug_api_version", "Of the interface for debugging."),
        _count("max_count", "How many bots it runs at once."),
        _text("log_level", "How much it logs."),
        _json("log_configuration", "How it logs."),
        _of("updated_by", "Who changed it last; `users.id`."),
        _time("updated_on", "When it was heard of or changed last."),
    ),
    key=("id",),
    children=(child("defaultUsers", ROBOT_USERS, parent=("robot_id",)),),
)

RUN_AS_USERS: Final = Table(
    name="run_as_users",
    description="The users as whom bots can run unattended, with their default devices.",
    columns=(
        _id(what="The user; `users.id`."),
        _text("username", "Their name."),
        _text("device", "The name of their default device, or that it is picked at run time."),
        Column("device_id", INTEGER, "Their default device; `robots.id`.", at="deviceId", read=device),
    ),
    key=("id",),
)

POOL_DEVICES: Final = Table(
    name="pool_devices",
    description="Which devices are in a pool.",
    columns=(
        Column("pool_id", INTEGER, "The pool; `pools.id`.", at=f"{PARENT}.id", read=number),
        Column("device_id", INTEGER, "The device; `robots.id`.", at=ITSELF, read=number),
    ),
    key=("pool_id", "device_id"),
)
POOL_OWNERS: Final = Table(
    name="pool_owners",
    description="Who owns a pool.",
    columns=(
        Column("pool_id", INTEGER, "The pool; `pools.id`.", at=f"{PARENT}.id", read=number),
        Column("user_id", INTEGER, "The user; `users.id`.", at=ITSELF, read=number),
    ),
    key=("pool_id", "user_id"),
)
POOL_CONSUMERS: Final = Table(
    name="pool_consumers",
    description="Which roles may run bots on a pool.",
    columns=(
        Column("pool_id", INTEGER, "The pool; `pools.id`.", at=f"{PARENT}.id", read=number),
        Column("role_id", INTEGER, "The role; `roles.id`.", at=ITSELF, read=number),
    ),
    key=("pool_id", "role_id"),
)

POOLS: Final = Table(
    name="pools",
    description="Device pools.",
    columns=(
        _id(),
        _text("name", "Its name."),
        _text("description", "What is said of it."),
        _text("status", "CONNECTED, DISCONNECTED or OFFLINE."),
        _text("detailed_status", "Whether all of its devices are, or some."),
        _text("pool_type", "BASIC or MAC_OS."),
        _text("automation_scheme", "ROUND_ROBIN or PRIORITY: how automations share it."),
        _text("time_slice", "For how long one has it in turn."),
        _text("time_slice_unit", "In seconds, minutes or hours."),
        _count("device_count", "How many devices it has."),
        _count("automation_count", "How many automations run on it."),
        *_MADE,
        _text("tenant_uuid", "The Control Room's own id."),
    ),
    key=("id",),
    children=(
        child("deviceIds", POOL_DEVICES, parent=("pool_id",)),
        child("ownerIds", POOL_OWNERS, parent=("pool_id",)),
        child("consumerIds", POOL_CONSUMERS, parent=("pool_id",)),
    ),
    passed_over=frozenset({"tenantId"}),
)

# ----------------------------------------------------------------------------------------------------------- queues
WORK_ITEM_MODEL_ATTRIBUTES: Final = Table(
    name="work_item_model_attributes",
    description="The columns of a work item model.",
    columns=(
        Column("model_id", INTEGER, "The model; `work_item_models.id`.", at=f"{PARENT}.id", read=number),
        Column("position", INTEGER, "Its place in the list, from 0.", at=POSITION),
        _id(what="Its id, by which queues name their display columns."),
        _text("name", "Its name."),
        _text("type", "TEXT, NUMBER or DATE."),
    ),
    key=("model_id", "id"),
)

WORK_ITEM_MODELS: Final = Table(
    name="work_item_models",
    description="Work item models: the columns that the items of a queue have.",
    columns=(
        _id(),
        _text("name", "Its name."),
        *_MADE,
        _count("version", "Raised by each change."),
        _of("tenant_id", "The Control Room's number."),
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
        _id(),
        _text("name", "Its name."),
        _text("description", "What is said of it."),
        _text("status", "DRAFT, IN_USE or NOT_IN_USE."),
        _of("work_item_model_id", "The columns of its items; `work_item_models.id`."),
        _count("reactivation_threshold", "From how many waiting items on it is worked at again."),
        _flag("consider_reactivation_threshold", "Whether that counts."),
        _count("manual_processing_time", "How long a person would take for an item."),
        _text("manual_processing_time_unit", "In seconds, minutes, hours or days."),
        _flag("disallow_duplicate", "Whether an equal item is refused."),
        _flag("mark_duplicate", "Whether an equal item is marked."),
        _count("auto_retry_limit", "How often a failed item is tried again."),
        _json("work_item_processing_orders", "By which columns items are taken."),
        *_MADE,
        _of("tenant_id", "The Control Room's number."),
        _count("version", "Raised by each change."),
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
        _id(),
        _text("name", "Its name."),
        _text("description", "What is said of it."),
        _text("status", "ACTIVE or PAUSE."),
        _of("file_id", "The bot; `automations.id`."),
        _text("file_name", "The bot's name."),
        _of("queue_id", "The queue; `queues.id`."),
        _text("queue_name", "The queue's name."),
        _of("pool_id", "The pool; `pools.id`."),
        _text("priority", "How urgent it is."),
        _text("zone_id", "In which time zone its hours are."),
        _json("schedules", "In which hours it works."),
        _text("bot_label", "The label of the bot's version."),
        _text("bot_version", "The bot's version, if it is pinned."),
        _json("bot_input", "What the bot is given."),
        _count("work_items_processed", "How many items it has worked at."),
        Column("average_processing_time", NUMBER, "Seconds that it takes for one.", at="averageProcessingTime"),
        _count("total_paused_time_in_sec", "For how many seconds it was paused."),
        _time("started_on", "When it was started last."),
        _of("started_by", "By whom; `users.id`."),
        _of("owner", "Who answers for it; `users.id`."),
        _flag("run_elevated", "Whether the bot runs elevated."),
        _flag("rdp_enabled", "Whether devices are entered by RDP."),
        _flag("handle_unexpected_popups", "Whether windows that come up are closed."),
        _flag("hide_bot_agent_ui", "Whether the agent shows nothing."),
        _json("default_devices", "Its users' default devices."),
        _json("resiliency", "How it goes on after faults."),
        *_MADE,
        _of("tenant_id", "The Control Room's number."),
        _text("tenant_uuid", "The Control Room's own id."),
        _count("version", "Raised by each change."),
    ),
    key=("id",),
    children=(child("runAsUserIds", QUEUE_AUTOMATION_USERS, parent=("automation_id",)),),
)

WORK_ITEMS: Final = Table(
    name="work_items",
    description="Work items of WLM queues, without their payload but for the columns that the queue shows.",
    columns=(
        _id(),
        Column("queue_id", INTEGER, "Its queue; `queues.id`.", at="queueId", read=number),
        _text(
            "status",
            "NEW, READY_TO_RUN, QUEUED, ACTIVE, COMPLETED, FAILED, ON_HOLD or DATA_ERROR; older Control Rooms say "
            "STAGED, SUCCESSFUL, UNSUCCESSFUL.",
        ),
        _text("col1", "The first column that the queue shows."),
        _text("col2", "The second."),
        _text("col3", "The third."),
        _text("result", "What came of it."),
        _text("comment", "What people say of it."),
        _text("error", "Why it failed."),
        _time("start_time", "When work at it began."),
        _time("end_time", "When work at it ended."),
        _time("deferred_until", "Until when it waits."),
        _count("total_paused_time", "For how many seconds it was paused."),
        _count("retry_count", "How often it was tried again."),
        _of("automation_id", "What worked at it; `queue_automations.id`."),
        _of("device_id", "On which device; `robots.id`."),
        _of("device_user_id", "As whom; `users.id`."),
        Column(
            "job_execution_id",
            TEXT,
            "The execution that worked at it last; `executions.id`.",
            at="jobExecutionId",
            read=unless_empty,
        ),
        _count("hash_code", "Of its payload."),
        *_MADE,
        _count("version", "Raised by each change."),
    ),
    key=("id",),
    passed_over=frozenset({"json", "tenantUuid", "lastPausedTime", "tenantId"}),
)

WORK_ITEM_PAYLOADS: Final = Table(
    name="work_item_payloads",
    description="The payloads of work items, which lists do not tell: one request an item.",
    columns=(
        _id("work_item_id", what="The item; `work_items.id`."),
        Column("queue_id", INTEGER, "Its queue; `queues.id`.", at="queueId", read=number),
        _count("version", "The item's version when it was read."),
        _json("payload", "Its columns and their values.", "json"),
    ),
    key=("work_item_id",),
)

# -------------------------------------------------------------------------------------------------------- schedules
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
        _id(),
        _text("activity_name", "Its name."),
        _text("description", "What is said of it."),
        _text("status", "DRAFT, ACTIVE, INACTIVE, COMPLETED, ACTIVE_WITH_ERROR and so on."),
        _text("task_type", "TASK_BOT, API_TASK, PROCESS_TASK and so on."),
        _of("file_id", "The bot; `automations.id`."),
        _text("file_name", "The bot's name."),
        _text("file_path", "The bot's path."),
        _text("schedule_type", "NONE (once), DAILY, WEEKLY, MONTHLY or INSTANT."),
        _json("daily_recurrence", "Every how many days."),
        _json("weekly_recurrence", "On which days of the week."),
        _json("monthly_date_recurrence", "On which day of which months."),
        _json("monthly_week_day_recurrence", "On which weekday of which months."),
        _text("time_zone", "In which time zone."),
        _text("start_date", "From which day on."),
        _text("end_date", "Until which day."),
        _text("start_time", "At what time."),
        _flag("repeat_enabled", "Whether it is repeated within the day."),
        _json("repeat_occurrence", "How."),
        _time("zoned_next_run_date_time", "When it is due next."),
        _text("activity_priority", "How urgent its runs are."),
        _text("team_identifier_type", "Whose process it starts: TEAM_ID, ROLE_ID or USER_ID."),
        _of("team_identifier_id", "Of which team, role or user."),
        _of("owned_by", "Who answers for it; `users.id`."),
        *_MADE,
    ),
    key=("id",),
    children=(
        child("runAsUserIds", SCHEDULE_USERS, parent=("schedule_id",)),
        child("poolIds", SCHEDULE_POOLS, parent=("schedule_id",)),
    ),
    passed_over=frozenset({"poolId", "tenantId", "tenantUuid", "deviceIds"}),
)

# ------------------------------------------------------------------------------------------------------------ vault
CREDENTIAL_ATTRIBUTES: Final = Table(
    name="credential_attributes",
    description="The attributes of credentials: what they are called, never what they hold.",
    columns=(
        Column("credential_id", INTEGER, "The credential; `credentials.id`.", at=f"{PARENT}.id", read=number),
        _id(),
        _text("name", "Its name."),
        _text("description", "What is said of it."),
        _flag("user_provided", "Whether each user gives a value of their own."),
        _flag("masked", "Whether its value is hidden while it is typed."),
        _flag("password_flag", "Whether it is a password."),
        *_MADE,
        _count("version", "Raised by each change."),
    ),
    key=("credential_id", "id"),
    passed_over=frozenset({"externalVaultUsernameExpression", "value"}),
)

CREDENTIALS: Final = Table(
    name="credentials",
    description="Credentials that the user who loads owns or reaches by a locker. Values are never asked for.",
    columns=(
        _id(),
        _text("name", "Its name."),
        _text("description", "What is said of it."),
        _of("locker_id", "The locker that it is in; `lockers.id`."),
        _of("owner_id", "Whose it is; `users.id`."),
        _flag("completed", "Whether all values are there."),
        _text("external_vault_credential_name", "Its name in another vault."),
        _json("permissions", "What the user who loads may do with it."),
        *_MADE,
        _count("version", "Raised by each change."),
    ),
    key=("id",),
    children=(child("attributes", CREDENTIAL_ATTRIBUTES, parent=("credential_id",)),),
)

LOCKER_MEMBERS: Final = Table(
    name="locker_members",
    description="Who looks after a locker.",
    columns=(
        Column("locker_id", INTEGER, "The locker; `lockers.id`.", at=f"{PARENT}.id", read=number),
        _id("user_id", what="The user; `users.id`."),
        _json("permissions", "`own`, `manage`, `participate`."),
    ),
    key=("locker_id", "user_id"),
)

LOCKERS: Final = Table(
    name="lockers",
    description="Lockers of which the user who loads is a member or consumer.",
    columns=(
        _id(),
        _text("name", "Its name."),
        _text("description", "What is said of it."),
        _count("count_of_credentials", "How many credentials are in it."),
        _json("locker_permission", "What the user who loads is to it."),
        *_MADE,
        _count("version", "Raised by each change."),
    ),
    key=("id",),
    children=(child("members", LOCKER_MEMBERS, parent=("locker_id",)),),
)

# ------------------------------------------------------------------------------------------------------------ audit
AUDIT: Final = Table(
    name="audit",
    description="The audit log.",
    columns=(
        _text("id", "Its id, which is no number."),
        _text("activity_type", "What happened: RUN_BOT_ENDED, LOGIN, UPDATE_CREDENTIAL and so on."),
        _text("event_description", "The same in words."),
        _text("status", "Successful, Unsuccessful or Unknown."),
        _text("user_name", "Who did it."),
        _of("created_by", "Who did it; `users.id`."),
        _time("created_on", "When."),
        _text("object_name", "To what."),
        _text("host_name", "On which host."),
        _text("source", "Where it was done: Control Room, API and so on."),
        _text("environment_name", "In which environment."),
        _text("request_id", "By which request."),
    ),
    key=("id",),
)

# ----------------------------------------------------------------------------------------------------- key figures
_RANGE: Final = (Column("range_type", TEXT, "The range of time that the figure is of."),)
ACC_OVERVIEW: Final = Table(
    name="acc_overview",
    description="Key figures: how many bots run, have completed, failed, and are scheduled.",
    columns=(
        _text("field", "RUNNING, COMPLETED, FAILED or SCHEDULED."),
        Column("value", INTEGER, "How many."),
        *_RANGE,
    ),
    key=("field",),
)
ACC_RUN_DURATIONS: Final = Table(
    name="acc_run_durations",
    description="Key figures: how long bots ran, by the hour or the day that they began in.",
    columns=(
        _time("time", "The hour or day."),
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
        _id("bot_id", at="botId", what="The bot; `automations.id`."),
        _text("name", "Its name."),
        _text("path", "Its path."),
        Column("successful", INTEGER, "How many runs ended well.", at="count.successful"),
        Column("failed", INTEGER, "How many failed.", at="count.failed"),
        _text("last_failed_reason", "Why the last of them did.", "failures.lastFailedReason"),
        Column("longest_run_id", TEXT, "Its longest run; `executions.id`.", at="longestBotRun.id", read=unless_empty),
        Column("longest_run_milliseconds", INTEGER, "How long that took.", at="longestBotRun.runDurationMillisec"),
        _time("longest_run_from", "When it began.", "longestBotRun.from"),
        _time("longest_run_to", "When it ended.", "longestBotRun.to"),
        _of("longest_run_device_id", "On which device; `robots.id`.", "longestBotRun.deviceId"),
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
        _text("field_name", "Of which of them."),
        Column("run_duration_milliseconds", INTEGER, "How long its runs took.", at="runDurationMilliseconds"),
        Column("percentage_value", NUMBER, "What part of all that is.", at="percentageValue"),
        *_RANGE,
    ),
    key=("group_by", "field_name"),
)

TABLES: Final = (
    *(AUTOMATIONS, AUTOMATION_DETAILS, FOLDERS, DEPLOYMENTS, EXECUTIONS, EXECUTION_OUTPUTS, USERS, ROLES, ROBOTS),
    *(RUN_AS_USERS, POOLS, QUEUES, WORK_ITEM_MODELS, QUEUE_AUTOMATIONS, WORK_ITEMS, WORK_ITEM_PAYLOADS, SCHEDULES),
    *(CREDENTIALS, LOCKERS, AUDIT, ACC_OVERVIEW, ACC_RUN_DURATIONS, ACC_BOTS, ACC_GROUPS),
)
"""All tables of the source; lists within their rows are tables, too."""
