"""The dbt project that a workspace is: its files, its connection, and which jobs tell of its docs and its sources."""

from typing import Any, Final

from controlroom.engine.access import history
from controlroom.engine.jobs.store import JOB
from controlroom.engine.projects import actions
from controlroom.engine.projects import store as projects
from controlroom.engine.projects.model import Project, ProjectChange
from controlroom.engine.references import resolve
from controlroom.engine.runs.projects import left
from controlroom.engine.runs.projects.errors import NoDocs
from controlroom.ids import ConnectionId, PackageId, ProcessId, as_uuid
from controlroom.ui.asking import Asking, Fields, Path, Permission, Shown
from controlroom.ui.jobs.pages import LIST, job_of, tabs_of
from controlroom.ui.pickers.known import CONNECTIONS, JOBS, PACKAGES
from controlroom.ui.pickers.picker import resolved
from controlroom.ui.refusals import REFUSED, tried
from controlroom.ui.routing import page, verb

_READS: Final = Permission.READ_PROCESSES
_WRITES: Final = (Permission.WRITE_WORKSPACE, _READS)
_PICKED: Final = {"package": PACKAGES, "connection": CONNECTIONS, "docs": JOBS, "freshness": JOBS}


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
        **(await _named(request, project) if project else {}),
        jobs=await LIST.first(request, {}),
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
    chosen, refused = await tried(resolved(request, fields, _PICKED))
    if chosen is None:
        return await _form(request, fields, refused=refused)
    package, connection, docs, freshness = (as_uuid(chosen.text(name)) for name in _PICKED)
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
    job = await job_of(request, found)
    return await request.show(
        "jobs/documentation.html",
        title="Documentation",
        at="jobs",
        crumbs=request.way(("dbt jobs", "/jobs"), (job.name, f"/jobs/{job.number}"), "Documentation"),
        job=job,
        docs=docs,
        src=f"{request.base}/jobs/{number}/docs",
    )


async def _named(request: Asking, project: Project) -> dict[str, Any]:
    """What a project names, as far as the actor may know of it."""
    ids = {
        "package": project.package_id,
        "connection": project.connection_id,
        "docs": project.docs_process_id,
        "freshness": project.freshness_process_id,
    }
    return {name: await _PICKED[name].one(request, str(its or "")) for name, its in ids.items()}


async def _form(request: Asking, fields: Fields, *, refused: str = "") -> Shown:
    offers: dict[str, Any] = {
        name: await picker.offered(request, fields.text(name)) for name, picker in _PICKED.items()
    }
    return await request.show(
        "jobs/project_form.html",
        title="Edit the dbt project",
        at="jobs",
        crumbs=request.way(("Project", "/project"), "Edit"),
        status=REFUSED if refused else 200,
        fields=fields,
        **offers,
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
