"""Environments, connections, credentials, profiles and extended attributes (§3.6, §3.9)."""

import pytest

from controlroom.engine.access.grants.model import Principal, PrincipalKind
from controlroom.engine.access.grants.store import add
from controlroom.engine.access.model import Permission
from controlroom.engine.access.roles.model import ADMIN
from controlroom.engine.projects.actions import found
from controlroom.ids import GrantId, uuid7

POSTGRES = {"hostname": "db.example", "port": 5433, "dbname": "sales"}


@pytest.fixture
async def project(room, workspace):
    """The workspace as a project."""
    return await found(room.engine, room.admin, workspace)


@pytest.fixture
async def boss(room, hire, workspace, as_, project):
    """Calls with a key that governs the account."""
    person = await hire("boss", workspace, frozenset())
    await add(
        room.engine.database,
        room.organization,
        grant=GrantId(uuid7()),
        principal=Principal(PrincipalKind.CREDENTIAL, person.actor.id),
        role=ADMIN,
        workspace=None,
    )
    return as_(person.key)


async def _connection(boss, name="Sales"):
    return await boss.post("v3:connections/", {"name": name, "adapter_version": "postgres_v0", "config": POSTGRES})


async def test_an_environment_can_be_made_of_nothing(cloud, project):
    """Account and project are enough (§3.6); everything else is told with a default."""
    made = await cloud.post(
        f"v3:projects/{cloud.project}/environments/", {"account_id": cloud.account, "project_id": cloud.project}
    )

    assert made["name"]
    assert (made["type"], made["deployment_type"], made["state"]) == ("deployment", None, 1)
    assert (made["account_id"], made["project_id"]) == (cloud.account, cloud.project)
    assert made["dbt_version"] == made["raw_dbt_version"] != ""
    assert made["use_custom_branch"] is False


async def test_version_3_replaces_and_version_2_changes(cloud, project):
    """What is left out is reset by the one, and kept by the other."""
    body = {"name": "Production", "deployment_type": "production", "custom_branch": "main", "use_custom_branch": True}
    made = await cloud.post(f"v3:projects/{cloud.project}/environments/", body)
    path = f"projects/{cloud.project}/environments/{made['id']}/"

    changed = await cloud.post(f"environments/{made['id']}/", {"name": "Live"})
    replaced = await cloud.post(f"v3:{path}", {"id": made["id"], "dbt_version": "1.11.0-latest"})

    assert (changed["name"], changed["custom_branch"], changed["deployment_type"]) == ("Live", "main", "production")
    assert (replaced["name"], replaced["custom_branch"], replaced["deployment_type"]) == ("Live", None, None)
    assert replaced["use_custom_branch"] is False


async def test_environments_are_listed_in_both_versions(cloud, as_, cleo, project):
    """Of the account and of a project, filtered and sorted; an outsider sees none."""
    for name, kind in (("Production", "production"), ("Staging", "staging"), ("Dev", "")):
        body = {"name": name, "deployment_type": kind, "type": "deployment" if kind else "development"}
        await cloud.post(f"v3:projects/{cloud.project}/environments/", body)

    async def names(path, **params):
        return [row["name"] for row in (await cloud.listed(path, **params))["data"]]

    for path in ("environments/", "v3:environments/", f"projects/{cloud.project}/environments/"):
        assert await names(path, project_id=cloud.project) == ["Production", "Staging", "Dev"]
    assert await names("v3:environments/", project_id__in=f"[{cloud.project}, 2]", type="development") == ["Dev"]
    assert await names("v3:environments", deployment_type__in='["production", "staging"]', order_by="-name") == [
        "Staging",
        "Production",
    ]
    assert await names("v3:environments", name__icontains="PROD") == ["Production"]
    told = (await cloud.listed("environments"))["data"][0]["dbt_version"]  # which nobody has said
    assert len(await names("v3:environments", dbt_version=told)) == 3
    assert await names("v3:environments", dbt_version__in='["1.10.0", "1.9"]') == []
    older = (await cloud.listed("environments"))["data"][0]
    assert older["jobs"] == []
    assert {"repository_id", "created_by_id", "connection"} <= older.keys()
    assert "jobs" not in (await cloud.listed("v3:environments"))["data"][0]
    other = as_(cleo.key)
    assert (await other.listed("environments", project_id=cloud.project))["data"] == []
    assert (await other.call("GET", f"environments/{older['id']}")).status_code == 404


