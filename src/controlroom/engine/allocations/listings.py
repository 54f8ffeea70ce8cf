"""The list of allocations."""

from typing import Final

from controlroom.engine.lists.model import Field, Kind, Listing
from controlroom.engine.lists.words import Paths, with_path
from controlroom.engine.packages.places import FOLDERS, task_path

_TASK: Final = """join task on task.id = allocation.task_id
          join package on package.id = task.package_id and package.deleted_at is null"""
_WORKSPACE: Final = "join workspace on workspace.id = allocation.workspace_id"
_USER: Final = "left join app_user on app_user.id = allocation.run_as"

ALLOCATIONS: Final = Listing(
    noun="allocations",
    table="allocation",
    columns=f"""allocation.id, allocation.number, allocation.workspace_id, workspace.name as workspace_name,
           allocation.task_id, task.number as task_number, task.name as task_name, {FOLDERS} as folders,
           package.name as package_name,
           allocation.run_as, app_user.number as run_as_number, app_user.username as run_as_name, allocation.most,
           allocation.created_at, allocation.updated_at""",
    joins=f"""{_TASK}
          {_WORKSPACE}
          {_USER}""",
    tenant="allocation.workspace_id",
    always="""allocation.deleted_at is null
         and exists (select from task join package on package.id = task.package_id
                      where task.id = allocation.task_id and package.deleted_at is null)""",
    fields=(
        Field("id", Kind.ID, is_sortable=True, index="allocation_of_workspace"),
        Field("number", Kind.INTEGER, is_sortable=True),
        Field("task_id", Kind.ID, index="allocation_of_task"),
        Field("task_number", Kind.INTEGER, column="task.number", is_sortable=True, join=_TASK),
        Field("task_name", Kind.TEXT, column="task.name", is_sortable=True, join=_TASK),
        Field("package_name", Kind.TEXT, column="package.name", is_sortable=True, join=_TASK),
        Field("run_as_name", Kind.TEXT, column="app_user.username", is_nullable=True, join=_USER),
        Field("run_as_number", Kind.INTEGER, column="app_user.number", is_nullable=True, join=_USER),
        Field("most", Kind.INTEGER, is_sortable=True),
        Field("created_at", Kind.INSTANT, is_sortable=True),
    ),
)


def with_paths(paths: Paths) -> Listing:
    """The list that is filtered by where the tasks lie, too."""
    return with_path(ALLOCATIONS, task_path(paths, "allocation.task_id"))
