"""The lists of assistants and of their runs: what a row shows, and by which fields they are found and sorted."""

from datetime import datetime
from typing import Final

from msgspec import Struct

from controlroom.engine.assistants.model import AssistantError, AssistantRunState
from controlroom.engine.lists.model import Field, Kind, Listing, among
from controlroom.ids import AssistantId

_ASSISTANT: Final = "join assistant on assistant.id = assistant_run.assistant_id"

ASSISTANT_RUNS: Final = Listing(
    noun="assistant runs",
    table="assistant_run",
    columns="""assistant_run.id, assistant_run.number, assistant_run.workspace_id, workspace.organization_id,
           assistant_run.assistant_id, assistant.name as assistant_name, assistant_run.user_id,
           (select username from app_user where app_user.id = assistant_run.user_id) as user_name,
           assistant_run.package_version_id, assistant_run.state, assistant_run.error_code, assistant_run.started_at,
           assistant_run.ended_at""",
    joins=f"""{_ASSISTANT}
      join workspace on workspace.id = assistant_run.workspace_id and workspace.deleted_at is null""",
    tenant="assistant_run.workspace_id",
    fields=(
        Field("id", Kind.ID, is_sortable=True, index="assistant_run_of_workspace"),
        Field("number", Kind.INTEGER, is_sortable=True),
        Field("assistant_id", Kind.ID, index="assistant_run_of_assistant"),
        Field("assistant_name", Kind.TEXT, column="assistant.name", is_sortable=True, join=_ASSISTANT),
        Field("user_id", Kind.ID),
        Field("state", Kind.TEXT, choices=among(AssistantRunState)),
        Field("error_code", Kind.TEXT, is_nullable=True, choices=among(AssistantError)),
        Field("started_at", Kind.INSTANT, is_sortable=True),
        Field("ended_at", Kind.INSTANT, is_nullable=True, is_sortable=True),
    ),
)


class ListedAssistant(Struct, frozen=True, kw_only=True):
    """An assistant as a list shows it, with its latest run."""

    id: AssistantId
    number: int
    name: str
    task_name: str
    package_name: str
    package_number: int
    created_at: datetime
    last_state: AssistantRunState | None
    """None: nobody has run it."""
    last_error: AssistantError | None
    last_at: datetime | None
    last_by: str | None


_TASK: Final = """join task on task.id = assistant.task_id
      join package on package.id = task.package_id"""
_LAST: Final = """left join lateral (
           select state, error_code, started_at, app_user.username
             from assistant_run join app_user on app_user.id = assistant_run.user_id
            where assistant_run.assistant_id = assistant.id
            order by assistant_run.id desc limit 1) as last on true"""

ASSISTANTS: Final = Listing(
    noun="assistants",
    table="assistant",
    columns="""assistant.id, assistant.number, assistant.name, task.name as task_name, package.name as package_name,
           package.number as package_number, assistant.created_at, last.state as last_state,
           last.error_code as last_error, last.started_at as last_at, last.username as last_by""",
    joins=f"""{_TASK}
      {_LAST}""",
    tenant="assistant.workspace_id",
    always="assistant.deleted_at is null",
    fields=(
        Field("id", Kind.ID, is_sortable=True, index="assistant_of_workspace"),
        Field("number", Kind.INTEGER, is_sortable=True),
        Field("name", Kind.TEXT, is_sortable=True),
        Field("task_name", Kind.TEXT, column="task.name", is_sortable=True, join=_TASK),
        Field("created_at", Kind.INSTANT, is_sortable=True),
        Field("last_at", Kind.INSTANT, column="last.started_at", is_nullable=True, is_sortable=True, join=_LAST),
    ),
)
