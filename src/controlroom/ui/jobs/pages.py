"""dbt jobs, what they work on, and the project that they build, with its docs and how fresh its sources are."""

from typing import Any, Final

import msgspec

from controlroom.border.links import download_url
from controlroom.engine.access import history
from controlroom.engine.access.scope import within
from controlroom.engine.downloads.model import DownloadKind
from controlroom.engine.job_definitions import actions
from controlroom.engine.job_definitions.listings import JOBS
from controlroom.engine.job_definitions.model import ListedJob
from controlroom.engine.jobs.store import JOB
from controlroom.engine.jobs.timetables import cron_of
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import AllOf, Asked, Compare, Filter, Operator, Sort, equal
from controlroom.engine.projects import store as projects
from controlroom.engine.references import resolve
from controlroom.engine.runs import actions as runs
from controlroom.engine.runs.model import DefaultInput
from controlroom.engine.runs.projects import left
from controlroom.engine.runs.projects.errors import NoDocs
from controlroom.engine.schedules.words import in_words
from controlroom.engine.targets import actions as target_actions
from controlroom.engine.targets import store as targets
from controlroom.engine.targets.listings import TARGETS
from controlroom.engine.targets.model import Target
from controlroom.engine.targets.store import TARGET
from controlroom.errors import NotFound
from controlroom.ids import ProcessId
from controlroom.ui.asking import Asking, Crumb, Path, Permission, Shown, elsewhere
from controlroom.ui.lists import Link
from controlroom.ui.numbers import ensure_number
from controlroom.ui.refusals import REFUSED, tried
from controlroom.ui.routing import Place, page, verb
from controlroom.ui.states import Sign

PLACE: Final = Place(at="jobs", name="dbt jobs", path="/jobs", icon="jobs", needs=Permission.READ_PROCESSES)
_MOST: Final = 200
_FRESHNESS: Final = "sources.json"
"""What the tool leaves of the freshness of sources."""
_MOST_REPORT: Final = 4 << 20
_THERE: Final = Compare("is_there", Operator.EQ, value=True)
FRESHNESS: Final = {
    "pass": Sign("done", "ok", "Fresh"),
    "warn": Sign("unresolved", "warn", "Getting old"),
    "error": Sign("failed", "bad", "Too old"),
    "runtime error": Sign("failed", "bad", "Could not be asked"),
}


# ---------------------------------------------------------------------------------------------------- jobs
@page("/jobs", needs=Permission.READ_PROCESSES)
async def list_jobs(request: Asking) -> Shown:
    """What builds, when, and how it went last."""
    return await request.show(
        "jobs/list.html",
        title="dbt jobs",
        at="jobs",
        tabs=_tabs(request, "Jobs"),
        jobs=await _jobs(request, AllOf((_THERE,))),
        project=await projects.find(*request.reading),
        when=_when,
        may_start=request.actor.may(Permission.START_RUNS, request.workspace),
    )


@page("/jobs/{number:str}", needs=Permission.READ_PROCESSES)
async def show_job(request: Asking, number: Path[str]) -> Shown:
    """What it runs, on what, when, and what it has left."""
    found = await resolve(*request.reading, JOB, number)
    job = await _job(request, found)
    ensure_number(request, number, job.number)
    sees = request.actor.may(Permission.READ_RUN_OUTPUTS, request.workspace)
    docs = await left.file_of_job(*request.reading, found, left.DOCS_PAGE) if sees else None
    fresh = await left.file_of_job(*request.reading, found, _FRESHNESS) if sees else None
    return await request.show(
        "jobs/job.html",
        title=job.name,
        at="jobs",
        crumbs=[Crumb("dbt jobs", f"{request.base}/jobs"), Crumb(job.name)],
        job=job,
        here=f"{request.base}/jobs/{job.number}",
        when=_when(job),
        docs=docs,
        fresh=fresh,
        sources=await _freshness(request, fresh),
        signs=FRESHNESS,
        changes=await history.changes_of(*request.reading, found),
        may_start=request.actor.may(Permission.START_RUNS, request.workspace),
        may_change=request.actor.may(Permission.WRITE_PROCESSES, request.workspace),
    )


