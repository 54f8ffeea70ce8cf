"""A robot at work: what its worker gave it, and its own libraries, unmodified, in a process of their own."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable

import pytest

from controlroom.protocol import Assignment

Play = Callable[..., Awaitable[str]]


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