async def test_version_2_tells_what_belongs_to_an_environment(cloud, site, as_, hire, workspace):
    """Its jobs, the repository of its project and its connection, as far as the caller may see them; 3 names them."""
    job = await site.job()
    reader = as_((await hire("rita", workspace, frozenset({Permission.READ_TARGETS}))).key)

    [told] = (await cloud.listed("environments"))["data"]
    one = await cloud.get(f"environments/{told['id']}")
    limited = await reader.get(f"environments/{told['id']}")
    later = await cloud.get(f"v3:environments/{told['id']}")

    assert one == told
    assert [(each["id"], each["environment_id"]) for each in told["jobs"]] == [(job.number, told["id"])]
    assert told["repository"]["id"] == told["repository_id"]
    assert told["connection"]["id"] == told["connection_id"]
    assert (limited["jobs"], limited["repository"]) == ([], None)
    assert not {"jobs", "repository", "connection"} & later.keys()


@pytest.mark.parametrize("version", ["latest", "versionless", "1.11", "1.11.0-latest", "1.9.0-latest", "1.6.latest"])
async def test_versions_are_told_as_they_were_sent(cloud, project, version):
    """In the vendor's spellings; what is none is refused (below)."""
    path = f"v3:projects/{cloud.project}/environments/"
    made = await cloud.post(path, {"dbt_version": version})

    assert (made["dbt_version"], made["raw_dbt_version"]) == (version, version)


async def test_what_is_found_stays_in_its_project(cloud, project, boss):
    """A body that names another one is refused, also where the address names none."""
    other = (await boss.post("v3:projects", {"name": f"Other {uuid7()}"}))["id"]
    made = await cloud.post(f"v3:projects/{cloud.project}/environments/", {"name": "Production"})

    for path in (f"environments/{made['id']}", f"v3:environments/{made['id']}"):
        for number in (other, 7):
            answer = await boss.call("POST", path, json={"name": "X", "project_id": number})
            assert (answer.status_code, list(answer.json()["data"])) == (400, ["project_id"])
        assert (await cloud.post(path, {"project_id": cloud.project}))["name"] == "Production"


async def test_a_deleted_environment_is_told_with_state_2(cloud, project):
    """By the DELETE itself, and by a list that asks for such (§0.5)."""
    made = await cloud.post(f"v3:projects/{cloud.project}/environments/", {"name": "Production"})

    gone = await cloud.delete(f"v3:environments/{made['id']}/")

    assert (gone["id"], gone["state"]) == (made["id"], 2)
    assert (await cloud.listed("v3:environments/"))["data"] == []
    assert [row["id"] for row in (await cloud.listed("v3:environments/", state=2))["data"]] == [made["id"]]
    assert (await cloud.call("GET", f"v3:projects/{cloud.project}/environments/{made['id']}/")).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"deployment_type": "perhaps"}, "deployment_type"),
        ({"connection_id": 7}, "connection_id"),
        ({"credentials_id": 7}, "credentials_id"),
        ({"use_custom_branch": True}, "custom_branch"),
        ({"type": "development", "deployment_type": "production"}, "deployment_type"),
        ({"dbt_project_subdirectory": "../x"}, "dbt_project_subdirectory"),
        ({"dbt_version": "zz"}, "dbt_version"),
        ({"name": ""}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"project_id": 7}, "project_id"),
        ({"account_id": 7}, "account_id"),
        ({"type": "other"}, "type"),
    ],
)
async def test_a_wrong_environment_is_told_by_field(cloud, project, body, field):
    """400, and nothing is made."""
    answer = await cloud.call("POST", f"v3:projects/{cloud.project}/environments/", json=body)

    assert (answer.status_code, list(answer.json()["data"])) == (400, [field])
    assert (await cloud.listed("v3:environments/"))["data"] == []