@verb("/jobs/{number:str}/start")
async def start_job(request: Asking, number: Path[str]) -> Shown:
    """Start it as it says."""
    found = await resolve(request.db, request.scope_for(Permission.START_RUNS), JOB, number)
    run = await runs.start(*request.acting, found, DefaultInput())
    if run is None:
        return request.done(f"{request.base}/jobs/{number}", "It runs already, and takes no second run beside it.")
    return request.done(f"{request.base}/runs/{run.number}", f"Run #{run.number} is started.")


@page("/jobs/{number:str}/docs", needs=(Permission.READ_RUN_OUTPUTS, Permission.READ_PROCESSES))
async def open_docs(request: Asking, number: Path[str]) -> Shown:
    """The documentation that its last good run has made, as a page that can reach nothing."""
    found = await resolve(*request.reading, JOB, number)
    docs = await left.file_of_job(*request.reading, found, left.DOCS_PAGE)
    if docs is None:
        raise NoDocs
    return elsewhere(download_url(request, DownloadKind.ARTIFACT, docs.id, file_name=f"docs-{docs.run_number}.html"))


@page("/jobs/{number:str}/delete", needs=Permission.READ_PROCESSES)
async def ask_to_delete(request: Asking, number: Path[str]) -> Shown:
    """What goes with it."""
    return await _question(request, await _job(request, await resolve(*request.reading, JOB, number)))


@verb("/jobs/{number:str}/delete")
async def delete_job(request: Asking, number: Path[str]) -> Shown:
    """Delete it with what starts it."""
    found = await resolve(request.db, request.scope_for(Permission.WRITE_PROCESSES), JOB, number)
    _, refused = await tried(actions.delete(*request.acting, found))
    if refused:
        return await _question(request, await _job(request, found), refused=refused)
    return request.done(f"{request.base}/jobs", "The job is deleted. What it has built and left stays readable.")


async def _question(request: Asking, job: ListedJob, *, refused: str = "") -> Shown:
    return await request.show(
        "jobs/delete.html",
        title=f"Delete {job.name}",
        at="jobs",
        crumbs=[
            Crumb("dbt jobs", f"{request.base}/jobs"),
            Crumb(job.name, f"{request.base}/jobs/{job.number}"),
            Crumb("Delete"),
        ],
        status=REFUSED if refused else 200,
        job=job,
        refused=refused,
    )


async def _jobs(request: Asking, which: Filter) -> list[ListedJob]:
    seen = within(request.scope_for(Permission.READ_PROCESSES))
    return await pages.rows(
        request.db, ListedJob, JOBS, seen, Asked(filter=which, sort=(Sort("name"), Sort("id")), length=_MOST)
    )


async def _job(request: Asking, job: ProcessId) -> ListedJob:
    for found in await _jobs(request, AllOf((_THERE, equal(id=job)))):
        return found
    raise NotFound("There is no such job.", code="JOB_NOT_FOUND")


def _when(job: ListedJob) -> str:
    """When it starts by itself, in words."""
    if job.follows_number is not None:
        return "when another job ends"
    if not job.is_scheduled:
        return "when somebody starts it"
    return f"{in_words(cron_of(job.definition.settings.timetable))}, UTC"


