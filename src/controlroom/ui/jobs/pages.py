"""dbt jobs, what they work on, and the project that they build, with its docs and how fresh its sources are."""

from datetime import timedelta
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from controlroom.border.links import download_url
from controlroom.engine.access import history
from controlroom.engine.access.scope import within
from controlroom.engine.downloads.model import DownloadKind
from controlroom.engine.job_definitions import actions
from controlroom.engine.job_definitions.listings import JOBS
from controlroom.engine.job_definitions.model import JobDefinition, ListedJob
from controlroom.engine.jobs.store import JOB
from controlroom.engine.jobs.timetables import cron_of, timetable_of
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import AllOf, Asked, Compare, Operator, equal
from controlroom.engine.projects import store as projects
from controlroom.engine.references import resolve
from controlroom.engine.runs import actions as runs
from controlroom.engine.runs.model import DefaultInput
from controlroom.engine.runs.projects import left
from controlroom.engine.runs.projects.errors import NoDocs
from controlroom.engine.schedules.words import in_words
from controlroom.errors import Invalid, NotFound
from controlroom.ids import ProcessId, TargetId, as_uuid
from controlroom.ui.asking import Asking, Fields, Path, Permission, Shown, elsewhere
from controlroom.ui.filters import Reference, Tab
from controlroom.ui.lists import Col, Link, ListPage
from controlroom.ui.numbers import ensure_number
from controlroom.ui.pickers.known import TARGETS
from controlroom.ui.pickers.picker import resolved
from controlroom.ui.refusals import REFUSED, said, tried
from controlroom.ui.routing import Place, page, verb
from controlroom.ui.states import Sign

PLACE: Final = Place(
    at="jobs", name="dbt jobs", path="/jobs", is_rare=True, icon="jobs", needs=Permission.READ_PROCESSES
)
MOST_SOURCES: Final = 200
"""Of a report of freshness: the worst come first."""
_FRESHNESS: Final = "sources.json"
"""What the tool leaves of the freshness of sources."""
_MOST_REPORT: Final = 4 << 20
THERE: Final = Compare("is_there", Operator.EQ, value=True)
FRESHNESS: Final = {
    "pass": Sign("done", "ok", "Fresh"),
    "warn": Sign("unresolved", "warn", "Getting old"),
    "error": Sign("failed", "bad", "Too old"),
    "runtime error": Sign("failed", "bad", "Could not be asked"),
}


LIST: Final = ListPage(
    listing=JOBS,
    row=ListedJob,
    path="/jobs",
    noun="jobs",
    noun_of_one="job",
    topics="job run",
    always=THERE,
    tabs=(
        Tab("all", "All"),
        Tab("scheduled", "By themselves", AllOf((equal(is_scheduled=True), equal(is_enabled=True)))),
        Tab("disabled", "Disabled", equal(is_enabled=False)),
    ),
    filters=(Reference("target", "Environment", "target_id", TARGETS),),
    columns=(
        Col("name", "Job", sort="name", always=True),
        Col("target_name", "Environment"),
        Col("starts", "Starts", csv=lambda job: when_told(job)),  # noqa: PLW0108 - it stands below
        Col("lately", "Lately", csv=lambda job: job.failures or ("succeeded" if job.has_succeeded else "")),
        Col("next_due", "Next", is_number=True, always=True),
    ),
    searched=("name",),
    searched_words="Name, number or id",
    sort="name",
)


# ---------------------------------------------------------------------------------------------------- jobs
@page("/jobs", needs=Permission.READ_PROCESSES)
async def list_jobs(request: Asking) -> Shown:
    """What builds, when, and how it went last."""
    return await request.show(
        "jobs/list.html",
        title="dbt jobs",
        at="jobs",
        tabs=tabs_of(request, "Jobs"),
        found=await LIST.read(request),
        project=await projects.find(*request.reading),
        when=when_told,
        may_start=request.actor.may(Permission.START_RUNS, request.workspace),
        may_change=request.actor.may(Permission.WRITE_PROCESSES, request.workspace),
    )


