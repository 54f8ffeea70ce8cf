"""The dbt project that a workspace is: its files, its connection, and which jobs tell of its docs and its sources."""

from typing import Final

from controlroom.engine.access import history
from controlroom.engine.access.scope import within
from controlroom.engine.connections.model import Connection
from controlroom.engine.jobs.store import JOB
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import AllOf, Asked, Sort, equal
from controlroom.engine.packages.listings import PACKAGES, ListedPackage
from controlroom.engine.projects import actions
from controlroom.engine.projects import store as projects
from controlroom.engine.projects.model import Project, ProjectChange
from controlroom.engine.references import resolve
from controlroom.engine.runs.projects import left
from controlroom.engine.runs.projects.errors import NoDocs
from controlroom.ids import ConnectionId, PackageId, ProcessId, as_uuid
from controlroom.ui.asking import Asking, Fields, Path, Permission, Shown
from controlroom.ui.connections.pages import known as known_connections
from controlroom.ui.jobs.pages import MOST, THERE, jobs_of, tabs_of
from controlroom.ui.refusals import REFUSED, tried
from controlroom.ui.routing import page, verb

_READS: Final = Permission.READ_PROCESSES
_WRITES: Final = (Permission.WRITE_WORKSPACE, _READS)


@page("/project", needs=_READS)
async def show_project(request: Asking) -> Shown:
    """What it is made of; a workspace that is none says what one is."""
    project = await projects.find(*request.reading)
    return await request.show(
        "jobs/project.html",
        title="dbt project",
        at="jobs",
        crumbs=request.way(("dbt jobs", "/jobs"), "Project"),
        tabs=tabs_of(request, "Project"),
        project=project,
        packages={each.id: each for each in await _packages(request)} if project else {},
        jobs={each.id: each for each in await jobs_of(request, AllOf((THERE,)))} if project else {},
        connection=await _connection(request, project) if project else None,
        changes=await history.changes_of(*request.reading, request.workspace),
        may_change=request.actor.may(Permission.WRITE_WORKSPACE, request.workspace),
    )


@verb("/project/found", may=Permission.WRITE_WORKSPACE)
async def found_project(request: Asking) -> Shown:
    """Let the workspace be a project."""
    await actions.found(*request.acting)
    return request.done(f"{request.base}/project/edit", "The workspace is a dbt project. Say where its files are.")


@page("/project/edit", needs=_WRITES)
async def ask_to_edit(request: Asking) -> Shown:
    """Where its files are, and what it begins with."""
    project = await projects.get(*request.reading)
    pairs = [
        ("description", project.description),
        ("subdirectory", project.subdirectory),
        ("package", str(project.package_id or "")),
        ("connection", str(project.connection_id or "")),
        ("docs", str(project.docs_process_id or "")),
        ("freshness", str(project.freshness_process_id or "")),
        ("revision", str(project.revision)),
    ]
    return await _form(request, Fields(pairs))


@verb("/project/edit")
async def edit_project(request: Asking) -> Shown:
    """Change it: its jobs run in other files from then on."""
    fields = await request.fields()
    revision = fields.text("revision")
    chosen = {name: as_uuid(fields.text(name)) for name in ("package", "connection", "docs", "freshness")}
    package, connection, docs, freshness = chosen.values()
    change = ProjectChange(
        description=fields.text("description"),
        subdirectory=fields.text("subdirectory"),
        package_id=PackageId(package) if package else None,
        connection_id=ConnectionId(connection) if connection else None,
        docs_process_id=ProcessId(docs) if docs else None,
        freshness_process_id=ProcessId(freshness) if freshness else None,
        revision=int(revision) if revision.isdecimal() and len(revision) < 10 else None,  # noqa: PLR2004 - 32 bits
    )
    _, refused = await tried(actions.change(*request.acting, change))
    if refused:
        return await _form(request, fields, refused=refused)
    return request.done(f"{request.base}/project", "The project is changed.")


@page("/project/delete", needs=_WRITES)
async def ask_to_delete(request: Asking) -> Shown:
    """What stays."""
    return await _question(request)


@verb("/project/delete")
async def delete_project(request: Asking) -> Shown:
    """Let the workspace be a project no more."""
    _, refused = await tried(actions.delete(*request.acting))
    if refused:
        return await _question(request, refused=refused)
    return request.done(f"{request.base}/project", "The workspace is no dbt project any more. What is in it stays.")


# ---------------------------------------------------------------------------------------------------- its docs
@page("/jobs/{number:str}/documentation", needs=(Permission.READ_RUN_OUTPUTS, _READS))
async def show_docs(request: Asking, number: Path[str]) -> Shown:
    """The documentation that the job's last good run has made, in a frame that reaches nothing."""
    found = await resolve(*request.reading, JOB, number)
    docs = await left.file_of_job(*request.reading, found, left.DOCS_PAGE)
    if docs is None:
        raise NoDocs
    job = next(iter(await jobs_of(request, AllOf((THERE, equal(id=found))))), None)
    return await request.show(
        "jobs/documentation.html",
        title="Documentation",
        at="jobs",
        crumbs=request.way(("dbt jobs", "/jobs"), (job.name, f"/jobs/{job.number}") if job else None, "Documentation"),
        job=job,
        docs=docs,
        src=f"{request.base}/jobs/{number}/docs",
    )


async def _packages(request: Asking) -> list[ListedPackage]:
    if not request.actor.may(Permission.READ_PACKAGES, request.workspace):
        return []
    asked = Asked(sort=(Sort("name"), Sort("id")), length=MOST)
    seen = within(request.scope_for(Permission.READ_PACKAGES))
    return await pages.rows(request.db, ListedPackage, PACKAGES, seen, asked)


async def _connection(request: Asking, project: Project) -> Connection | None:
    if project.connection_id is None or not request.actor.may(Permission.READ_TARGETS, request.workspace):
        return None
    return next((each for each in await known_connections(request) if each.id == project.connection_id), None)


async def _form(request: Asking, fields: Fields, *, refused: str = "") -> Shown:
    jobs = [(str(each.id), each.name) for each in await jobs_of(request, AllOf((THERE,)))]
    return await request.show(
        "jobs/project_form.html",
        title="Edit the dbt project",
        at="jobs",
        crumbs=request.way(("Project", "/project"), "Edit"),
        status=REFUSED if refused else 200,
        fields=fields,
        packages=[(str(each.id), each.name) for each in await _packages(request)],
        connections=[(str(each.id), each.name) for each in await known_connections(request)],
        jobs=jobs,
        refused=refused,
    )


async def _question(request: Asking, *, refused: str = "") -> Shown:
    return await request.show(
        "jobs/project_delete.html",
        title="Delete the dbt project",
        at="jobs",
        crumbs=request.way(("Project", "/project"), "Delete"),
        status=REFUSED if refused else 200,
        refused=refused,
    )
