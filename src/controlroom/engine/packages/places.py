"""Where packages and their tasks lie, as statements and lists tell it.

A package is in a folder of the repository, or directly below its workspace. What tells a task tells where its package
is now: it may have been moved, and its folders renamed. A deleted one stays where it was last.
"""

from typing import Final

from controlroom.engine.lists.words import Paths

FOLDERS: Final = """coalesce((select folder.path from repository_file as folder where folder.id = package.folder_id),
                    array[]::text[])"""
"""The names of the folders in which `package` lies, from below its workspace on; a column of rows with `folders`.

It is no join, so that the order and the reach of a list decide of how many rows it is read.
"""


def task_path(paths: Paths, task: str) -> str:
    """The path of a task, as SQL; `task` is its id, of columns of the statement around it."""
    return f"""(select {path_in(paths, "of_task.name")}
              from task as of_task {AROUND}
              join workspace as place on place.id = of_package.workspace_id
             where of_task.id = {task})"""


AROUND: Final = """left join package as of_package on of_package.id = of_task.package_id
              left join repository_file as lies_in on lies_in.id = of_package.folder_id"""
"""What `path_in` needs of `of_task`."""


def path_in(paths: Paths, name: str) -> str:
    """The path of what has a name, in the package and the workspace (`place`) around it, if it has any."""
    return paths.of("place.name", paths.joined("lies_in.path"), "of_package.name", name)
