"""The list of assistants' runs: what a row shows, and by which fields they are found and sorted."""

from typing import Final

from controlroom.engine.assistants.model import AssistantError, AssistantRunState
from controlroom.engine.lists.model import Field, Kind, Listing, among

_ASSISTANT: Final = "join assistant on assistant.id = assistant_run.assistant_id"

ASSISTANT_RUNS: Final = Listing(
    noun="assistant runs",
    table="assistant_run",
    columns="""assistant_run.id, assistant_run.number, assistant_run.workspace_id, workspace.organization_id,
           assistant_run.assistant_id, assistant.name as assistant_name, assistant_run.user_id,
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