@page("/jobs/{number:str}", needs=Permission.READ_PROCESSES)
async def show_job(request: Asking, number: Path[str]) -> Shown:
    """What it runs, on what, when, and what it has left."""
    found = await resolve(*request.reading, JOB, number)
    job = await job_of(request, found)
    ensure_number(request, number, job.number)
    sees = request.actor.may(Permission.READ_RUN_OUTPUTS, request.workspace)
    docs = await left.file_of_job(*request.reading, found, left.DOCS_PAGE) if sees else None
    fresh = await left.file_of_job(*request.reading, found, _FRESHNESS) if sees else None
    return await request.show(
        "jobs/job.html",
        title=job.name,
        at="jobs",
        crumbs=request.way(("dbt jobs", "/jobs"), job.name),
        job=job,
        here=f"{request.base}/jobs/{job.number}",
        when=when_told(job),
        docs=docs,
        fresh=fresh,
        sources=await _freshness(request, fresh),
        signs=FRESHNESS,
        changes=await history.changes_of(*request.reading, found),
        may_start=request.actor.may(Permission.START_RUNS, request.workspace),
        may_change=request.actor.may(Permission.WRITE_PROCESSES, request.workspace),
    )


@verb("/jobs/{number:str}/start", may=Permission.START_RUNS)
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


@page("/jobs/new", needs=(Permission.WRITE_PROCESSES, Permission.READ_PROCESSES))
async def ask_for_job(request: Asking) -> Shown:
    """What it runs, on what and when."""
    pairs = [("threads", "4"), ("is_enabled", "on"), ("cron", "0 3 * * *"), ("commands", "dbt build")]
    return await _form(request, None, Fields(pairs))


@verb("/jobs/new")
async def create_job(request: Asking) -> Shown:
    """Make it."""
    fields = await request.fields()
    try:
        chosen = await resolved(request, fields, {"target": TARGETS})
        target = as_uuid(chosen.text("target"))
        if target is None:
            return await _form(request, None, fields, refused="Choose the environment on which it works")
        definition = _defined(chosen, JobDefinition(name="", target=TargetId(target)))
    except Invalid as wrong:
        return await _form(request, None, fields, refused=said(wrong))
    made, refused = await tried(actions.create(*request.acting, definition))
    if made is None:
        return await _form(request, None, fields, refused=refused)
    return request.done(f"{request.base}/jobs/{made.number}", f"The job {made.name} is made.")


@page("/jobs/{number:str}/edit", needs=(Permission.WRITE_PROCESSES, Permission.READ_PROCESSES))
async def ask_to_edit(request: Asking, number: Path[str]) -> Shown:
    """What it runs, on what and when."""
    job = await job_of(request, await resolve(*request.reading, JOB, number))
    settings = job.definition.settings
    pairs = [
        ("name", job.name),
        ("description", job.description),
        ("target", str(job.target_id)),
        ("commands", "\n".join(each.name for each in job.commands)),
        ("threads", str(settings.threads)),
        ("tool_version", settings.tool_version or ""),
        ("minutes", "" if job.timeout is None else f"{job.timeout.total_seconds() / 60:g}"),
        ("cron", cron_of(settings.timetable)),
        *(
            (name, "on")
            for name, is_set in (
                ("is_scheduled", job.is_scheduled),
                ("generates_docs", settings.generates_docs),
                ("checks_freshness", settings.checks_freshness),
                ("is_enabled", job.is_enabled),
            )
            if is_set
        ),
    ]
    return await _form(request, job, Fields(pairs))


@verb("/jobs/{number:str}/edit")
async def edit_job(request: Asking, number: Path[str]) -> Shown:
    """Change it; runs under way go on as they were started."""
    fields = await request.fields()
    found = await resolve(request.db, request.scope_for(Permission.WRITE_PROCESSES), JOB, number)
    job = await job_of(request, found)
    try:
        chosen = await resolved(request, fields, {"target": TARGETS})
        _defined(chosen, job.definition)
    except Invalid as wrong:
        return await _form(request, job, fields, refused=said(wrong))
    _, refused = await tried(actions.change(*request.acting, found, lambda before: _defined(chosen, before)))
    if refused:
        return await _form(request, job, fields, refused=refused)
    return request.done(f"{request.base}/jobs/{number}", "The job is changed.")


