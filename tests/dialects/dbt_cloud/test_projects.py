"""Projects and their repositories in this grammar (§3.1, §3.5, §3.9)."""

import pytest

from controlroom.dialects.dbt_cloud.permission_sets import ROLES
from controlroom.dialects.dbt_cloud.repositories import address, full_name
from controlroom.engine.access.grants.model import WantedGrant
from controlroom.engine.access.service_tokens import actions as service_tokens
from controlroom.engine.targets.settling import Settlement, settle


@pytest.fixture
async def project(ada):
    """The workspace of the test is a project."""
    return (await ada.post("/project", {"description": "Shop"}))["number"]


@pytest.mark.parametrize("version", ["", "v3:"])
async def test_a_project_is_told(cloud, project, version):
    """Every key that programs index is there (§3.5)."""
    told = await cloud.get(f"{version}projects/{project}/")

    assert told["id"] == project == cloud.project
    assert (told["account_id"], told["state"], told["type"], told["description"]) == (cloud.account, 1, 0, "Shop")
    for key in ("connection", "repository", "connection_id", "repository_id", "docs_job_id", "freshness_job_id"):
        assert told[key] is None
    assert (told["environments"], told["dbt_project_subdirectory"]) == ([], None)
    assert "T" in told["created_at"]
    [listed] = await cloud.get(
        f"{version}projects", name__icontains="WORKSPACE", order_by="name", pk__in=f"[{project}]"
    )
    assert listed == told


async def test_a_workspace_without_settings_is_no_project(cloud, as_, cleo, project):
    """Nor is one that the token does not see; nor what is no number."""
    other = as_(cleo.key)
    assert (await other.listed("projects/"))["data"] == []
    for path in (f"projects/{project}", "projects/abc", f"projects/{10**30}", "projects/1"):
        answer = await other.call("GET", path)
        assert answer.status_code == 404
        assert "permission" in answer.json()["status"]["user_message"]


async def test_a_project_is_updated_by_what_is_sent(cloud, ada, project):
    """What is left out stays; a whole object that was read can be sent back."""
    told = await cloud.post(f"projects/{project}", {"dbt_project_subdirectory": "transform", "id": project})
    assert (told["dbt_project_subdirectory"], told["description"]) == ("transform", "Shop")
    assert await cloud.post(f"v3:projects/{project}/", told) == told
    emptied = await cloud.post(f"projects/{project}", {"dbt_project_subdirectory": None, "name": "shop"})
    assert (emptied["dbt_project_subdirectory"], emptied["name"]) == (None, "shop")
    answer = await cloud.call("POST", f"projects/{project}", json={"repository_id": 1, "docs_job_id": 2})
    assert (answer.status_code, answer.json()["data"].keys()) == (400, {"repository_id", "docs_job_id"})


async def test_what_belongs_to_a_project_is_told_beside_it(cloud, room, ada, project):
    """Its connection in any case; its environments and jobs where they are asked for, in each shape."""
    made = await settle(room.engine, room.admin, Settlement(name=(await cloud.get(f"projects/{project}"))["name"]))
    environment = made.target.number
    asked = {"project_id": project, "environment_id": environment, "name": "docs", "execute_steps": ["dbt build"]}
    job = (await cloud.post("jobs", asked))["id"]
    await cloud.post(f"projects/{project}", {"docs_job_id": job})

    told = await cloud.get(f"v3:projects/{project}")
    assert (told["connection"]["type"], told["connection"]["adapter_version"]) == ("adapter", "duckdb_v0")
    assert told["connection"]["id"] == told["connection_id"]
    assert (told["environments"], told["docs_job"], told["docs_job_id"]) == ([], None, job)
    related = {"include_related": "['environments', 'docs_job']"}
    for told in (await cloud.get(f"projects/{project}", **related), *await cloud.get("projects", **related)):
        assert [each["id"] for each in told["environments"]] == [environment]
        assert told["environments"][0]["deployment_type"] == "production"
        assert told["docs_job"]["name"] == "docs"
    answer = await cloud.call("DELETE", f"projects/{project}")
    assert (answer.status_code, "docs" in answer.json()["status"]["user_message"]) == (409, True)


async def test_a_workspace_that_is_no_project_has_no_environments(cloud, as_, cleo):
    """Nor anything else below a project."""
    number = (await cleo.post("/project", {}))["number"]
    await cleo.call("DELETE", "/project")
    for path in (f"v3:projects/{number}/environments", f"v3:projects/{number}/repositories"):
        assert (await as_(cleo.key).call("GET", path)).status_code == 404


@pytest.mark.parametrize("is_updated", [False, True])
async def test_a_deleted_project_is_told_as_it_was(cloud, project, is_updated):
    """With `state` 2, as lists tell it that ask for deleted ones (§0.5); some programs delete by an update."""
    whole = {"id": project, "name": "x", "state": 2}
    told = await (cloud.post(f"v3:projects/{project}/", whole) if is_updated else cloud.delete(f"projects/{project}/"))

    assert (told["id"], told["state"]) == (project, 2)
    assert (await cloud.call("GET", f"projects/{project}")).status_code == 404
    assert await cloud.get("projects") == []
    for state in ("deleted", "2", "all"):
        assert [each["id"] for each in await cloud.get("projects", state=state)] == [project]


