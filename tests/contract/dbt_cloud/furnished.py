"""What operations are called with: a project with one thing of each noun, and bodies that need nothing else."""

import dataclasses
import re
from typing import Any

import httpx2

_VALUE = re.compile(r"\{(\w+):str\}")


@dataclasses.dataclass
class Site:
    """One thing of each noun, by the name that it has in paths."""

    http: httpx2.AsyncClient
    numbers: dict[str, Any]

    async def furnished(self) -> "Site":
        of = f"v3/accounts/{self.numbers['account']}"
        project = f"{of}/projects/{self.numbers['project']}"
        self.numbers["connection"] = await self._made(f"{of}/connections", {"name": "Sales", **POSTGRES})
        to_it = {"connection_id": self.numbers["connection"]}
        for noun, path, body in (
            (
                "environment",
                f"{project}/environments",
                {"name": "Production", **to_it},
            ),
            ("repository", f"{project}/repositories", {"remote_backend": "managed"}),
            ("credentials", f"{project}/credentials", {"type": "postgres", "username": "ada"}),
            ("attributes", f"{project}/extended-attributes", {"extended_attributes": {"threads": 4}}),
            ("variable", f"{project}/environment-variables", {"name": "DBT_SHOP", "raw_value": "x"}),
            ("group", f"{of}/groups", {"name": f"Analysts {self.numbers['project']}"}),
            ("webhook", f"{of}/webhooks/subscriptions", WEBHOOK),
        ):
            self.numbers[noun] = await self._made(path, body)
        named = {"connection_id": self.numbers["connection"], "credentials_id": self.numbers["credentials"]}
        self.numbers["profile"] = await self._made(f"{project}/profiles", {"key": "shop", **named})
        older = f"v2/accounts/{self.numbers['account']}"
        self.numbers["job"] = await self._made(f"{older}/jobs", self.bases()["create_job"])
        self.numbers["run"] = await self._made(f"{older}/jobs/{self.numbers['job']}/run", {})
        self.numbers["notification"] = await self._made(
            f"{older}/notifications", {"type": 4, "external_email": "ada@example.org"}
        )
        return self

    async def _made(self, path: str, body: Any) -> Any:
        answer = await self.http.post(f"/api/{path}", json=body)
        assert answer.status_code in {200, 201}, answer.text
        return answer.json()["data"]["id"]

    def bases(self) -> dict[str, Any]:
        """What an operation needs beside the key that is wrong."""
        project = {"project_id": self.numbers["project"]}
        user = {"type": 4, "external_email": "ada@example.org"}
        return {
            "create_job": {
                **project,
                "environment_id": self.numbers["environment"],
                "name": "Nightly",
                "execute_steps": ["dbt build"],
            },
            "create_project": {"name": "Shop"},
            "create_connection": {"name": "Sales", **POSTGRES},
            "create_project_connection": {"name": "Sales", **POSTGRES},
            "create_environment": project,
            "create_repository": project | {"remote_url": "https://example.org/a.git"},
            "create_project_repository": {"remote_url": "https://example.org/a.git"},
            "create_credentials": {"type": "postgres"},
            "create_extended_attributes": {"extended_attributes": {"threads": 4}},
            "replace_extended_attributes": {"extended_attributes": {"threads": 4}},
            "change_extended_attributes": {"extended_attributes": {"threads": 4}},
            "create_profile": {
                "key": "live",
                "connection_id": self.numbers["connection"],
                "credentials_id": self.numbers["credentials"],
            },
            "create_variable": {"name": "DBT_OTHER", "raw_value": "x"},
            "create_service_token": {"name": "airflow"},
            "create_group": {"name": "Others"},
            "create_subscription": WEBHOOK,
            "create_notification": user,
            "assign_groups": {"user_id": 1},
        }

    def path(self, path: str) -> str | None:
        """The path of an operation, filled in; None if there is nothing of one of its nouns."""
        names = _VALUE.findall(path)
        if not self.numbers.keys() >= set(names):
            return None
        return _VALUE.sub(lambda match: str(self.numbers[match[1]]), path)


POSTGRES = {"adapter_version": "postgres_v0", "config": {"hostname": "db.example", "dbname": "sales"}}
WEBHOOK = {"name": "Chat", "client_url": "https://example.org/hook", "event_types": ["job.run.started"]}
