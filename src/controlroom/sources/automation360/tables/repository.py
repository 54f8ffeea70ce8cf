"""Bots, and what lies beside them in the repository."""

from typing import Final

from controlroom.sources.automation360.tables.parts import as_json, flag, moment, number, of, own_id, text
from controlroom.sources.columns import INTEGER, PARENT, POSITION, Column, Table, child

BOT: Final = "application/vnd.aa.taskbot"
HEADLESS: Final = "application/vnd.aa.headlessbot"
FOLDER: Final = "application/vnd.aa.directory"

_FILE: Final = (
    own_id(what="Its id in the repository."),
    of("parent_id", "The folder that it lies in; `folders.id`."),
    text("name", "Its name."),
    text("description", "What people say of it."),
    text("type", "Its media type."),
    text("path", "Its path, with backslashes."),
    text("workspace_type", "PUBLIC or PRIVATE."),
    of("workspace_id", "Whose private workspace it is in; none in the public one."),
    moment("created_on", "When it was made; newer Control Rooms alone tell it."),
    of("created_by", "Which user made it; `users.id`."),
    moment("last_modified", "When it was changed last."),
    of("last_modified_by", "Which user changed it last; `users.id`."),
)
_RIGHTS: Final = as_json("permission", "What the user who loads may do with it.")
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
        text("uuid", "Another id of it."),
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
        text("bot_status", "DRAFT, NEW, PUBLIC, CHECKED_OUT or CLONED."),
        text("latest_version", "The number of its latest version."),
        text("production_version", "The number of the version that is labelled PRODUCTION; empty for none."),
        text("bot_version_label", "The label of the latest version."),
        flag("locked", "Whether somebody has it checked out."),
        of("locked_by", "Who; `users.id`."),
        flag("has_errors", "Whether it cannot run as it is."),
        flag("has_triggers", "Whether it has event triggers."),
        text("code_analysis_result", "The worst that was found in its code."),
        text("uuid", "Another id of it."),
        as_json("tags", "Words about it."),
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
        text("type", "CREATOR or LAST_MODIFIER."),
        of("user_id", "Who; `users.id`."),
        text("user_name", "By what name they log in."),
        text("first_name", "Their first name."),
        text("last_name", "Their last name."),
    ),
    key=("automation_id", "position"),
)

AUTOMATION_VARIABLES: Final = Table(
    name="automation_variables",
    description="The inputs and outputs that an automation declares.",
    columns=(
        _OF_BOT,
        Column("position", INTEGER, "Its place in the list, from 0.", at=POSITION),
        text("name", "Its name."),
        text("type", "STRING, NUMBER, BOOLEAN, LIST and so on."),
        flag("input", "Whether a start may give it."),
        flag("output", "Whether a run tells it."),
        text("description", "What it is for."),
        as_json("default_value", "Its value where nothing is given."),
    ),
    key=("automation_id", "position"),
)

AUTOMATION_DEPENDENCIES: Final = Table(
    name="automation_dependencies",
    description="The files that an automation needs.",
    columns=(
        _OF_BOT,
        own_id("file_id", what="The file."),
        text("name", "Its name."),
        text("path", "Its path."),
        text("type", "Its media type."),
        Column("size", INTEGER, "Its size."),
        text("dependency_type", "MANUAL or SCANNED."),
        of("required_by_file_id", "Which file names it."),
        text("bot_status", "In which state of its making it is."),
        text("version_number", "Its version."),
        text("label", "The label of that version."),
        text("url", "Its address in the repository."),
        of("locked_by", "Who has it checked out; `users.id`."),
    ),
    key=("automation_id", "file_id"),
    passed_over=frozenset({"permission"}),
)

AUTOMATION_DETAILS: Final = Table(
    name="automation_details",
    description="What is known of an automation beside its file: who answers for it, how it ended last, what it takes.",
    columns=(
        own_id(at="botId", what="The automation; `automations.id`."),
        text("name", "Its name.", "botName"),
        text("version", "Its version."),
        moment("last_modified_date", "When it was changed last."),
        moment("last_successful_run_end", "When it last ended well.", "lastSuccessfulRun.endDateTime"),
        text("last_successful_run_status", "With which status.", "lastSuccessfulRun.status"),
        moment("last_failed_run_end", "When it last failed.", "lastFailedRun.endDateTime"),
        text("last_failed_run_status", "With which status.", "lastFailedRun.status"),
    ),
    key=("id",),
    children=(
        child("technicalOwners", AUTOMATION_OWNERS, parent=("automation_id",)),
        child("variables", AUTOMATION_VARIABLES, parent=("automation_id",)),
        child("dependencies", AUTOMATION_DEPENDENCIES, parent=("automation_id",)),
    ),
)