async def test_a_connection_is_made_changed_and_gone(boss):
    """With its config, but in lists (§3.9)."""
    made = await _connection(boss)

    assert (made["adapter_version"], made["config"], made["environment__count"]) == ("postgres_v0", POSTGRES, 0)
    [row] = [each for each in await boss.get("v3:connections/") if each["id"] == made["id"]]
    assert row["config"] is None
    patched = await boss.call("PATCH", f"v3:connections/{made['id']}/", json={"config": {"port": "5432"}})
    assert patched.json()["data"]["config"] == {**POSTGRES, "port": 5432}
    older = await boss.get(f"connections/{made['id']}")
    assert (older["type"], older["details"]["dbname"]) == ("postgres", "sales")
    assert (await boss.delete(f"v3:connections/{made['id']}/"))["state"] == 2
    assert (await boss.call("GET", f"v3:connections/{made['id']}/")).status_code == 404


async def test_a_file_is_a_connection_of_an_adapter(boss):
    """DuckDB is `duckdb_v0`; other databases are not had, and said so."""
    made = await boss.post("v3:connections/", {"name": "Warehouse", "adapter_version": "duckdb_v0"})
    other = await boss.call("POST", "v3:connections/", json={"name": "x", "adapter_version": "snowflake_v0"})

    assert made["config"]["path"] == "database.duckdb"
    assert other.status_code == 501
    assert "snowflake_v0" in other.json()["status"]["user_message"]


async def test_a_connection_without_an_address_is_told_by_field(boss):
    """Host and database are wanted."""
    answer = await boss.call("POST", "v3:connections/", json={"name": "x", "adapter_version": "postgres_v0"})

    assert (answer.status_code, answer.json()["data"].keys()) == (400, {"config.hostname", "config.dbname"})


async def test_who_owns_a_project_makes_no_connection_and_sees_those_it_uses(cloud, boss):
    """A project's own key is told which permission it lacks."""
    made = await _connection(boss)

    refused = await cloud.call("POST", "v3:connections/", json={"name": "x", "adapter_version": "duckdb_v0"})
    assert refused.status_code == 403
    assert "connections.write" in refused.json()["status"]["user_message"]
    assert (await cloud.call("GET", f"v3:connections/{made['id']}/")).status_code == 404
    await boss.post(f"v3:projects/{cloud.project}/environments/", {"name": "P", "connection_id": made["id"]})

    assert (await cloud.get(f"v3:connections/{made['id']}/"))["environment__count"] == 1
    for version in ("", "v3:"):
        rows = await cloud.get(f"{version}projects/{cloud.project}/connections")
        assert [(row["id"], row["project_id"]) for row in rows] == [(made["id"], cloud.project)]


async def test_a_projects_first_connection_is_the_one_its_environments_begin_with(boss, room, project):
    """As those who made connections in projects expect."""
    body = {"name": "Sales", "type": "postgres", "details": {"host": "h", "dbname": "d"}, "state": 1}
    made = await boss.post(f"v3:projects/{boss.project}/connections/", body)

    assert [row["id"] for row in await boss.get(f"v3:projects/{boss.project}/connections/")] == [made["id"]]
    assert made["details"] == {"hostname": "h", "port": 5432, "dbname": "d"}
    assert (await boss.call("DELETE", f"v3:connections/{made['id']}")).status_code == 409
    assert (await boss.delete(f"v3:projects/{boss.project}/connections/{made['id']}"))["state"] == 2


async def test_credentials_never_tell_their_password(cloud, project):
    """Made, changed and gone; a password that is left out stays."""
    path = f"v3:projects/{cloud.project}/credentials/"
    body = {"type": "postgres", "username": "ada", "password": "hunter22", "default_schema": "marts", "threads": 4}
    made = await cloud.post(path, body)

    assert "hunter22" not in str(made)
    assert (made["has_password"], made["default_schema"], made["type"]) == (True, "marts", "postgres")
    changed = await cloud.post(f"{path}{made['id']}/", {"id": made["id"], "threads": "8", "target_name": "prod"})
    assert (changed["threads"], changed["has_password"], changed["username"]) == (8, True, "ada")
    assert [row["id"] for row in await cloud.get("credentials/")] == [made["id"]]
    assert [row["id"] for row in await cloud.get(path)] == [made["id"]]
    assert (await cloud.delete(f"{path}{made['id']}/"))["state"] == 2
    other = await cloud.call("POST", path, json={"type": "snowflake"})
    assert other.status_code == 501


