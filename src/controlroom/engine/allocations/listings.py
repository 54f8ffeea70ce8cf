"""The list of allocations."""

from typing import Final

from controlroom.engine.lists.model import Field, Kind, Listing
from controlroom.engine.lists.words import Paths, with_path

_TASK: Final = """join task on task.id = allocation.task_id
          join package on package.id = task.package_id and package.deleted_at is null"""
_WORKSPACE: Final = "join workspace on workspace.id = allocation.workspace_id"
_USER: Final = "left join app_user on app_user.id = allocation.run_as"

ALLOCATIONS: Final = Listing(
    noun="allocations",
    table="allocation",
    columns="""allocation.id, allocation.number, allocation.workspace_id, workspace.name as workspace_name,
           allocation.task_id, task.number as task_number, task.name as task_name, package.name as package_name,
           allocation.run_as, app_user.number as run_as_number, allocation.most, allocation.created_at,
           allocation.updated_at""",
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
        Field("run_as_number", Kind.INTEGER, column="app_user.number", is_nullable=True, join=_USER),
        Field("most", Kind.INTEGER, is_sortable=True),
        Field("created_at", Kind.INSTANT, is_sortable=True),
    ),
)


def with_paths(paths: Paths) -> Listing:
    """The list that is filtered by where the tasks lie, too."""
    return with_path(
        ALLOCATIONS,
        f"""(select {paths.of("place.name", "of_package.name", "of_task.name")}
              from task as of_task join package as of_package on of_package.id = of_task.package_id
              join workspace as place on place.id = of_package.workspace_id
             where of_task.id = allocation.task_id)""",
    )
