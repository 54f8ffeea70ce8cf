"""dbt jobs in the browser: what builds, on what, when, and what it has left."""

import io
import zipfile

import pytest

from controlroom.engine.access.model import Role
from controlroom.engine.connections import actions as connections
from controlroom.engine.connections.model import DuckdbSettings
from controlroom.engine.job_definitions import actions as jobs
from controlroom.engine.job_definitions.model import JobDefinition
from controlroom.engine.packages.actions import push
from controlroom.engine.projects import actions as projects
from controlroom.engine.projects.model import ProjectChange
from controlroom.engine.targets import actions as targets
from controlroom.engine.targets.model import TargetDefinition
from controlroom.ids import uuid7


def project_zip() -> bytes:
    """The smallest project."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("dbt_project.yml", "name: jaffle\nversion: '1.0'\nprofile: jaffle\n")
    return content.getvalue()


@pytest.fixture
async def job(room, ada, workspace):
    """A job of a project that the workspace is."""
    blob = await room.engine.objects.put_bytes(project_zip())
    package = (await push(room.engine, ada.actor, workspace, "jaffle", blob)).package
    await projects.found(room.engine, room.admin, workspace, ProjectChange(package_id=package.id))
    connection = await connections.create(room.engine, room.admin, name=f"Tables {uuid7()}", settings=DuckdbSettings())
    definition = TargetDefinition(name="Production", connection_id=connection.id)
    target = await targets.create(room.engine, room.admin, workspace, definition)
    wanted = JobDefinition(name="Nightly", target=target.id, commands=("dbt build",))
    return await jobs.create(room.engine, ada.actor, workspace, wanted)


async def test_a_job_is_looked_at_started_and_deleted(visit, workspace, job, cleo):
    """Its environment leads to it and back; no docs yet is said as a page."""
    browser, viewer = await visit(workspace), await visit(workspace, Role.VIEWER)
    outsider = await visit(cleo.workspace)
    page = await browser.get("/jobs")
    assert "Nightly" in page
    assert "dbt build" in page
    here = f"/jobs/{job.number}"
    page = await browser.get(here)
    assert "when somebody starts it" in page
    assert "Not looked at" in page
    await browser.get(f"{here}/docs", status=404)
    target = f"/targets/{job.target_number}"
    assert f"{browser.base}{target}" in page
    assert "Nightly" in await browser.get(target)
    assert "Production" in await browser.get("/targets")
    assert "1 job has nothing to work on then" in await browser.get(f"{target}/delete?part=dialog")

    started = await browser.post(f"{here}/start")
    assert "/runs/" in started.headers["location"]
    assert "Delete" not in await viewer.get(here)
    await outsider.get(here, status=404)
    await outsider.get(target, status=404)
    assert "runs under way are stopped" in await browser.get(f"{here}/delete?part=dialog")
    await browser.post(f"{here}/delete")
    await browser.get(here, status=404)


async def test_a_workspace_without_a_project_says_what_one_is(visit, workspace):
    """And how one is made."""
    assert "This workspace is no dbt project" in await (await visit(workspace)).get("/jobs")
