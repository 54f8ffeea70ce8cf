"""What is told beside runs where it is asked for: job, environment and repository, for a whole page at once."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from msgspec import Struct

from controlroom.dialects.dbt_cloud import environments, repositories
from controlroom.dialects.dbt_cloud.asking import Asking
from controlroom.dialects.dbt_cloud.environments import EnvironmentShown
from controlroom.dialects.dbt_cloud.job_answers import JobOfRun, shown_in_run
from controlroom.dialects.dbt_cloud.repositories import RepositoryShown
from controlroom.engine.access.scope import Of, within
from controlroom.engine.job_definitions.listings import JOBS
from controlroom.engine.job_definitions.model import ListedJob
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import AllOf, Asked, Direction, OneOf, Sort
from controlroom.engine.projects import repositories as packages
from controlroom.engine.projects import store as projects
from controlroom.engine.runs.projects.listings import PROJECT_RUNS, ListedRun
from controlroom.engine.targets.listings import TARGETS
from controlroom.engine.targets.model import Target
from controlroom.ids import ProcessId, TargetId, WorkspaceId

_MOST_RETRIES: Final = 1_000
"""Told beside a page of runs; one that was retried is not the last one any more, and has mostly one."""


class Beside(Struct, frozen=True):
    """By what runs have of them."""

    jobs: Mapping[ProcessId, JobOfRun]
    environments: Mapping[TargetId, EnvironmentShown]
    repositories: Mapping[WorkspaceId, RepositoryShown]
    retries: Mapping[int, list[ListedRun]] | None
    """By number, the runs that have gone on where one failed; None where they are not asked for."""


async def beside_runs(request: Asking, seen: Of, runs: Sequence[ListedRun], related: AbstractSet[str]) -> Beside:
    """Those of some runs, as far as they are asked for."""
    return Beside(
        await _jobs(request, seen, runs) if "job" in related else {},
        await _environments(request, seen, runs) if "environment" in related else {},
        await _repositories(request, seen, runs) if "repository" in related else {},
        await _retries(request, seen, runs) if "run_retries" in related else None,
    )


async def _jobs(request: Asking, seen: Of, runs: Sequence[ListedRun]) -> dict[ProcessId, JobOfRun]:
    wanted = tuple({run.process_id for run in runs})
    asked = Asked(filter=OneOf("id", wanted), length=len(wanted))
    found = await pages.rows(request.db, ListedJob, JOBS, within(seen), asked)
    now = runs[0].asked_at
    return {job.id: shown_in_run(job, account=request.account, now=now) for job in found}


async def _environments(request: Asking, seen: Of, runs: Sequence[ListedRun]) -> dict[TargetId, EnvironmentShown]:
    wanted = tuple({run.target_id for run in runs})
    asked = Asked(filter=OneOf("id", wanted), length=len(wanted))
    found = await pages.rows(request.db, Target, TARGETS, within(seen), asked)
    return {
        target.id: shown for target, shown in zip(found, await environments.told(request, seen, found), strict=True)
    }


async def _repositories(request: Asking, seen: Of, runs: Sequence[ListedRun]) -> dict[WorkspaceId, RepositoryShown]:
    by_package = {}
    for workspace in {run.workspace_id for run in runs}:  # mostly one; never more than are on the page
        project = await projects.find(request.db, Of(seen.organization, (workspace,)))
        if project is not None and project.package_id is not None:
            by_package[project.package_id] = workspace
    found = await packages.of_packages(request.db, seen, list(by_package))
    show = repositories.shown_to(request)
    return {by_package[each.id]: show(each) for each in found}


async def _retries(request: Asking, seen: Of, runs: Sequence[ListedRun]) -> dict[int, list[ListedRun]]:
    jobs, failed = tuple({run.process_id for run in runs}), tuple(run.run_id for run in runs)
    which = AllOf((OneOf("process_id", jobs), OneOf("retry_of", failed)))
    asked = Asked(filter=which, sort=(Sort("id", Direction.ASCENDING),), length=_MOST_RETRIES)
    found: dict[int, list[ListedRun]] = {}
    for run in await pages.rows(request.db, ListedRun, PROJECT_RUNS, within(seen), asked):
        if run.retry_of_number is not None:
            found.setdefault(run.retry_of_number, []).append(run)
    return found
