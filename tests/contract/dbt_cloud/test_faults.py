"""What is wrong with a body is told by the name under which it was sent, by every operation that takes one.

Every key of every body is sent in forms that cannot be, beside what else the operation needs; what is refused names
that key, or another one of the body, and never what the engine calls it.
"""

import dataclasses
import re
from collections.abc import Iterator
from typing import Any

import httpx2
import msgspec
import pytest

from controlroom.border.origin import Origins
from controlroom.dialects import dbt_cloud
from controlroom.dialects.dbt_cloud.app import routes
from controlroom.dialects.dbt_cloud.errors import keys_of
from controlroom.dialects.dbt_cloud.permission_sets import ROLES
from controlroom.dialects.dbt_cloud.routing import NOT_HAD
from controlroom.engine.access.grants.model import WantedGrant
from controlroom.engine.access.service_tokens import actions
from controlroom.engine.engine import Engine
from controlroom.engine.projects.actions import found
from controlroom.settings import Limits

pytestmark = pytest.mark.matrix

TEXTS = ("x" * 10_001, " x", "a\nb", "../x", "")
NUMBERS = (-1, 2**53 + 1, "x")
TRUTHS = ("zz", 7)
_VALUE = re.compile(r"\{(\w+):str\}")
_QUOTED = re.compile(r"""'[^']*'|"[^"]*"|`[^`]*`|\S*[_.]\S*""")
_OURS = re.compile(
    r"\b(log-?ins?|workspaces?|purpose|process(es)?|packages?|organizations?|targets?|phases?|notices?)\b",
    re.IGNORECASE,
)
"""The engine's nouns; names with an underscore or a point are keys."""


def bodied() -> Iterator[tuple[str, str, Any, str]]:
    """Method, path (of one version), type of the body and name, of each operation that takes one."""
    parts = dict.fromkeys(field.name for field in dataclasses.fields(Engine)) | {"limits": Limits()}
    app = routes(Engine(**parts), Origins(None, ()))
    handlers = {handler for route in app.routes for handler in getattr(route, "route_handlers", ())}
    for handler in sorted(handlers, key=lambda each: each.fn.__name__):
        field = handler.parsed_data_field
        is_ours = handler.fn.__module__.startswith(dbt_cloud.__name__)
        if is_ours and field is not None and NOT_HAD not in handler.opt and handler.http_methods != {"DELETE"}:
            yield (
                next(iter(handler.http_methods - {"OPTIONS"})),
                max(handler.paths),
                field.annotation,
                handler.fn.__name__,
            )


OPERATIONS = list(bodied())


def hostile(body: Any) -> Iterator[dict[str, Any]]:
    """One key each, in a form that cannot be."""
    for kind in _structs(msgspec.inspect.type_info(body)):
        for field in kind.fields:
            for value in _values(field.type):
                yield {field.encode_name: value}


def _structs(kind: Any) -> Iterator[msgspec.inspect.StructType]:
    if isinstance(kind, msgspec.inspect.StructType):
        yield kind
    for each in (*getattr(kind, "types", ()), getattr(kind, "item_type", None)):
        if each is not None:
            yield from _structs(each)


_SIMPLE = {
    msgspec.inspect.StrType: TEXTS,
    msgspec.inspect.EnumType: TEXTS,
    msgspec.inspect.LiteralType: TEXTS,
    msgspec.inspect.IntType: NUMBERS,
    msgspec.inspect.BoolType: TRUTHS,
    msgspec.inspect.DictType: ({"zz": {"a": 1}},),
}


def _values(kind: Any) -> Iterator[Any]:
    match kind:
        case msgspec.inspect.StructType():
            yield "zz"
            for field in kind.fields:
                yield from ({field.encode_name: value} for value in _values(field.type))
        case msgspec.inspect.UnionType():
            for each in kind.types:
                yield from _values(each)
        case msgspec.inspect.ListType() | msgspec.inspect.VarTupleType():
            yield from ([value] for value in _values(kind.item_type))
        case _:
            yield from _SIMPLE.get(type(kind), ())


@pytest.fixture
async def site(room, workspace, stranger):
    """What the operations need: a project with one thing of each noun; `call` calls with a token of its account."""
    await found(room.engine, room.admin, workspace)
    wanted = [WantedGrant(ROLES["account_admin"], None)]
    _, value = await actions.create(room.engine, room.admin, name="boss", wanted=wanted)
    token, _ = await actions.create(room.engine, room.admin, name="another", wanted=[])
    account = await room.engine.database.value("select number from organization")
    project = await room.engine.database.value("select number from workspace where id = %(id)s", id=workspace)
    stranger.headers["Authorization"] = f"Token {value}"
    return await Site(stranger, {"account": account, "project": project, "token": token.number}).furnished()


@dataclasses.dataclass
class Site:
    """One thing of each noun, by the name that it has in paths."""

    http: httpx2.AsyncClient
    numbers: dict[str, Any]

    async def furnished(self) -> "Site":
        of = f"v3/accounts/{self.numbers['account']}"
        project = f"{of}/projects/{self.numbers['project']}"
        for noun, path, body in (
            ("connection", f"{of}/connections", {"name": "Sales", **POSTGRES}),
            ("environment", f"{project}/environments", {"name": "Production"}),
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
NEVER = {"state", "is_disabled"}
"""Would take away what the other requests need."""


async def test_what_is_wrong_is_told_by_the_name_under_which_it_was_sent(site):
    """By every operation, of every key of its body."""
    bases, wrong, seen = site.bases(), [], set()
    for method, template, body, name in OPERATIONS:
        if (path := site.path(template)) is None:
            continue
        keys = keys_of(body) | {"body"}
        is_list = msgspec.json.schema(body).get("type") == "array"
        for each in hostile(body):
            if each.keys() & NEVER:
                continue
            sent = bases.get(name, {}) | each
            answer = await site.http.request(method, path, json=[sent] if is_list else sent)
            told = answer.json()
            message = told["status"]["user_message"]
            if answer.status_code == 400:
                seen.add(name)
                roots = {re.split(r"[.\[]", key)[0] for key in told["data"] or {}}
                if not roots or (not roots <= keys and not is_list and "env_var" not in keys):
                    wrong.append(f"{name} {str(each)[:80]}: {told['data']} {message[:120]}")
            if answer.status_code >= 500 and answer.status_code != 501:
                wrong.append(f"{name} {str(each)[:80]}: {answer.status_code}")
            if not told["status"]["is_success"] and _OURS.search(_QUOTED.sub("", message)):
                wrong.append(f"{name} {str(each)[:80]}: {message[:200]}")

    assert wrong == []
    assert len(seen) > 25


@pytest.mark.parametrize("field", ["account_id", "id", "project_id"])
async def test_a_body_that_contradicts_its_address_is_refused(site, field):
    """By every operation: account, project and the thing itself are those of the path."""
    bases, wrong = site.bases(), []
    for method, template, body, name in OPERATIONS:
        path = site.path(template)
        last = template.rpartition("/")[2]
        names_it = {"account_id": "{account:str}" in template, "project_id": "{project:str}" in template}
        if path is None or not names_it.get(field, last.startswith("{")):
            continue
        is_list = msgspec.json.schema(body).get("type") == "array"
        sent = bases.get(name, {}) | {field: 9_000_000}
        answer = await site.http.request(method, path, json=[sent] if is_list else sent)
        if answer.status_code != 400 or (answer.json()["data"] or {}).keys() != {field}:
            wrong.append(f"{name}: {answer.status_code} {answer.text[:200]}")

    assert wrong == []