async def _freshness(request: Asking, report: Any) -> list[dict[str, Any]]:
    """What the report says of each source: its name, how it stands, and when it was loaded last; the worst first."""
    if report is None or report.size > _MOST_REPORT:
        return []
    try:
        told = msgspec.json.decode(await request.engine.objects.read(report.hash))
    except msgspec.DecodeError:
        return []
    results = told.get("results") if isinstance(told, dict) else None
    rows = [
        {
            "name": str(each.get("unique_id", "")).removeprefix("source.").partition(".")[2],
            "status": str(each.get("status", "")),
            "at": str(each.get("max_loaded_at") or ""),
        }
        for each in (results if isinstance(results, list) else [])
        if isinstance(each, dict)
    ]
    order = {"error": 0, "runtime error": 0, "warn": 1, "pass": 2}
    return sorted(rows, key=lambda row: (order.get(row["status"], 0), row["name"]))[:_MOST]


# ---------------------------------------------------------------------------------------------------- environments
@page("/targets", needs=Permission.READ_TARGETS)
async def list_targets(request: Asking) -> Shown:
    """What jobs and people work on."""
    asked = Asked(filter=AllOf((_THERE,)), sort=(Sort("name"), Sort("id")), length=_MOST)
    return await request.show(
        "jobs/targets.html",
        title="dbt environments",
        at="jobs",
        crumbs=[Crumb("dbt jobs", f"{request.base}/jobs"), Crumb("Environments")],
        tabs=_tabs(request, "Environments"),
        targets=await pages.rows(request.db, Target, TARGETS, within(request.seen), asked),
    )


@page("/targets/{number:str}", needs=Permission.READ_TARGETS)
async def show_target(request: Asking, number: Path[str]) -> Shown:
    """How it works, and which jobs work on it."""
    found = await resolve(*request.reading, TARGET, number)
    target = await targets.get(*request.reading, found)
    ensure_number(request, number, target.number)
    sees_jobs = request.actor.may(Permission.READ_PROCESSES, request.workspace)
    return await request.show(
        "jobs/target.html",
        title=target.name,
        at="jobs",
        crumbs=[Crumb("Environments", f"{request.base}/targets"), Crumb(target.name)],
        target=target,
        jobs=await _jobs(request, AllOf((_THERE, equal(target_id=found)))) if sees_jobs else [],
        when=_when,
        changes=await history.changes_of(*request.reading, found),
        may_change=request.actor.may(Permission.WRITE_TARGETS, request.workspace),
    )


@page("/targets/{number:str}/delete", needs=Permission.READ_TARGETS)
async def ask_to_delete_target(request: Asking, number: Path[str]) -> Shown:
    """Which jobs would have nothing to work on."""
    return await _target_question(request, number)


@verb("/targets/{number:str}/delete")
async def delete_target(request: Asking, number: Path[str]) -> Shown:
    """Delete it."""
    found = await resolve(request.db, request.scope_for(Permission.WRITE_TARGETS), TARGET, number)
    _, refused = await tried(target_actions.delete(*request.acting, found))
    if refused:
        return await _target_question(request, number, refused=refused)
    return request.done(f"{request.base}/targets", "The environment is deleted.")


async def _target_question(request: Asking, number: str, *, refused: str = "") -> Shown:
    seen = request.scope_for(Permission.READ_TARGETS)
    target = await targets.get(request.db, seen, await resolve(request.db, seen, TARGET, number))
    sees_jobs = request.actor.may(Permission.READ_PROCESSES, request.workspace)
    return await request.show(
        "jobs/delete_target.html",
        title=f"Delete {target.name}",
        at="jobs",
        crumbs=[
            Crumb("Environments", f"{request.base}/targets"),
            Crumb(target.name, f"{request.base}/targets/{target.number}"),
            Crumb("Delete"),
        ],
        status=REFUSED if refused else 200,
        target=target,
        jobs=await _jobs(request, AllOf((_THERE, equal(target_id=target.id)))) if sees_jobs else [],
        refused=refused,
    )


def _tabs(request: Asking, current: str) -> list[Link]:
    tabs = [Link("Jobs", f"{request.base}/jobs", current == "Jobs")]
    if request.actor.may(Permission.READ_TARGETS, request.workspace):
        tabs.append(Link("Environments", f"{request.base}/targets", current == "Environments"))
    return tabs
