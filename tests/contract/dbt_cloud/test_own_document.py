"""The grammar's own document, v2 and v3, against a live server, in an account where there is one of everything.

What the document allows, and what it forbids, is answered in a way that the document names. A few requests for each
operation, the same ones each time; under `make fuzz` many, others each time.
"""

import asyncio
from typing import Any

import httpx2
import pytest

from contract.seeds import MANY, SEED
from controlroom.dialects.dbt_cloud.permission_sets import ROLES
from controlroom.engine.access.grants.model import WantedGrant
from controlroom.engine.access.service_tokens import actions
from controlroom.ids import uuid7
from dialects.dbt_cloud.site import Site, make_site
from live import client_of


@pytest.fixture
async def site(room, ada, walt) -> Site:
    """Ada's workspace as a project, whose runs walt works."""
    return await make_site(room, ada, walt)


@pytest.fixture
async def token(room) -> str:
    """A token that may do everything in the account."""
    _, value = await actions.create(
        room.engine, room.admin, name="fuzz", wanted=[WantedGrant(ROLES["account_admin"], None)]
    )
    return value


class Furnisher:
    """Makes one of everything, by the grammar itself."""

    def __init__(self, http: httpx2.AsyncClient, account: int, project: int) -> None:
        self._http = http
        self._account = account
        self._project = project

    async def ids(self) -> dict[str, Any]:
        """What is there, by the names of the document's paths."""
        base = {"account_id": self._account, "project_id": self._project}
        run = (await self._get("v2", "runs/?order_by=-id"))[0]
        [one] = await self._get("v2", f"runs/{run['id']}/?include_related=run_steps", "run_steps")
        jobs = await self._get("v2", "jobs/?order_by=-id")
        project = f"projects/{self._project}"
        address = {"hostname": "db.example", "port": 5432, "dbname": "dw"}
        connection = await self._post(
            "v3", "connections/", {"name": "Other", "adapter_version": "postgres_v0", "config": address}
        )
        credentials = await self._post(
            "v3", f"{project}/credentials/", base | {"type": "postgres", "schema": "s", "username": "u", "threads": 2}
        )
        attributes = await self._post(
            "v3", f"{project}/extended-attributes/", base | {"extended_attributes": {"sslmode": "require"}}
        )
        profile = await self._post(
            "v3",
            f"{project}/profiles/",
            base | {"key": "prod", "connection_id": connection["id"], "credentials_id": credentials["id"]},
        )
        environment = await self._post("v3", f"{project}/environments/", base | {"name": "Staging"})
        variable = await self._post(
            "v3",
            f"{project}/environment-variables/",
            base | {"type": "project", "name": "DBT_COLOUR", "raw_value": "red"},
        )
        hook = {"name": "CI", "event_types": ["job.run.started"], "client_url": "https://example.com/x", "active": True}
        webhook = await self._post("v3", "webhooks/subscriptions", hook, 201)
        notice = {"account_id": self._account, "type": 4, "external_email": "a@example.com", "on_failure": []}
        group = await self._post("v3", "groups/", {"account_id": self._account, "name": f"Night {uuid7()}"})
        granted = {"permission_set": "metadata_only", "project_id": None}
        made = {"account_id": self._account, "name": "meta", "state": 1, "permission_grants": [granted]}
        return {
            "account": self._account,
            "project": self._project,
            "run": run["id"],
            "step": one["id"],
            "job": jobs[0]["id"],
            "environment": environment["id"],
            "connection": connection["id"],
            "credentials": credentials["id"],
            "attributes": attributes["id"],
            "profile": profile["id"],
            "variable": variable["id"],
            "webhook": webhook["id"],
            "notification": (await self._post("v2", "notifications/", notice))["id"],
            "group": group["id"],
            "token": (await self._post("v3", "service-tokens/", made))["id"],
            "user": (await self._get("v3", "users/"))[0]["id"],
            "repository": (await self._get("v3", f"{project}/repositories/"))[0]["id"],
            "path": "manifest.json",
        }

    async def _get(self, version: str, path: str, field: str = "") -> Any:
        answer = await self._http.get(f"/api/{version}/accounts/{self._account}/{path}")
        assert answer.status_code == 200, f"{path}: {answer.text}"
        data = answer.json()["data"]
        return data[field][-1:] if field else data

    async def _post(self, version: str, path: str, body: dict[str, Any], status: int = 200) -> Any:
        answer = await self._http.post(f"/api/{version}/accounts/{self._account}/{path}", json=body)
        assert answer.status_code in {status, 201}, f"{path}: {answer.text}"
        return answer.json()["data"]


async def _problems(room, site: Site, token: str, **how: int) -> list[str]:
    await site.job("dbt build")
    account = await room.number()
    project = await room.engine.database.value("select number from workspace where id = %(id)s", id=site.ada.workspace)
    headers = {"Authorization": f"Token {token}"}
    async with client_of(room.url, **headers) as http:
        jobs = (await http.get(f"/api/v2/accounts/{account}/jobs/?project_id={project}")).json()["data"]
        job = jobs[0]["id"]
        started = await http.post(f"/api/v2/accounts/{account}/jobs/{job}/run/", json={"cause": "fuzz"})
        assert started.status_code == 200, started.text
        await site.work()
        ids = await Furnisher(http, account, project).ids()
        document = (await http.get("/api/v3/openapi.json")).json()
    from contract.fuzzer import Fuzzer  # noqa: PLC0415 - half a second of every process of tests, for those who fuzz

    fuzzer = Fuzzer(room.url, headers, ids, always=frozenset({"account"}), **how)
    return await asyncio.to_thread(fuzzer.problems, document)


@pytest.mark.matrix
@pytest.mark.timeout(900)
async def test_generated_requests_are_answered_as_documented(room, site, token):
    """No server error, and no status and no form that the document does not name."""
    found = await _problems(room, site, token, examples=3, seed=1)

    assert found == [], "\n\n".join(found)


@pytest.mark.fuzz
@pytest.mark.timeout(3600)
async def test_many_requests_are_answered_as_documented(room, site, token):
    """The same, as long as anybody likes (FUZZ_EXAMPLES), and again (FUZZ_SEED)."""
    print(f"FUZZ_SEED={SEED}")

    found = await _problems(room, site, token, examples=MANY, seed=SEED)

    assert found == [], f"FUZZ_SEED={SEED}\n" + "\n\n".join(found)