async def test_making_a_project_needs_the_organization(cloud, ada, project):
    """The refusal names the permission; one without a name is told which field is wrong."""
    answer = await cloud.call("POST", "projects", json={"name": "stock", "account_id": cloud.account})
    assert answer.status_code == 403
    assert "workspaces.write" in answer.json()["status"]["user_message"]
    answer = await cloud.call("POST", "projects", json={"account_id": cloud.account})
    assert (answer.status_code, answer.json()["data"].keys()) == (400, {"name"})


@pytest.mark.parametrize("version", ["", "v3:"])
async def test_a_repository_becomes_the_projects_own(cloud, project, version):
    """Of git or managed; listed by project and address, deleted with its project left."""
    asked = {"project_id": project, "remote_url": "git@github.com:ada/shop.git", "git_clone_strategy": "deploy_key"}
    made = await cloud.post(f"{version}repositories/", asked)
    assert (made["project_id"], made["full_name"]) == (project, "ada/shop")
    assert (made["remote_url"], made["remote_backend"]) == ("ssh://git@github.com/ada/shop.git", "github")
    assert ("web_url" in made) == (version == "v3:")

    door, asked = ("repositories", {"remote_backend": "managed"}) if version else ("managed-repositories", {})
    second = await cloud.post(f"v3:projects/{project}/{door}/", asked | {"name": "own"})
    assert (second["remote_backend"], second["remote_url"], second["name"]) == ("managed", None, "own")
    told = await cloud.get(f"v3:projects/{project}")
    assert (told["repository_id"], told["repository"]["id"]) == (made["id"], made["id"])
    listed = await cloud.get("repositories", project_id=project, remote_url=made["remote_url"])
    assert [each["id"] for each in listed] == [made["id"]]
    assert len(await cloud.get(f"v3:projects/{project}/repositories")) == 2
    assert await cloud.get(f"{version}repositories/{made['id']}") == made

    changed = await cloud.post(f"{version}repositories/{made['id']}", {"remote_url": "https://example.com/x/y"})
    assert changed["remote_url"] == "https://example.com/x/y"
    gone = await cloud.delete(f"{version}repositories/{made['id']}")
    assert (gone["id"], gone["state"]) == (made["id"], 2)
    assert (await cloud.get(f"projects/{project}"))["repository_id"] is None
    for state, told in (("2", [2]), ("deleted", [2]), ("1", [1]), ("all", [2, 1])):
        assert [each["state"] for each in await cloud.get(f"{version}repositories", state=state)] == told


async def test_a_project_whose_workspace_went_with_it_is_told_among_deleted_ones(room, as_, project):
    """To who reads projects throughout the account; others do not learn of it."""
    wanted = [WantedGrant(ROLES["owner"], None)]
    _, value = await service_tokens.create(room.engine, room.admin, name="everywhere", wanted=wanted)
    everywhere = as_(value)
    number = (await everywhere.post("v3:projects/", {"name": "short-lived"}))["id"]
    assert (await everywhere.delete(f"v3:projects/{number}/"))["state"] == 2

    for state in ("deleted", "2", "all"):
        told = {each["id"]: each["state"] for each in await everywhere.get("v3:projects/", state=state)}
        assert told[number] == 2
    assert number not in [each["id"] for each in await everywhere.get("v3:projects/")]


async def test_a_repository_that_cannot_be_is_refused(cloud, project):
    """By its field; credentials are a secret's number, and of the project."""
    for asked in ({"remote_url": ""}, {"remote_url": "ftp://x/y"}, {"remote_url": "https://u:p@example.com/x"}):
        answer = await cloud.call("POST", f"v3:projects/{project}/repositories/", json=asked)
        assert (answer.status_code, answer.json()["data"].keys()) == (400, {"remote_url"})
    answer = await cloud.call("POST", "repositories", json={"remote_url": "https://example.com/x"})
    assert answer.json()["data"].keys() == {"project_id"}
    asked = {"project_id": project, "remote_url": "https://example.com/x", "repository_credentials_id": 1}
    assert (await cloud.call("POST", "repositories", json=asked)).status_code == 404


@pytest.mark.parametrize(
    ("given", "taken", "name"),
    [
        ("git@github.com:ada/shop.git", "ssh://git@github.com/ada/shop.git", "ada/shop"),
        ("git://github.com/ada/shop", "https://github.com/ada/shop", "ada/shop"),
        (" https://example.com/a/b/c.git ", "https://example.com/a/b/c.git", "a/b/c"),
        ("ssh://git@example.com:22/x", "ssh://git@example.com:22/x", "x"),
    ],
)
def test_addresses_are_taken_in_each_form(given, taken, name):
    """As hosts of repositories show them."""
    assert address(given) == taken
    assert full_name(taken) == name
