"""Who loads is logged in for as long as the load goes on, however short tokens live and however many threads ask."""

import asyncio
import base64
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from tests.dialects.automation360.test_deploy import DEPLOY, bot, deploying, device  # noqa: F401
from tests.sources.automation360.conftest import every

from controlroom.app import asgi
from controlroom.engine.access import user_keys
from controlroom.sources import automation360_source
from controlroom.sources.arguments import NotConfigured
from controlroom.sources.automation360.login import HEADER, LogIn, LogInRefused, address_of, life_of
from controlroom.sources.endings import end
from controlroom.sources.paging import Request
from controlroom.sources.reading import Reader, ReadFailed
from live import serving


@pytest.fixture
async def named(room, root):
    """Root's name and key, as arguments of a log-in."""
    _, key = await user_keys.make(room.engine, root.actor, root.actor.id)
    return {"username": root.actor.name, "api_key": key}


def is_good(url: str, token: str) -> bool:
    """Whether a token opens anything."""
    reader = Reader(url)
    told = reader.get("v1/authentication/token", token=token)["valid"]
    reader.close()
    return told


# ------------------------------------------------------------------------------------------------------------ tokens
async def test_a_token_is_had_anew_before_it_ends(room, named):
    """By the refresh: the one before is dead, and the new one lives its life."""
    now = 0.0
    who = LogIn(room.url, **named, clock=lambda: now)

    first = (await asyncio.to_thread(who.headers))[HEADER]
    now = 1100.0
    same = (await asyncio.to_thread(who.headers))[HEADER]
    now = 1141.0  # a minute before its end
    second = (await asyncio.to_thread(who.headers))[HEADER]

    assert first == same != second
    assert not await asyncio.to_thread(is_good, room.url, first)
    assert await asyncio.to_thread(is_good, room.url, second)


async def test_a_session_that_somebody_has_ended_is_begun_anew(room, named):
    """Once, by whichever of the threads comes first; no request is lost."""
    who = LogIn(room.url, **named)
    reader = Reader(room.url, who, workers=6)

    def ask(_: int) -> str:
        return reader.json(Request("v2/usermanagement/users/list", body={}))["list"][0]["id"]

    def story() -> list[str]:
        dead = who.headers()[HEADER]
        Reader(room.url, LogIn(room.url, token=dead)).answer(Request("v1/authentication/logout", body={}))
        with ThreadPoolExecutor(6) as pool:
            return list(pool.map(ask, range(24)))

    asked = await asyncio.to_thread(story)
    assert len(set(asked)) == 1
    assert len(asked) == 24


async def test_a_load_leaves_no_session_behind(room, named):
    """What was begun is ended behind it, and begun anew if asked for; a ready token is somebody else's."""
    who = LogIn(room.url, **named)

    first = (await asyncio.to_thread(who.headers))[HEADER]
    await asyncio.to_thread(end)
    assert not await asyncio.to_thread(is_good, room.url, first)

    second = (await asyncio.to_thread(who.headers))[HEADER]
    await asyncio.to_thread(LogIn(room.url, token=second).log_out)
    assert await asyncio.to_thread(is_good, room.url, second)


async def test_who_is_not_let_in_is_told_why(room, named):
    """In the server's own words, without the secret; a ready token that is dead is no reason to try on."""
    wrong = LogIn(room.url, username=named["username"], api_key="x" * 40)
    with pytest.raises(LogInRefused, match=r"does not let .* in: .*401") as refused:
        await asyncio.to_thread(wrong.headers)
    assert "x" * 40 not in str(refused.value)
    with pytest.raises(ReadFailed, match="401"):
        await asyncio.to_thread(Reader(room.url, LogIn(room.url, token="dead")).get, "v3/automations")


def test_somebody_must_be_named(monkeypatch):
    """A name alone is nobody; and what the shell has as API_KEY was not meant for this."""
    monkeypatch.setenv("API_KEY", "of-another")
    monkeypatch.setenv("BASE_URL", "http://elsewhere")
    monkeypatch.setenv("SOURCES__AUTOMATION360__USERNAME", "ada")
    with pytest.raises(NotConfigured, match="SOURCES__AUTOMATION360__BASE_URL"):
        automation360_source()
    with pytest.raises(NotConfigured, match="`api_key` or a `password`"):
        automation360_source("http://127.0.0.1:1")
    monkeypatch.setenv("SOURCES__AUTOMATION360__API_KEY", "of-this")
    assert "executions" in automation360_source("http://127.0.0.1:1").resources


def test_how_long_a_token_lives_is_told_by_itself():
    """Else by the answer, where it says more than nothing; else it is twenty minutes."""

    def token(**claims: int) -> str:
        return f"e30.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.sig"

    assert life_of(token(iat=100, exp=160)) == 60.0
    assert life_of(token(sub=1), "300") == 300.0
    assert life_of(token(exp=9), "0") == life_of("opaque") == life_of("a.b.c", "soon") == 1200.0
    assert address_of(" room.example/ ") == "https://room.example"
    assert address_of("http://127.0.0.1:8170/") == "http://127.0.0.1:8170"


# ------------------------------------------------------------------------------------------------------------- loads
class Tiresome:
    """A room behind something that ends each token after so many requests, says 429 now and then, and has v1 alone."""

    def __init__(self, app, *, requests: int, every: int) -> None:
        self._app = app
        self._requests = requests
        self._every = every
        self._of = Counter()
        self.answered = Counter()

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        self.answered["all"] += 1
        token = dict(scope["headers"]).get(b"x-authorization")
        self._of[token] += 1
        if scope["path"].startswith("/v2/authentication"):
            await self._refuse(send, 404)
        elif token and self._of[token] > self._requests:
            await self._refuse(send, 401)
        elif self.answered["all"] % self._every == 0:
            await self._refuse(send, 429, (b"retry-after", b"0"))
        else:
            await self._app(scope, receive, send)

    async def _refuse(self, send, status: int, *headers) -> None:
        self.answered[status] += 1
        told = [(b"content-type", b"application/json"), *headers]
        await send({"type": "http.response.start", "status": status, "headers": told})
        await send({"type": "http.response.body", "body": b'{"code": "X", "message": "tiresome"}'})


@pytest.mark.matrix
async def test_a_load_goes_through_ending_tokens_and_429s(room, root, named, bot, device, loading):  # noqa: F811
    """Also of children that are asked for side by side: each row is there once, and no page is lost."""
    for _ in range(3):
        await root.post(DEPLOY, deploying(bot, root))
    tiresome = Tiresome(asgi(room.room), requests=9, every=7)
    async with serving(tiresome) as url:
        source = partial(automation360_source, url, **named, workers=4)
        report = await loading.run(source, "roles", "executions", "deployments", "users", "automation_details")

    roles = await every(root, "/v2/usermanagement/roles/list")
    executions = await every(root, "/v3/activity/list")
    assert sorted(each["id"] for each in loading.rows("roles")) == sorted(int(each["id"]) for each in roles)
    assert {each["id"] for each in loading.rows("executions")} == {each["id"] for each in executions}
    assert report.rows["deployments"] == len({each["deploymentId"] for each in executions})
    assert report.rows["role_permissions"] == len(loading.rows("role_permissions")) > len(roles)
    assert tiresome.answered[429] > 1 < tiresome.answered[401]
