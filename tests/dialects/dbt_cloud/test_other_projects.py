"""A token of one project on every path of another: what is there is unknown, whatever is tried with it."""

import re

import pytest

from contract.dbt_cloud.coverage import mounted
from controlroom.dialects.dbt_cloud.permission_sets import ROLES
from controlroom.dialects.dbt_cloud.routing import NOT_HAD
from controlroom.engine.access.grants.model import WantedGrant
from controlroom.engine.access.service_tokens import actions
from controlroom.engine.projects import actions as projects
from controlroom.engine.projects.model import ProjectChange
from controlroom.engine.workspaces.actions import create as create_workspace
from controlroom.ids import uuid7

BODY = {"name": "mine", "state": 2, "cause": "mine", "raw_value": "mine", "type": "project", "dbt_version": "1.11.0"}
NOTHING = ([], {}, {"environments": ["project"], "variables": {}})
"""What a list tells of what it does not see."""
OWN = ("/service-tokens", "/users", "/groups", "/group-permissions", "/assign-groups", "/audit-logs", "/whoami")
"""Of the account: no project's token gets in there but for its own user."""
TABLES = ("process", "target", "variable", "connection_login", "run", "webhook", "notification", "project", "package")


async def state_of(room, workspace):
    """How many rows of each kind are there, and when they were changed."""
    value = room.engine.database.value
    return {
        table: await value(
            f"select md5(coalesce(string_agg(row::text, '|' order by row::text), '')) from {table} as row"
            " where workspace_id = %(workspace)s",
            workspace=workspace,
        )
        for table in TABLES
    }


async def numbers_of(room, workspace):
    """The numbers of all that the project has."""
    value, found = room.engine.database.value, []
    for table in TABLES:
        if table == "project":
            continue
        found += await room.engine.database.all(
            int, f"select number from {table} where workspace_id = %(workspace)s limit 2", workspace=workspace
        )
    steps = await room.engine.database.all(
        int,
        """
        select phase.number from phase join step_run on step_run.id = phase.step_run_id
         where step_run.workspace_id = %(workspace)s limit 1
        """,
        workspace=workspace,
    )
    return [await value("select number from workspace where id = %(id)s", id=workspace), *found, *steps]


@pytest.mark.matrix  # some thousand requests
async def test_what_another_project_has_is_unknown_on_every_path(room, cloud, site, as_):
    """By each number of each noun at each place of each route; and nothing there is changed."""
    job = await site.job()
    await cloud.post(f"jobs/{job.number}/run/")
    await site.work()
    hooks = {"name": "x", "client_url": "https://x.example.com/", "event_types": ["job.run.started"]}
    await cloud.post("v3:webhooks/subscriptions", hooks | {"job_ids": [job.number]}, status=201)
    notice = {"type": 4, "external_email": "a@example.com", "on_failure": [job.number]}
    await cloud.post("notifications/", notice)
    other = await create_workspace(room.engine, room.admin, f"other {uuid7()}")
    await projects.found(room.engine, room.admin, other.id, ProjectChange())
    wanted = [WantedGrant(ROLES[each], other.id) for each in ("admin", "job_admin", "developer", "webhooks_only")]
    _, value = await actions.create(room.engine, room.admin, name="stranger", wanted=wanted)
    stranger = as_(value)
    before, numbers = await state_of(room, site.ada.workspace), await numbers_of(room, site.ada.workspace)
    own = await room.engine.database.value("select number from workspace where id = %(id)s", id=other.id)

    wrong = []
    for (method, path), handler in mounted().items():
        if path.count("{}") < 2 or NOT_HAD in handler.opt:
            continue
        rest = path.removeprefix(f"/api/v{path[6]}/accounts/{{}}")
        for number in numbers:
            for filled in _ways(path, cloud.account, number, own):
                answer = await stranger.call(method, filled, **({} if method == "GET" else {"json": BODY}))
                is_closed = answer.status_code in {400, 403, 404, 501} or (
                    method == "GET" and answer.json().get("data") in NOTHING
                )
                if not is_closed and not rest.startswith(OWN):
                    wrong.append(f"{method} {filled}: {answer.status_code} {answer.text[:120]}")
    assert wrong == []
    assert await state_of(room, site.ada.workspace) == before


def _ways(path, account, number, own):
    """The path with the number everywhere; and, where more than a project is named, below the project of their own."""
    whole = path.replace("{}", str(account), 1)
    ways = [whole.replace("{}", str(number))]
    below = re.sub(r"/projects/\{\}", f"/projects/{own}", whole)
    return [*ways, below.replace("{}", str(number))] if "{}" in below and below != whole else ways
