"""Environment variables (§3.9): four scopes in the shapes that their clients read."""

import pytest

from controlroom.engine.projects.actions import found


@pytest.fixture
async def path(room, cloud, workspace):
    """Where the variables of the project are, which has two environments."""
    await found(room.engine, room.admin, workspace)
    for name in ("Production", "Staging"):
        await cloud.post(f"v3:projects/{cloud.project}/environments/", {"name": name})
    return f"v3:projects/{cloud.project}/environment-variables"


async def test_values_are_told_by_name_and_scope(cloud, path):
    """What has no value is left out, never null (§0.21)."""
    made = await cloud.post(
        f"{path}/bulk/", {"env_var": {"new_name": "DBT_COLOR", "project": "red", "Production": "blue"}}
    )

    told = await cloud.get(f"{path}/environment")

    assert told["environments"] == ["project", "Production", "Staging"]
    assert {scope: value["value"] for scope, value in told["variables"]["DBT_COLOR"].items()} == {
        "project": "red",
        "Production": "blue",
    }
    assert sorted(made["new_var_ids"]) == sorted(value["id"] for value in told["variables"]["DBT_COLOR"].values())
    assert await cloud.get(f"{path}/job/") == {"DBT_COLOR": {"project": told["variables"]["DBT_COLOR"]["project"]}}


async def test_a_variable_is_made_changed_and_gone_by_its_id(cloud, path):
    """The answer has what clients read: name, project, display value, state."""
    body = {"account_id": cloud.account, "project_id": cloud.project, "id": None, "name": "DBT_COLOR"}
    made = await cloud.post(f"{path}/", {**body, "type": "project", "raw_value": "red", "job_definition_id": None})

    assert (made["name"], made["display_value"], made["type"], made["state"]) == ("DBT_COLOR", "red", "project", 1)
    changed = await cloud.post(f"{path}/{made['id']}", {**body, "raw_value": "blue"})
    assert (changed["id"], changed["display_value"]) == (made["id"], "blue")
    gone = await cloud.delete(f"{path}/{made['id']}/")
    assert (gone["id"], gone["state"]) == (made["id"], 2)
    assert (await cloud.get(f"{path}/environment"))["variables"] == {}


async def test_secret_values_are_told_nowhere(cloud, path):
    """A mask stands for them, and keeps them when it is sent back."""
    made = await cloud.post(f"{path}/", {"name": "DBT_ENV_SECRET_TOKEN", "type": "project", "raw_value": "hunter22"})
    changed = await cloud.post(f"{path}/{made['id']}/", {"raw_value": made["display_value"]})

    for told in (made, changed, await cloud.get(f"{path}/environment"), await cloud.get(f"{path}/job")):
        assert "hunter22" not in str(told)
        assert "****" in str(told)


async def test_a_variable_is_renamed_and_deleted_in_all_scopes(cloud, path):
    """By PUT with the old and the new name, and by DELETE with the name."""
    await cloud.post(f"{path}/bulk/", {"env_var": {"new_name": "DBT_COLOR", "project": "red", "Staging": "x"}})

    put = await cloud.call(
        "PUT", f"{path}/bulk", json={"env_var": {"name": "DBT_COLOR", "new_name": "DBT_SHADE", "Staging": "y"}}
    )

    assert put.status_code == 200
    told = (await cloud.get(f"{path}/environment"))["variables"]
    assert {scope: value["value"] for scope, value in told["DBT_SHADE"].items()} == {"project": "red", "Staging": "y"}
    await cloud.post(f"{path}/bulk/", {"env_vars": {"name": "DBT_SHADE", "project": "green"}})
    gone = await cloud.call("DELETE", f"{path}/bulk/", json={"name": "DBT_SHADE"})
    assert gone.status_code == 200
    assert (await cloud.get(f"{path}/environment"))["variables"] == {}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "COLOR", "raw_value": "x"}, "name"),
        ({"name": "DBT_TARGET_PATH", "raw_value": "x"}, "name"),
        ({"name": "DBT_CLOUD_RUN_ID", "raw_value": "x"}, "name"),
        ({"name": "DBT_X", "type": "job"}, "job_definition_id"),
        ({"name": "DBT_X", "type": "environment", "environment_id": 1}, "environment_id"),
        ({"name": "DBT_X", "type": "other"}, "type"),
    ],
)
async def test_a_wrong_variable_is_told_by_field(cloud, path, body, field):
    """400: also names by which the tool takes its flags."""
    answer = await cloud.call("POST", f"{path}/", json=body)

    assert (answer.status_code, list(answer.json()["data"])) == (400, [field])


async def test_an_unknown_environment_is_told_with_those_that_there_are(cloud, path):
    """And nothing is written."""
    body = {"env_var": {"new_name": "DBT_COLOR", "project": "red", "Nowhere": "x"}}
    answer = await cloud.call("POST", f"{path}/bulk/", json=body)

    assert answer.status_code == 400
    assert "Staging" in answer.json()["data"]["Nowhere"]
    assert (await cloud.get(f"{path}/environment"))["variables"] == {}


async def test_outsiders_find_no_variable(cloud, path, as_, cleo):
    """Neither the project nor what is in it."""
    made = await cloud.post(f"{path}/", {"name": "DBT_COLOR", "raw_value": "red"})
    other = as_(cleo.key)

    for method, place in (("GET", f"{path}/environment"), ("DELETE", f"{path}/{made['id']}"), ("POST", f"{path}/bulk")):
        answer = await other.call(method, place, **({"json": {}} if method == "POST" else {}))
        assert answer.status_code == 404
