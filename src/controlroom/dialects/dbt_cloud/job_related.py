"""What is told beside jobs where it is asked for, for a whole page at once, as far as the caller may read it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from controlroom.dialects.dbt_cloud import accounts, environment_variables, environments, projects
from controlroom.dialects.dbt_cloud.asking import Asking, Permission
from controlroom.dialects.dbt_cloud.job_answers import JobShown
from controlroom.dialects.dbt_cloud.run_shapes import RunShown, shown_run
from controlroom.engine.access.scope import Of, within
from controlroom.engine.job_definitions.model import ListedJob
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import Asked, OneOf
from controlroom.engine.projects.listings import PROJECTS
from controlroom.engine.projects.model import Project
from controlroom.engine.runs.projects import listings, retries
from controlroom.engine.runs.projects.listings import PROJECT_RUNS, ListedRun
from controlroom.engine.targets.listings import TARGETS
from controlroom.engine.targets.model import Target
from controlroom.engine.variables import store as variables
from controlroom.engine.variables.model import VariableScope
from controlroom.ids import ProcessId, WorkspaceId

_RUNS = frozenset({"most_recent_run", "most_recent_completed_run"})


async def with_related(request: Asking, jobs: Sequence[ListedJob], shown: list[JobShown]) -> list[JobShown]:
    """Jobs with what is asked for beside them."""
    related = request.related
    if not related or not jobs:
        return shown
    account = await accounts.told(request) if "account" in related else None
    of = await _projects(request, jobs) if "project" in related else {}
    on = await _environments(request, jobs) if "environment" in related else {}
    last, completed = await _runs(request, jobs) if related & _RUNS else ({}, {})
    are_asked = "custom_environment_variables" in related
    values = await _variables(request, jobs) if are_asked else {}
    return [
        replace(
            told,
            account=account,
            project=of.get(job.workspace_id),
            environment=on.get(job.target_id),
            most_recent_run=last.get(job.id) if "most_recent_run" in related else None,
            most_recent_completed_run=completed.get(job.id) if "most_recent_completed_run" in related else None,
            custom_environment_variables=values.get(job.id, []) if are_asked else UNSET,
        )
        for job, told in zip(jobs, shown, strict=True)
    ]


def _readable(request: Asking, jobs: Iterable[ListedJob], permission: Permission) -> Of:
    """The workspaces of jobs in which the caller has a further permission."""
    found = {job.workspace_id for job in jobs}
    may = sorted(each for each in found if request.actor.may(permission, each))
    return Of(request.actor.organization_id, tuple(may))


async def _projects(request: Asking, jobs: Sequence[ListedJob]) -> Mapping[WorkspaceId, Any]:
    seen = _readable(request, jobs, Permission.READ_PROCESSES)
    asked = Asked(filter=OneOf("id", seen.workspaces), length=len(seen.workspaces))
    found = await pages.rows(request.db, Project, PROJECTS, within(seen), asked)
    return {row.id: told for row, told in zip(found, await projects.told(request, found), strict=True)}


async def _environments(request: Asking, jobs: Sequence[ListedJob]) -> Mapping[Any, Any]:
    seen = _readable(request, jobs, Permission.READ_TARGETS)
    wanted = tuple({job.target_id for job in jobs})
    asked = Asked(filter=OneOf("id", wanted), length=len(wanted))
    found = await pages.rows(request.db, Target, TARGETS, within(seen), asked)
    return {row.id: told for row, told in zip(found, await environments.told(request, seen, found), strict=True)}


async def _runs(
    request: Asking, jobs: Sequence[ListedJob]
) -> tuple[Mapping[ProcessId, RunShown], Mapping[ProcessId, RunShown]]:
    """The last run of each job, and the last one that has ended."""
    seen = _readable(request, jobs, Permission.READ_RUNS)
    latest = await listings.latest_of_jobs(request.db, seen, [job.id for job in jobs])
    numbers = tuple({number for each in latest for number in (each.last, each.last_ended) if number is not None})
    asked = Asked(filter=OneOf("id", numbers), length=max(1, len(numbers)))
    found = await pages.rows(request.db, ListedRun, PROJECT_RUNS, within(seen), asked) if numbers else []
    retry = await retries.standings(request.db, seen, [run.run_id for run in found]) if found else {}
    told = {
        run.number: shown_run(
            run, account=request.account, origin=request.origin, retry=retry.get(run.run_id), blocked_by=[]
        )
        for run in found
    }
    return (
        {each.process_id: told[each.last] for each in latest if each.last in told},
        {each.process_id: told[each.last_ended] for each in latest if each.last_ended in told},
    )


async def _variables(request: Asking, jobs: Sequence[ListedJob]) -> Mapping[ProcessId, list[Any]]:
    """Their own variables, those that are secret masked."""
    found: dict[ProcessId, list[Any]] = {}
    for workspace in _readable(request, jobs, Permission.READ_VARIABLES).workspaces:  # mostly one
        seen = Of(request.actor.organization_id, (workspace,))
        for variable in await variables.of_workspace(request.db, seen, (VariableScope.PROCESS,)):
            if variable.process_id is not None:
                found.setdefault(variable.process_id, []).append(environment_variables.told(request, variable))
    return found