async def test_credentials_of_an_adapter_stand_in_its_fields(cloud, project):
    """As clients of adapters write them."""
    fields = {"schema": {"metadata": {}, "value": "marts"}, "threads": {"value": 2}}
    body = {"type": "adapter", "credential_details": {"fields": fields}}

    made = await cloud.post(f"v3:projects/{cloud.project}/credentials/", body)

    assert (made["type"], made["adapter_version"]) == ("adapter", "duckdb_v0")
    assert (made["schema"], made["threads"]) == ("marts", 2)


async def test_a_profile_is_a_connection_with_its_credentials(boss, project):
    """And perhaps extended attributes; what it names cannot go."""
    below = f"v3:projects/{boss.project}"
    connection = await _connection(boss)
    credentials = await boss.post(f"{below}/credentials/", {"type": "postgres", "username": "ada"})
    attributes = await boss.post(f"{below}/extended-attributes/", {"extended_attributes": {"sslmode": "require"}})
    body = {"key": "main", "connection_id": connection["id"], "credentials_id": credentials["id"]}

    made = await boss.post(f"{below}/profiles/", {**body, "extended_attributes_id": attributes["id"]})

    assert {**body, "extended_attributes_id": attributes["id"]}.items() <= made.items()
    used = await boss.call("DELETE", f"{below}/credentials/{credentials['id']}/")
    assert (used.status_code, "main" in used.json()["status"]["user_message"]) == (409, True)
    patched = await boss.call("PATCH", f"{below}/profiles/{made['id']}/", json={"extended_attributes_id": None})
    assert patched.json()["data"]["extended_attributes_id"] is None
    assert (await boss.delete(f"{below}/profiles/{made['id']}/"))["state"] == 2
    assert (await boss.call("POST", f"{below}/profiles/", json={})).status_code == 400


async def test_secrets_of_extended_attributes_are_masked(cloud, project):
    """Told as a mask, which keeps them when it is sent back; an object or its text is taken."""
    path = f"v3:projects/{cloud.project}/extended-attributes/"
    made = await cloud.post(path, {"extended_attributes": '{"token": "s3cr3t!", "role": "x"}'})

    assert "s3cr3t!" not in str(made)
    assert made["extended_attributes"]["role"] == "x"
    assert [row["id"] for row in await cloud.get(path)] == [made["id"]]
    refused = await cloud.call("POST", path, json={"extended_attributes": {"path": "/etc/passwd"}})
    assert refused.status_code == 400
    assert (await cloud.delete(f"{path}{made['id']}/"))["state"] == 2


async def test_what_environments_name_is_told_where_it_is_asked_for(boss, project):
    """In the shapes in which clients ask (§0.7); nothing of it else. A project brings its environments, too."""
    connection = await _connection(boss)
    credentials = await boss.post(f"v3:projects/{boss.project}/credentials/", {"type": "postgres", "username": "ada"})
    body = {"name": "P", "type": "deployment", "deployment_type": "production"}
    named = {"connection_id": connection["id"], "credentials_id": credentials["id"]}
    made = await boss.post(f"v3:projects/{boss.project}/environments/", {**body, **named})
    variable = {"name": "DBT_X", "type": "environment", "environment_id": made["id"], "raw_value": "1"}
    await boss.post(f"v3:projects/{boss.project}/environment-variables/", variable)

    bare = await boss.get(f"environments/{made['id']}")
    full = await boss.get(f"environments/{made['id']}", include_related='["connection", "project"]')
    newer = await boss.get(
        f"v3:environments/{made['id']}", include_related="[credentials,custom_environment_variables]"
    )

    assert (bare["project"], bare["credentials"], bare["custom_environment_variables"]) == (None, None, [])
    assert (full["connection"]["name"], full["project"]["id"]) == ("Sales", boss.project)
    assert newer["credentials"]["username"] == "ada"
    assert [each["name"] for each in newer["custom_environment_variables"]] == ["DBT_X"]
    told = await boss.get(f"v3:projects/{boss.project}", include_related="['environments','repository']")
    assert [each["deployment_type"] for each in told["environments"]] == ["production"]
