"""`controlroom mail` as a process."""

import asyncio
import os
import re
import signal
import smtplib
import sys
from contextlib import asynccontextmanager
from email.message import EmailMessage

import pytest

from rooms import Room, until

pytest.importorskip("aiosmtpd", reason="the extra `mail` is not installed")

ROBOT = "tasks:\n  Go:\n    shell: python3 go.py\nartifactsDir: output\n"


async def start(tmp_path, *options: str, **variables: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "controlroom", "mail", "--port", "0", *options),
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "CONTROLROOM_DATA": str(tmp_path / "data"), **variables},
        stderr=asyncio.subprocess.PIPE,
    )


@asynccontextmanager
async def receiving(tmp_path, *options: str, warnings: list[str] | None = None, **variables: str):
    """A receiver and the port where it takes mail; it is told to end, and ends cleanly. What it warns of is kept."""
    receiver = await start(tmp_path, *options, **variables)
    assert receiver.stderr is not None
    said = b""
    while (found := re.search(rb"taken at 127\.0\.0\.1:(\d+)", said)) is None:
        line = await receiver.stderr.readline()
        assert line, said.decode()
        said += line
    if warnings is not None:
        warnings += [line for line in said.decode().splitlines() if line.startswith("warning:")]
    reading = asyncio.create_task(receiver.stderr.read())  # what it says further must not fill the pipe
    try:
        yield int(found[1])
    finally:
        receiver.send_signal(signal.SIGTERM)
        await reading
        assert await receiver.wait() == 0


def sent(port: int, address: str, subject: str) -> int:
    """Bring a mail, as a mail server does; the answer's code."""
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = "ben@example.com", address, subject
    letter.set_content("See above.")
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
        try:
            client.send_message(letter)
        except smtplib.SMTPRecipientsRefused as refused:
            [(code, _)] = refused.recipients.values()
            return code
        except smtplib.SMTPResponseException as refused:
            return refused.smtp_code
    return 250


async def test_it_takes_mail_until_it_is_told_to_end(new_database, tmp_path):
    """It says where it listens, refuses who is not there, and SIGTERM ends it cleanly."""
    shared = {
        "CONTROLROOM_DATABASE_URL": await new_database(),
        "CONTROLROOM_OBJECTS_URL": f"file://{tmp_path}/objects",
        "CONTROLROOM_MAIL_DOMAIN": "mail.example.com",
    }
    async with receiving(tmp_path, **shared) as port:
        assert await asyncio.to_thread(sent, port, "nobody@mail.example.com", "Hello") == 550


@pytest.fixture
def started(tmp_path):
    """Starts a room in one data folder, and again."""
    rooms = []

    def start() -> Room:
        rooms.append(Room(tmp_path / "data", "--no-worker"))
        return rooms[-1].wait_until_ready()

    yield start
    for each in reversed(rooms):
        each.kill()


@pytest.mark.matrix
async def test_it_joins_the_room_of_this_machine(started, tmp_path):
    """Mail becomes a work item of the room that `up` runs; while that rests, mail is to come again and is not lost."""
    (tmp_path / "robot").mkdir()
    (tmp_path / "robot" / "robot.yaml").write_text(ROBOT)
    running = started()
    running.cli("push", tmp_path / "robot", "--name", "robot")
    running.cli("process", "create", "Inbox", "--step", "one=robot:Go")
    address = running.cli("triggers", "set", "Inbox", "--no-start").stdout.strip()

    async with receiving(tmp_path, "--data", str(running.data)) as port:
        first = await asyncio.to_thread(sent, port, address, "The first")
        [item] = running.get("/work-items")["data"]
        running.stop()
        resting = await asyncio.to_thread(sent, port, address, "The second")
        again = started()
        await asyncio.to_thread(until, lambda: sent(port, address, "The second") == 250, "mail is taken again")
        items = again.get("/work-items")["data"]

    assert (first, resting, len(items)) == (250, 451, 2)
    payload = again.json("items", "show", item["id"])["payload"]
    assert payload["email"]["subject"] == "The first"


@pytest.mark.matrix
async def test_it_warns_where_its_settings_are_not_the_rooms(started, tmp_path):
    """Each by its variable, secrets without their values; with the room's own it says nothing."""
    running = started()
    warnings: list[str] = []
    different = {
        "CONTROLROOM_MAIL_DOMAIN": "mail.example.com",
        "CONTROLROOM_LIMITS_MAIL_BYTES": "1000000",
        "CONTROLROOM_SMTP_URL": "smtp://room:swordfish@mail.example.com",
        "CONTROLROOM_LOG_FORMAT": "json",
    }
    async with receiving(tmp_path, "--data", str(running.data), warnings=warnings, **different):
        pass
    told = "\n".join(sorted(warnings))
    assert told.count("warning:") == 3
    assert 'CONTROLROOM_MAIL_DOMAIN is "mail.example.com" here, and "localhost" in the room' in told
    assert "CONTROLROOM_LIMITS_MAIL_BYTES is 1000000 here, and 41943040" in told
    assert "CONTROLROOM_SMTP_URL is not what the room" in told
    assert "swordfish" not in told

    same: list[str] = []
    async with receiving(tmp_path, "--data", str(running.data), warnings=same):
        pass
    assert same == []


async def test_it_says_what_it_needs(tmp_path):
    """Without the room's database there is nowhere to keep mail; a room that rests is not started by it."""
    receiver = await start(tmp_path)
    _, said = await receiver.communicate()

    assert receiver.returncode == 1
    assert all(words in said for words in (b"no room runs in", b"controlroom up", b"CONTROLROOM_DATABASE_URL"))
    assert not (tmp_path / "data").exists()
