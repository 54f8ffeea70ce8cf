"""Jobs in the management API: processes that run dbt commands."""

import io
import zipfile

import pytest

from controlroom.engine.connections import actions as connections
from controlroom.engine.connections.model import DuckdbSettings
from controlroom.engine.packages.actions import push
from controlroom.engine.projects import actions as projects
from controlroom.engine.projects.model import ProjectChange
from controlroom.engine.targets import actions as targets
from controlroom.engine.targets.model import TargetDefinition
from controlroom.ids import uuid7
from dialects.dbt_cloud.site import make_site


@pytest.fixture
async def target(room, ada, workspace):
    """The only target of the project that ada's workspace is."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("dbt_project.yml", "name: jaffle\nversion: '1.0'\nprofile: jaffle\n")
    blob = await room.engine.objects.put_bytes(content.getvalue())
    package = (await push(room.engine, ada.actor, workspace, "jaffle", blob)).package
    await projects.found(room.engine, room.admin, workspace, ProjectChange(package_id=package.id))
    connection = await connections.create(room.engine, room.admin, name=f"Tables {uuid7()}", settings=DuckdbSettings())
    definition = TargetDefinition(name="Production", connection_id=connection.id)
    return await targets.create(room.engine, room.admin, workspace, definition)


async def test_a_job_is_made_changed_and_deleted(ada, target):
    """With the only target there is; what is left out of a change stays."""
    made = await ada.post(
        "/jobs", {"name": "Nightly", "commands": ["dbt build"], "scheduled": True, "cron": "0 3 * * *"}
    )
    assert (made["target"]["number"], made["target"]["name"]) == (target.number, "Production")
    assert (made["kind"], made["scheduled"], made["cron_in_words"]) == ("scheduled", True, "At 03:00 AM")
    assert made["next_due"] is not None
    assert await ada.get(f"/jobs/{made['id']}") == made
    assert await ada.every("/jobs") == [made]

    changed = await ada.post(f"/jobs/{made['id']}", {"threads": 8, "scheduled": False, "defer_to_job": "Nightly"})
    assert (changed["threads"], changed["next_due"], changed["commands"]) == (8, None, ["dbt build"])
    assert changed["defer_to_job"] == {"id": made["id"]}
    again = await ada.post(f"/jobs/{made['id']}", {"defer_to_job": None})
    assert (again["defer_to_job"], again["threads"]) == (None, 8)

    second = await ada.post(
        "/jobs", {"name": "After", "target": str(target.number), "follows": {"job": "Nightly", "after": ["failed"]}}
    )
    assert second["follows"] == {
        "job": {"id": made["id"]},
        "workspace": {"id": str(ada.workspace)},
        "after": ["failed"],
    }

    gone = await ada.call("DELETE", f"/jobs/{made['id']}")
    assert gone.json() == {"id": made["id"], "deleted": True}
    assert [job["name"] for job in await ada.every("/jobs")] == ["After"]


async def test_a_job_is_started_otherwise(ada, target):
    """With commands of this one run; others are refused."""
    made = await ada.post("/jobs", {"name": "Nightly", "commands": ["dbt build"]})

    refused = await ada.call("POST", f"/jobs/{made['id']}/process-runs", json={"commands": ["rm -rf /"]})
    started = await ada.post(f"/jobs/{made['id']}/process-runs", {"commands": ["dbt parse"], "cause": "a try"})

    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "COMMAND_REFUSED")
    run = await ada.get(f"/process-runs/{started['id']}")
    assert (run["cause"], run["process"]["id"]) == ("a try", made["id"])


async def test_what_cannot_be_is_refused(ada, cleo, target):
    """A target that there is none of, a command that is none, no project; an outsider finds nothing."""
    for body, status in (
        ({"name": "N", "target": "Staging"}, 404),
        ({"name": "N", "commands": ["make"]}, 400),
        ({"name": "N", "cron": "soon"}, 400),
        ({"name": "N", "threads": 0}, 400),
    ):
        assert (await ada.call("POST", "/jobs", json=body)).status_code == status
    assert (await cleo.call("POST", "/jobs", json={"name": "N"})).status_code == 400
    made = await ada.post("/jobs", {"name": "Nightly"})
    assert (await cleo.call("GET", f"/jobs/{made['id']}")).status_code == 404
    assert (await cleo.call("POST", f"/jobs/{made['id']}/process-runs")).status_code == 404
    assert [job["name"] for job in await ada.every("/jobs")] == ["Nightly"]


async def test_the_documentation_of_the_last_good_run_is_a_page_of_its_own(room, ada, cleo, walt, stranger):
    """Whatever has failed since; its scripts run, apart from all other pages. An outsider is not told of it."""
    site = await make_site(room, ada, walt)
    job = await site.job()
    path = f"/jobs/{job.id}/docs"
    none_yet = await ada.call("GET", path)
    started = await ada.post(f"/jobs/{job.id}/process-runs")
    await site.work(static_index_html=b"<script>")
    await ada.post(f"/jobs/{job.id}/process-runs")
    await site.work(static_index_html=b"broken", fails_at=3)

    told = await ada.get(path)
    page = await stranger.get(told["url"])

    assert (none_yet.status_code, none_yet.json()["error"]["code"]) == (404, "DOCS_NOT_FOUND")
    assert told["run"] == {"id": started["id"], "number": started["number"]}
    assert (page.content, page.headers["content-type"]) == (b"<script>", "text/html; charset=utf-8")
    assert page.headers["content-security-policy"].startswith("sandbox allow-scripts; default-src 'none'; ")
    assert page.headers["content-disposition"].startswith("inline; ")
    assert (await cleo.call("GET", path)).status_code == 404
