"""A robot at work: what its worker gave it, and its own libraries, unmodified, in a process of their own.

And people who log in, in place of keys.
"""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from uuid import uuid4

import httpx2
import pytest

from controlroom.engine.access.passwords import hash_password
from controlroom.engine.access.roles.model import ADMIN
from controlroom.protocol import Assignment

Play = Callable[..., Awaitable[str]]
PASSWORD = "correct horse battery"
API = "/api/v1"


@pytest.fixture
async def assignment(ada, process, walt) -> Assignment:
    """What walt was given for a robot of ada's workspace."""
    await ada.post(f"/processes/{process}/process-runs")
    return await walt.take()


@pytest.fixture
def play(room) -> Play:
    """Runs a script with the variables that a worker gives a robot, and further ones; what it prints.

    The test fails if the script does.
    """

    async def run(assignment: Assignment, script: str, **variables: str) -> str:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            script,
            env={
                "RC_WORKSPACE_ID": str(assignment.workspace_id),
                "RC_API_SECRET_HOST": room.url,
                "RC_API_SECRET_TOKEN": assignment.token,
                "NO_PROXY": "127.0.0.1",
                "PATH": os.environ["PATH"],
                **variables,
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output = (await process.communicate())[0].decode()
        assert process.returncode == 0, output
        return output

    return run


class Login:
    """A person's client while they are logged in."""

    def __init__(self, http: httpx2.AsyncClient, answer: dict) -> None:
        self.answer = answer
        self.headers = {"Authorization": f"Bearer {answer['token']}"}
        self._http = http

    async def call(self, method: str, path: str, **options) -> httpx2.Response:
        return await self._http.request(method, API + path, headers=self.headers, **options)


@pytest.fixture
def log_in(stranger):
    """Logs somebody in."""

    async def enter(username: str, password: str = PASSWORD) -> Login:
        answer = await stranger.post(f"{API}/login", json={"username": username, "password": password})
        assert answer.status_code == 200, answer.text
        return Login(stranger, answer.json())

    return enter


@pytest.fixture
async def root(room, log_in) -> Login:
    """An admin of the organization, without a place in any workspace."""
    name = f"root-{uuid4()}"
    await room.engine.database.execute(
        """
        with root as (
            insert into app_user (id, organization_id, username, password_hash)
            values (%(id)s, %(organization)s, %(name)s, %(hash)s)
        )
        insert into access_grant (id, organization_id, user_id, role_id)
        values (%(id)s, %(organization)s, %(id)s, %(admin)s)
        """,
        id=uuid4(),
        organization=room.organization,
        name=name,
        hash=await hash_password(PASSWORD),
        admin=ADMIN,
    )
    return await log_in(name)
