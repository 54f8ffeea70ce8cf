"""Every route of the grammar alike: who is let in, in which form it refuses, and what hostile input does."""

import asyncio
import re
from collections.abc import Iterator

import httpx2
import pytest

from contract.dbt_cloud.coverage import mounted
from contract.in_turn import in_turn, some_and_all
from controlroom.dialects.dbt_cloud.routing import NOT_HAD
from controlroom.engine.access.model import EVERYTHING

ROUTES = sorted((method, path, NOT_HAD in handler.opt) for (method, path), handler in mounted().items())
NUMBERS = ("0", "1", "-1", "9007199254740993", "9" * 30, "x", "1e3", "%00", "ü", "1;2", "..%2f1")
BODIES = (
    b"",
    b"null",
    b"{}",
    b"[]",
    b'"x"',
    b"{",
    b"\xff",
    b'{"name": "\\u0000"}',
    b'{"id": 1e400, "name": null, "state": [], "project_id": "x", "account_id": -1}',
    b'{"name": {"a": 1}, "permission_grants": 7, "execute_steps": {"a": 1}, "env_var": [], "triggers": 1}',
    b'{"name": "\\ud800", "description": 1, "surplus": {"x": [1]}}',
    b"[" * 500,
)
QUERIES = (
    "limit=x",
    "limit=-1",
    "offset=99999999999999999999999",
    "order_by=nothing",
    "pk=x&id__gt=" + "9" * 30,
    "created_at__range=[1]&finished_at__range=x",
    "name__icontains=%00",
    "state=7&status__in=[1,[2],{}]",
    "project_id=x",
    "include_related=[[",
    "step=x",
)


def filled(path: str, account: int, value: str) -> str:
    """The path with the account, and a value for everything else."""
    values: Iterator[str] = iter([str(account)] if "/accounts/{}" in path else [])
    return re.sub(r"\{\}", lambda _: next(values, value), path)


def is_refusal(answer: httpx2.Response) -> bool:
    """Whether it is a failure of the caller's, in the envelope."""
    told = answer.json()
    return (
        400 <= answer.status_code < 500
        and told["status"]["code"] == answer.status_code
        and told["status"]["is_success"] is False
        and bool(told["status"]["user_message"])
    )


async def ask(
    http: httpx2.AsyncClient, calls: list[tuple[str, str, bytes]], *, token: str = ""
) -> list[httpx2.Response]:
    """All of them, some at once."""
    gate = asyncio.Semaphore(8)

    async def one(method: str, path: str, body: bytes) -> httpx2.Response:
        headers = {"Authorization": f"Token {token}"} if token else {}
        async with gate:
            return await http.request(method, path, content=body, headers=headers)

    return await asyncio.gather(*(one(*call) for call in calls))


async def test_nobody_is_let_in_without_a_token(account, stranger):
    """Whether there is something or not: in the words that clients compare."""
    calls = [(method, filled(path, account, "1"), b"") for method, path, _ in ROUTES]

    answers = await ask(stranger, calls)

    assert {(each.status_code, each.json()["status"]["user_message"]) for each in answers} == {(401, "Invalid token.")}


async def test_another_account_is_unknown_everywhere(account, ada, stranger):
    """By every route that names one."""
    calls = [(method, filled(path, account + 1, "1"), b"{}") for method, path, _ in ROUTES if "/accounts/{}" in path]

    answers = await ask(stranger, calls, token=ada.key)

    assert {each.status_code for each in answers} == {404}
    assert all("permission" in each.json()["status"]["user_message"] for each in answers)


async def test_a_key_of_another_project_sees_nothing(account, cleo, stranger, numbers):
    """By the numbers of what is there, of every noun: 404, or (of the organization's things) 403."""
    calls = [
        (method, filled(path, account, number), b"{}")
        for method, path, _ in ROUTES
        for number in numbers
        if path.count("{}") > 1
    ]

    answers = await ask(stranger, calls, token=cleo.key)

    wrong = [
        f"{each.request.method} {each.request.url.path}: {each.status_code}" for each in answers if not is_closed(each)
    ]
    assert wrong == []


def is_closed(answer: httpx2.Response) -> bool:
    """Whether nothing was told or done."""
    if answer.status_code in {400, 403, 404, 501}:
        return True
    if "/constants" in answer.request.url.path:
        return True
    data = answer.json()["data"]  # a list of what is seen in a project of which nothing is
    return answer.request.method == "GET" and data in ([], {}, {"environments": ["project"], "variables": {}})


@pytest.mark.parametrize("with_slash", [False, True])
async def test_what_is_not_had_says_so(account, ada, stranger, with_slash):
    """With 501 and in the envelope, with a slash at the end and without."""
    calls = [
        (method, filled(path, account, "1") + "/" * with_slash, b"{}") for method, path, not_had in ROUTES if not_had
    ]

    answers = await ask(stranger, calls, token=ada.key)

    assert {each.status_code for each in answers} <= {501}
    assert all(each.json()["status"]["is_success"] is False for each in answers)


@some_and_all
async def test_hostile_numbers_bodies_and_queries_are_refused_in_the_envelope(
    account, hire, workspace, stranger, of_each
):
    """Nothing that a caller sends is a failure of the server, and each refusal has the form of all others."""
    ada = await hire("ada", workspace, EVERYTHING)
    calls = []
    numbers, bodies, queries = (in_turn(of_each) for _ in range(3))
    for method, path, _ in ROUTES:
        calls += [(method, filled(path, account, number), b"{}") for number in numbers(NUMBERS) if path.count("{}") > 1]
        if method != "GET":
            calls += [(method, filled(path, account, "1"), body) for body in bodies(BODIES)]
        else:
            calls += [(method, f"{filled(path, account, '1')}?{query}", b"") for query in queries(QUERIES)]

    answers = await ask(stranger, calls, token=ada.key)

    wrong = [
        f"{each.request.method} {each.request.url}: {each.status_code} {each.text[:200]}"
        for each in answers
        if each.status_code not in {200, 201, 501} and not is_refusal(each)
    ]
    assert wrong == []
