"""`controlroom mail` as a process."""

import asyncio
import os
import re
import signal
import smtplib
import sys

import pytest

pytest.importorskip("aiosmtpd", reason="the extra `mail` is not installed")


async def start(tmp_path, **variables: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "controlroom",
        "mail",
        "--port",
        "0",
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "CONTROLROOM_DATA": str(tmp_path / "data"), **variables},
        stderr=asyncio.subprocess.PIPE,
    )


async def test_it_takes_mail_until_it_is_told_to_end(new_database, tmp_path):
    """It says where it listens, refuses who is not there, and SIGTERM ends it cleanly."""
    receiver = await start(
        tmp_path,
        CONTROLROOM_DATABASE_URL=await new_database(),
        CONTROLROOM_OBJECTS_URL=f"file://{tmp_path}/objects",
        CONTROLROOM_MAIL_DOMAIN="mail.example.com",
    )
    assert receiver.stderr is not None
    said = b""
    while (found := re.search(rb"taken at 127\.0\.0\.1:(\d+)", said)) is None:
        line = await receiver.stderr.readline()
        assert line, said.decode()
        said += line

    def talk() -> int:
        with smtplib.SMTP("127.0.0.1", int(found[1]), timeout=30) as client:
            client.ehlo()
            client.mail("ben@example.com")
            return client.rcpt("nobody@mail.example.com")[0]

    assert await asyncio.to_thread(talk) == 550
    receiver.send_signal(signal.SIGTERM)
    await receiver.communicate()
    assert receiver.returncode == 0


async def test_it_says_what_it_needs(tmp_path):
    """Without the room's database there is nowhere to keep mail."""
    receiver = await start(tmp_path)
    _, said = await receiver.communicate()

    assert receiver.returncode == 1
    assert b"CONTROLROOM_DATABASE_URL" in said
