"""The list of processes, over all workspaces that somebody sees; without those of bare tasks."""

from datetime import datetime
from typing import Final

from msgspec import Struct

from controlroom.engine.lists.model import Field, Kind, Listing
from controlroom.engine.lists.words import Paths, with_path
from controlroom.ids import ProcessId, WorkspaceId

ASKS_PEOPLE: Final = """(process.form is not null
            or exists (select from step where step.process_id = process.id and step.form is not null
                                          and step.deleted_at is null))"""
"""Whether a process asks people: by a step that waits for them, or by the form that starts it."""
_WORKSPACE: Final = "join workspace on workspace.id = process.workspace_id"

PROCESSES: Final = Listing(
    noun="processes",
    table="process",
    columns="""process.id, process.number, process.workspace_id, workspace.name as workspace_name, process.name,
           process.is_enabled, process.form is not null as has_form, process.created_at""",
    joins=_WORKSPACE,
    tenant="process.workspace_id",
    always="process.deleted_at is null and process.implicit_task_id is null",
    fields=(
        Field("id", Kind.ID, is_sortable=True, index="process_of_workspace"),
        Field("number", Kind.INTEGER, is_sortable=True),
        Field("name", Kind.TEXT, is_sortable=True),
        Field("workspace_name", Kind.TEXT, column="workspace.name", is_sortable=True, join=_WORKSPACE),
        Field("is_enabled", Kind.TRUTH),
        Field("asks_people", Kind.TRUTH, column=ASKS_PEOPLE),
        Field("created_at", Kind.INSTANT, is_sortable=True),
    ),
)


def with_paths(paths: Paths) -> Listing:
    """The list that is filtered by where processes lie, too: in their workspace."""
    where = "select place.name from workspace as place where place.id = process.workspace_id"
    return with_path(PROCESSES, paths.of(f"({where})", "process.name"))


class ListedProcess(Struct, frozen=True, kw_only=True):
    """A process in a list."""

    id: ProcessId
    number: int
    workspace_id: WorkspaceId
    workspace_name: str
    name: str
    is_enabled: bool
    has_form: bool
    """Whether it has a form of its own by which people start it."""
    created_at: datetime