def _defined(fields: Fields, before: JobDefinition) -> JobDefinition:
    """What a form says of a job, over what there is. Raises Invalid for what is no number."""
    threads, minutes = fields.text("threads"), fields.text("minutes")
    if not (threads.isdecimal() and len(threads) < 7):  # noqa: PLR2004 - far beyond what there may be
        raise Invalid("threads are a whole number", code="JOB_INVALID")
    try:
        timeout = timedelta(minutes=float(minutes)) if minutes else None
    except (ValueError, OverflowError) as wrong:
        raise Invalid("a time limit is a number of minutes", code="JOB_INVALID") from wrong
    target = as_uuid(fields.text("target"))
    cron = fields.text("cron")
    timetable = before.settings.timetable
    return replace(
        before,
        name=fields.text("name"),
        description=fields.text("description"),
        target=before.target if target is None else TargetId(target),
        commands=tuple(line.strip() for line in fields.raw("commands").splitlines() if line.strip()),
        timeout=timeout,
        is_enabled=fields.has("is_enabled"),
        settings=replace(
            before.settings,
            threads=int(threads),
            tool_version=fields.text("tool_version") or None,
            generates_docs=fields.has("generates_docs"),
            checks_freshness=fields.has("checks_freshness"),
            is_scheduled=fields.has("is_scheduled"),
            timetable=timetable_of(cron, timetable) if cron else timetable,
        ),
    )


async def _form(request: Asking, job: ListedJob | None, fields: Fields, *, refused: str = "") -> Shown:
    return await request.show(
        "jobs/form.html",
        title=f"Edit {job.name}" if job else "New job",
        at="jobs",
        crumbs=request.way(
            ("dbt jobs", "/jobs"),
            (job.name, f"/jobs/{job.number}") if job else None,
            "Edit" if job else "New job",
        ),
        status=REFUSED if refused else 200,
        job=job,
        fields=fields,
        target=await TARGETS.offered(request, fields.text("target")),
        refused=refused,
    )


@page("/jobs/{number:str}/delete", needs=(Permission.WRITE_PROCESSES, Permission.READ_PROCESSES))
async def ask_to_delete(request: Asking, number: Path[str]) -> Shown:
    """What goes with it."""
    return await _question(request, await job_of(request, await resolve(*request.reading, JOB, number)))


@verb("/jobs/{number:str}/delete")
async def delete_job(request: Asking, number: Path[str]) -> Shown:
    """Delete it with what starts it."""
    found = await resolve(request.db, request.scope_for(Permission.WRITE_PROCESSES), JOB, number)
    _, refused = await tried(actions.delete(*request.acting, found))
    if refused:
        return await _question(request, await job_of(request, found), refused=refused)
    return request.done(f"{request.base}/jobs", "The job is deleted. What it has built and left stays readable.")


async def _question(request: Asking, job: ListedJob, *, refused: str = "") -> Shown:
    return await request.show(
        "jobs/delete.html",
        title=f"Delete {job.name}",
        at="jobs",
        crumbs=request.way(("dbt jobs", "/jobs"), (job.name, f"/jobs/{job.number}"), "Delete"),
        status=REFUSED if refused else 200,
        job=job,
        refused=refused,
    )


async def job_of(request: Asking, job: ProcessId) -> ListedJob:
    """A job of the workspace. Raises NotFound."""
    seen = within(request.scope_for(Permission.READ_PROCESSES))
    asked = Asked(filter=AllOf((THERE, equal(id=job))), length=1)
    for found in await pages.rows(request.db, ListedJob, JOBS, seen, asked):
        return found
    raise NotFound("There is no such job.", code="JOB_NOT_FOUND")


def when_told(job: ListedJob) -> str:
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
    except (msgspec.DecodeError, RecursionError):  # a file that a run left may be nested without end
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
    return sorted(rows, key=lambda row: (order.get(row["status"], 0), row["name"]))[:MOST_SOURCES]


def tabs_of(request: Asking, current: str) -> list[Link]:
    """Jobs, and what they work on."""
    tabs = [Link("Jobs", f"{request.base}/jobs", current == "Jobs")]
    if request.actor.may(Permission.READ_TARGETS, request.workspace):
        tabs.append(Link("Environments", f"{request.base}/targets", current == "Environments"))
    return [*tabs, Link("Project", f"{request.base}/project", current == "Project")]
