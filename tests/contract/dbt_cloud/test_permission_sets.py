"""Each permission set against every operation: it opens what its permissions say, and nothing else.

What a set may do stands in the document, written by `PERMISSION_SETS=write pytest …` and compared here.
"""

import os
import re
from typing import Any

import msgspec
import pytest

from contract.dbt_cloud.coverage import DOCUMENT, mounted
from contract.dbt_cloud.furnished import Site
from controlroom.border.asking import NEEDS
from controlroom.dialects.dbt_cloud.permission_sets import ROLES
from controlroom.dialects.dbt_cloud.routing import ASKS, NOT_HAD
from controlroom.engine.access.grants.model import WantedGrant
from controlroom.engine.access.model import ALL_OF_A_WORKSPACE, EVERYTHING
from controlroom.engine.access.roles import store as roles
from controlroom.engine.access.service_tokens import actions

BEGIN, END = (
    "<!-- permission sets: begin (tests/contract/dbt_cloud/test_permission_sets.py) -->",
    "<!-- permission sets: end -->",
)
SKIPPED = {"assign_groups", "list_environment_values", "list_job_values", "list_user_values"}
"""The first names a user by its body; the others' queries are tried elsewhere."""


@pytest.fixture
async def sets(room) -> dict[str, frozenset[str]]:
    """The permissions of each set, as the room has them."""
    found = {}
    for name, role in ROLES.items():
        kept = await roles.get(room.engine.database, room.organization, role)
        found[name] = frozenset(each for each in kept.permissions if ":" not in each)
    return found


def told(sets: dict[str, frozenset[str]]) -> str:
    """The table of the document: sets that may do the same in one row."""
    alike: dict[frozenset[str], list[str]] = {}
    for name, permissions in sets.items():
        alike.setdefault(permissions, []).append(name)
    lines = ["| Permission sets | May |", "|---|---|"]
    for permissions, names in sorted(alike.items(), key=lambda each: (-len(each[0]), each[1])):
        named = [f"`{each}`" for each in sorted(permissions - {ALL_OF_A_WORKSPACE})]
        all_of_it = ["everything in projects"] if ALL_OF_A_WORKSPACE in permissions else []
        may = ", ".join([*all_of_it, *named]) or "see the account"
        lines.append(f"| {', '.join(f'`{name}`' for name in names)} | {may} |")
    return "\n".join(lines)


async def test_the_document_tells_what_each_set_may_do(sets):
    """As the roles of the room have it."""
    text = DOCUMENT.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    inside, _, after = rest.partition(END)
    if os.environ.get("PERMISSION_SETS") == "write":
        DOCUMENT.write_text(f"{before}{BEGIN}\n\n{told(sets)}\n\n{END}{after}", encoding="utf-8")
        return

    assert inside.strip() == told(sets)


def test_what_runners_and_readers_may_do(sets):
    """A runner triggers and does not edit; who reads metadata reads artifacts and does not trigger."""
    assert {"runs.start", "runs.read"} <= sets["job_runner"]
    assert "processes.write" not in sets["job_runner"]
    assert "run_outputs.read" in sets["metadata_only"]
    assert not {"runs.start", "processes.write"} & sets["metadata_only"]
    assert not any(
        each.endswith(".write") for name in ("readonly", "account_viewer", "job_viewer") for each in sets[name]
    )


@pytest.mark.matrix
async def test_each_set_opens_what_its_permissions_say(room, sets, site):
    """Every operation, by the number of what is there: 403 or 404 for who lacks a permission, else neither."""
    by_permissions = {permissions: name for name, permissions in sets.items()}
    wrong = []
    for permissions, name in by_permissions.items():
        wanted = [WantedGrant(ROLES[name], None)]
        _, value = await actions.create(room.engine, room.admin, name=name, wanted=wanted)
        for (method, path), handler in mounted().items():
            asked = _asked(site, method, path, handler)
            if asked is None:
                continue
            held = permissions | (EVERYTHING if ALL_OF_A_WORKSPACE in permissions else frozenset())
            may = all(held & set(each) for each in _wanted(handler))
            if may and method == "DELETE":
                continue  # it would be gone for the next set
            url, body = asked
            answer = await site.http.request(method, url, json=body, headers={"Authorization": f"Token {value}"})
            is_closed = answer.status_code in {403, 404}
            if is_closed == may:
                wrong.append(f"{name} {method} {path}: {answer.status_code}")

    assert wrong == []
    assert len(by_permissions) > 10


def _wanted(handler: Any) -> list[tuple[str, ...]]:
    several = (handler.opt.get(name) for name in (NEEDS, ASKS))
    return [each if isinstance(each, tuple) else (each,) for each in several if each]


def _asked(site: Site, method: str, path: str, handler: Any) -> tuple[str, Any] | None:
    """The address and the body of a call that needs nothing but the permission; None where there is none such."""
    [template] = [each for each in handler.paths if re.sub(r"\{[^}]*\}", "{}", each) == path] or [None]
    url = None if template is None else site.path(template)
    if url is None or "{" in url or NOT_HAD in handler.opt or handler.fn.__name__ in SKIPPED or not _wanted(handler):
        return None
    field = handler.parsed_data_field
    if field is None:
        return url, None
    is_list = msgspec.json.schema(field.annotation).get("type") == "array"
    return url, [] if is_list else site.bases().get(handler.fn.__name__, {})
