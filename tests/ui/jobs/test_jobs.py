"""dbt jobs in the browser: what builds, on what, when, and what it has left."""

import io
import re
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
from controlroom.engine.runs.actions import start
from controlroom.engine.runs.model import OneEmptyItem
from controlroom.engine.targets import actions as targets
from controlroom.engine.targets.model import TargetDefinition
from controlroom.ids import uuid7
from controlroom.protocol import ErrorCode
from dialects.dbt_cloud.site import make_site


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
    await browser.get(f"{here}/documentation", status=404)
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


async def test_jobs_stand_in_the_side_bar_while_there_are_some(visit, workspace, job):
    """Else they wait behind *More*: also once what there was is deleted."""
    browser = await visit(workspace)
    link = f'href="{browser.base}/jobs"'

    async def is_behind_more() -> bool:
        stands, _, rare = (await browser.get("/runs")).partition('<details id="rare">')
        assert (link in stands) != (link in rare)
        return link in rare

    assert not await is_behind_more()
    await browser.post(f"/jobs/{job.number}/delete")
    assert not await is_behind_more()
    await browser.post(f"/targets/{job.target_number}/delete")
    assert await is_behind_more()


async def test_a_workspace_without_a_project_says_what_one_is(visit, workspace):
    """And how one is made."""
    assert "This workspace is no dbt project" in await (await visit(workspace)).get("/jobs")


async def test_jobs_and_environments_are_made_and_changed(visit, workspace, job):
    """What cannot be is said with what was typed; what a form does not have stays."""
    browser = await visit(workspace)
    form = await browser.get("/jobs/new")
    target = form.split('<option value="')[1].split('"')[0]
    wanted = {"name": "Hourly", "description": "", "target": target, "threads": "2", "minutes": "", "tool_version": ""}
    refused = await browser.post("/jobs/new", status=422, **wanted, commands="rm -rf /", cron="0 * * * *")
    assert "rm -rf /" in refused.text
    made = await browser.post(
        "/jobs/new", **wanted, commands="dbt seed\r\ndbt build", cron="0 * * * *", is_scheduled="on", is_enabled="on"
    )
    here = made.headers["location"].removeprefix(browser.base)
    page = await browser.get(here)
    assert "dbt seed" in page
    assert "Every hour" in page
    await browser.post(f"{here}/edit", **{**wanted, "name": "Slower"}, commands="dbt build", cron="0 * * * *")
    page = await browser.get(here)
    assert "Slower" in page
    assert "disabled" in page
    assert "when somebody starts it" in page

    made = await browser.post("/targets/new", name="Staging", kind="deployment", purpose="staging", branch="next")
    there = made.headers["location"].removeprefix(browser.base)
    assert "staging" in await browser.get(there)
    await browser.post(f"{there}/edit", name="Stage", kind="deployment", purpose="", branch="next", uses_branch="on")
    page = await browser.get(there)
    assert "Stage" in page
    assert "next" in page
    assert (await browser.post("/targets/new", status=422, name="Stage", kind="deployment")).status_code == 422
    await browser.post(f"{there}/delete")
    await browser.get(there, status=404)


async def test_a_workspace_becomes_a_project_and_is_changed(visit, workspace, room, ada, cleo):
    """Its files are a package's; while it has jobs it stays one, and outsiders know of none."""
    browser, viewer = await visit(workspace), await visit(workspace, Role.VIEWER)
    outsider = await visit(cleo.workspace)
    assert "is no dbt project" in await browser.get("/project")
    assert "Make it one" not in await viewer.get("/project")
    await browser.get("/project/edit", status=404)
    await browser.post("/project/found")
    blob = await room.engine.objects.put_bytes(project_zip())
    package = (await push(room.engine, ada.actor, workspace, "jaffle", blob)).package
    assert f'value="{package.id}"' in await browser.get("/project/edit")
    wrong = await browser.post(
        "/project/edit", status=422, description="", subdirectory="../x", package=str(package.id)
    )
    assert "Nothing was changed" in wrong.text
    await browser.post("/project/edit", description="The shop", subdirectory="", package=str(package.id))
    page = await viewer.get("/project")
    assert "The shop" in page
    assert "jaffle" in page
    stale = await browser.post("/project/edit", status=422, description="Other", package=str(package.id), revision="77")
    assert "Nothing was changed" in stale.text
    await viewer.get("/project/edit", status=403)
    assert "The shop" not in await outsider.get("/project")
    await browser.post("/project/delete")
    assert "is no dbt project" in await browser.get("/project")


async def test_a_project_with_jobs_stays_one(visit, workspace, job):
    """The refusal names them."""
    assert "Nightly" in (await (await visit(workspace)).post("/project/delete", status=422)).text


async def test_a_run_of_a_job_goes_on_where_it_failed(visit, room, ada, walt, cleo):
    """The question names what failed and what was skipped; what cannot go on says why, and has no button."""
    site = await make_site(room, ada, walt)
    job = await site.job("dbt build", "dbt test")
    browser, viewer = await visit(ada.workspace), await visit(ada.workspace, Role.VIEWER)
    outsider = await visit(cleo.workspace)

    async def started() -> str:
        return (await browser.post(f"/jobs/{job.number}/start")).headers["location"].removeprefix(browser.base)

    good = await started()
    await site.work()
    assert "Retry from its failure" not in await browser.get(good)
    assert "It has not failed" in await browser.get(f"{good}/retry")
    assert "It has not failed" in (await browser.post(f"{good}/retry", status=422)).text
    here = await started()
    await site.work(fails_at=3)

    assert "Retry from its failure" in await browser.get(here)
    assert "Retry from its failure" not in await viewer.get(here)
    question = await browser.get(f"{here}/retry?part=dialog")
    assert re.findall(r"<code>([^<]+)</code>", question) == ["dbt build", "dbt test"]
    await viewer.post(f"{here}/retry", status=403)
    await outsider.post(f"{here}/retry", status=404)
    made = await browser.post(f"{here}/retry")

    again = made.headers["location"].removeprefix(browser.base)
    assert again != here
    assert "goes on where run" in await browser.get(again)
    assert "Its job has a newer run" in await browser.get(f"{here}/retry")


async def test_a_run_of_robots_has_no_such_retry(visit, workspace, room, ada, process, walt):
    """Its page has no button, and the address leads to nothing."""
    run = await start(room.engine, ada.actor, ada.workspace, process, OneEmptyItem())
    await walt.finish(await walt.take(), ErrorCode.ROBOT_FAILED)
    browser = await visit(workspace)
    assert "Retry from its failure" not in await browser.get(f"/runs/{run.number}")
    await browser.get(f"/runs/{run.number}/retry", status=404)
    await browser.post(f"/runs/{run.number}/retry", status=404)
