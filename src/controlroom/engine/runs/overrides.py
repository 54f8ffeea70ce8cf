"""What the overrides of a start mean, found while its process stands still."""

from collections.abc import Collection, Sequence

from msgspec import Struct

from controlroom.engine.access.scope import SEEN, Scope, ScopedTx
from controlroom.engine.packages.errors import PackageVersionNotFound
from controlroom.engine.processes.model import Step, StepTask
from controlroom.engine.runs.model import Overrides
from controlroom.errors import Conflict
from controlroom.ids import PackageId, PackageVersionId


class TaskNotInVersion(Conflict):
    """The version that a start asked for does not have a task that a step runs."""

    code = "TASK_NOT_IN_VERSION"

    def __init__(self, task: str, package: str, version: int) -> None:
        super().__init__(f"version {version} of {package} has no task {task!r}")


class _Version(Struct, frozen=True):
    id: PackageVersionId
    package_id: PackageId
    version: int
    tasks: list[str]


async def overridden_versions(
    tx: ScopedTx, scope: Scope, steps: Sequence[Step], overrides: Overrides
) -> dict[PackageId, PackageVersionId]:
    """The versions that a run shall take, by package; of packages that are not named, each claim takes the latest.

    Raises PackageVersionNotFound for a version that is of no step's package, TaskNotInVersion.
    """
    if overrides.version is None:
        return {}
    works = [step.work for step in steps if step.work is not None]
    found = await _named(tx, scope, overrides.version, {work.package_id for work in works})
    if found is None:
        raise PackageVersionNotFound(overrides.version)
    _check_tasks(found, [work for work in works if isinstance(work, StepTask)])
    return {found.package_id: found.id}


async def _named(
    tx: ScopedTx, scope: Scope, version: PackageVersionId, packages: Collection[PackageId]
) -> _Version | None:
    """A version of one of the packages, with the tasks that it has."""
    return await tx.one_or_none(
        _Version,
        f"""
        select version.id, version.package_id, version.version,
               array(select task ->> 'name' from jsonb_array_elements(version.robot -> 'tasks') as task) as tasks
          from package_version as version join package on package.id = version.package_id
         where version.id = %(version)s and package.id = any(%(packages)s::uuid[]) and package.workspace_id = {SEEN}
        """,
        version=version,
        packages=list(packages),
        **scope.params,
    )


def _check_tasks(version: _Version, tasks: Sequence[StepTask]) -> None:
    for task in tasks:
        if task.package_id == version.package_id and task.name not in version.tasks:
            raise TaskNotInVersion(task.name, task.package_name, version.version)
