"""Mail becomes work items: by a real SMTP server, from the standard library's client, read by the vendor's library."""

import asyncio
import contextlib
import os
import smtplib
import socket
import sys
from email.message import EmailMessage
from email.policy import SMTP

import pytest

pytest.importorskip("aiosmtpd", reason="the extra `mail` is not installed")

from controlroom.app import receive_mail
from controlroom.engine.triggers import emails


@pytest.fixture
async def smtp(room):
    """The port of a receiver of the room."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = await receive_mail(room.room, listening)
    yield listening.getsockname()[1]
    server.close()


@pytest.fixture
async def address(ada, process) -> str:
    """The process's address."""
    return (await ada.post(f"/processes/{process}/email-trigger"))["address"]


def letter(to: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Ben Miller <ben@example.com>"
    message["To"] = f"Invoices <{to}>, other@example.com"
    message["Cc"] = "carl@example.com"
    message["Subject"] = "Rechnung für März"
    message["Date"] = "Tue, 03 Mar 2026 10:00:00 +0100"
    message["Message-ID"] = "<1@example.com>"
    message["Reply-To"] = "desk@example.com"
    message.set_content("Plain text, grüße")
    message.add_alternative("<p>Hypertext</p>", subtype="html")
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="invoice.pdf")
    message.add_attachment(b"%PDF2", maintype="application", subtype="pdf", filename="../../invoice.pdf")
    return message


async def send(port: int, to: list[str], content: bytes) -> dict:
    def talk() -> dict:
        with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
            return client.sendmail("ben@example.com", to, content)

    return await asyncio.to_thread(talk)


async def refusal(port: int, to: str, content: bytes = b"Subject: x\r\n\r\nx") -> int:
    with pytest.raises(smtplib.SMTPException) as refused:
        await send(port, [to], content)
    error = refused.value
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return next(iter(error.recipients.values()))[0]
    assert isinstance(error, smtplib.SMTPResponseException)
    return error.smtp_code


async def only_item(ada) -> dict:
    [row] = await ada.every("/work-items")
    return await ada.get(f"/work-items/{row['id']}")


async def test_a_mail_that_takes_too_long_to_read_is_kept_as_it_came(ada, smtp, address, monkeypatch):
    """A hundred thousand addresses: a failed mail with the raw one beside it; the receiver goes on meanwhile."""
    monkeypatch.setattr(emails, "_SECONDS", 0.02)

    await send(smtp, [address], b"To: %b\r\n\r\nx" % b",\r\n ".join([b"<a@b.c>"] * 100_000))

    item = await only_item(ada)
    assert item["payload"]["errors"] == [{"message": "The mail takes too long to read; it is kept as it came"}]
    assert [file["name"] for file in item["files"]] == ["__raw_mail"]


async def test_a_mail_starts_the_process_with_what_it_says(ada, smtp, address):
    """One item with the fields, the text, and as files the hypertext, the raw mail and the attachments; one run."""
    await send(smtp, [address.upper()], letter(address).as_bytes(policy=SMTP))

    item = await only_item(ada)
    email = item["payload"]["email"]
    assert email["from"] == {"name": "Ben Miller", "address": "ben@example.com"}
    assert [one["address"] for one in email["to"]] == [address, "other@example.com"]
    assert email["cc"] == [{"name": "", "address": "carl@example.com"}]
    assert (email["bcc"], email["subject"]) == ([], "Rechnung für März")
    assert email["date"] == "2026-03-03T10:00:00+01:00"
    assert (email["replyTo"]["address"], email["messageId"]) == ("desk@example.com", "<1@example.com>")
    assert email["text"].strip() == "Plain text, grüße"
    assert sorted(file["name"] for file in item["files"]) == [
        "__mail.html",
        "__raw_mail",
        "invoice (2).pdf",
        "invoice.pdf",
    ]
    [run] = await ada.every("/process-runs")
    assert run["started_by"] == {"type": "email", "details": None}


async def test_the_same_bytes_again_are_the_same_item(ada, smtp, address):
    """A server that has not got our answer sends again; nothing is doubled."""
    content = letter(address).as_bytes(policy=SMTP)

    await send(smtp, [address], content)
    await send(smtp, [address], content)

    assert len(await ada.every("/work-items")) == 1


async def test_mail_may_wait_unparsed(ada, smtp, process, address):
    """With both options off, the item has the raw mail and waits in the input queue."""
    await ada.post(f"/processes/{process}/email-trigger", {"parse_email": False, "start_process": False})

    await send(smtp, [address], letter(address).as_bytes(policy=SMTP))

    item = await only_item(ada)
    assert (item["state"], [file["name"] for file in item["files"]]) == ("new", ["__raw_mail"])
    assert await ada.every("/process-runs") == []


async def test_a_process_that_cannot_start_keeps_its_mail(ada, smtp, process, address):
    """Disabled, it lets mail wait in its input queue."""
    await ada.post(f"/processes/{process}", {"enabled": False})

    await send(smtp, [address], letter(address).as_bytes(policy=SMTP))

    assert (await only_item(ada))["state"] == "new"


@pytest.mark.parametrize(
    "content",
    [
        b"no header at all",
        b"\xff\xfe\x00broken",
        b"From: a@b.c\r\nContent-Type: multipart/mixed\r\n\r\nno boundary",
        b"From: a@b.c\r\nContent-Type: application/pdf; name=x\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!!A",
    ],
)
async def test_what_cannot_be_read_becomes_a_failed_email(ada, smtp, address, content):
    """Never lost: what could be read, what could not, and the raw mail."""
    await send(smtp, [address], content)

    item = await only_item(ada)
    assert set(item["payload"]["failedEmail"]) >= {"from", "to", "cc", "bcc", "subject", "date"}
    assert all(error["message"] for error in item["payload"]["errors"])
    assert "__raw_mail" in [file["name"] for file in item["files"]]


async def test_unknown_addresses_are_refused(ada, smtp, process, address):
    """Another domain, another name, a rotated address, and one that is switched off."""
    local, _, domain = address.partition("@")
    new = (await ada.post(f"/processes/{process}/email-trigger/rotate"))["address"]

    codes = [await refusal(smtp, each) for each in (f"{local}@example.com", f"nobody@{domain}", address)]
    await ada.post(f"/processes/{process}/email-trigger", {"enabled": False})
    codes.append(await refusal(smtp, new))

    assert codes == [550] * 4
    assert await ada.every("/work-items") == []


async def test_the_addresses_of_a_workspace_are_listed(ada, cleo, process, address):
    """Each with its process; another workspace's are not among them."""
    [listed] = await ada.every("/email-triggers")

    assert (listed["process_id"], listed["address"]) == (str(process), address)
    assert await cleo.every("/email-triggers") == []


async def test_a_mail_beyond_the_limit_is_refused(ada, smtp, address, room):
    """552 with the limit told before, and nothing is kept."""
    limit = room.engine.limits.mail_bytes

    assert await refusal(smtp, address, b"Subject: x\r\n\r\n" + b"x" * 998 + b"\r\n" * (limit // 2)) == 552
    assert await ada.every("/work-items") == []


async def test_while_the_room_is_away_mail_stays_where_it_is(ada, smtp, address, room):
    """451: the server that brings it tries again, and nothing is lost."""
    database = room.engine.database
    # As for a database that is away: the statement that finds the address fails.
    await database.execute("alter table email_trigger rename to email_trigger_away")
    try:
        assert await refusal(smtp, address) == 451
    finally:
        await database.execute("alter table email_trigger_away rename to email_trigger")

    await send(smtp, [address], letter(address).as_bytes(policy=SMTP))
    assert len(await ada.every("/work-items")) == 1


async def test_the_vendors_library_reads_the_mail(ada, smtp, address, walt, room, tmp_path):
    """`item.email()` of `robocorp-workitems`, unmodified, gives fields, text and hypertext."""
    pytest.importorskip("robocorp.workitems", reason="robocorp-workitems is not installed")
    await send(smtp, [address], letter(address).as_bytes(policy=SMTP))
    assignment = await walt.take()

    script = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from robocorp import workitems\n"
        "mail = workitems.inputs.current.email()\n"
        "print(mail.from_.address, mail.subject, mail.html.strip(), mail.date.isoformat(), mail.text.strip(), sep='|')",
        cwd=tmp_path,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONIOENCODING": "utf-8",
            "RC_WORKSPACE_ID": str(assignment.workspace_id),
            "RC_PROCESS_ID": str(assignment.process_id),
            "RC_PROCESS_RUN_ID": str(assignment.run_id),
            "RC_ACTIVITY_RUN_ID": str(assignment.step_run_id),
            "RC_WORKITEM_ID": str(assignment.work_item_id),
            "RC_API_WORKITEM_HOST": room.url,
            "RC_API_WORKITEM_TOKEN": assignment.token,
            "RC_API_PROCESS_HOST": room.url,
            "RC_API_PROCESS_TOKEN": assignment.token,
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await script.communicate()

    assert script.returncode == 0, said.decode()
    assert said.decode().strip() == (
        "ben@example.com|Rechnung für März|<p>Hypertext</p>|2026-03-03T10:00:00+01:00|Plain text, grüße"
    )


class Line:
    """A connection that speaks by hand."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    async def says(self, *commands: str) -> list[int]:
        """The statuses of the answers."""
        statuses = []
        for command in commands:
            self.writer.write(command.encode() + b"\r\n")
            while (line := await self.reader.readline())[3:4] == b"-":
                pass
            statuses.append(int(line[:3]))
        return statuses


@pytest.fixture
async def call(smtp):
    """Connects from an address."""
    lines = []

    async def connect(source: str = "127.0.0.1") -> Line:
        line = Line(*await asyncio.open_connection("127.0.0.1", smtp, local_addr=(source, 0)))
        lines.append(line)
        assert (await line.reader.readline()).startswith(b"220 ")
        return line

    yield connect
    for line in lines:
        line.writer.transport.abort()


async def test_few_bring_a_mail_at_once(call, room, address):
    """The next is told to try again, and is taken once one is through or has gone."""
    naming = ("EHLO there", "MAIL FROM:<ben@example.com>", f"RCPT TO:<{address}>")
    bringing = [await call() for _ in range(room.engine.limits.mails_at_once)]
    for line in bringing:
        assert await line.says(*naming) == [250] * 3
    late = await call()
    assert await late.says(*naming) == [250, 250, 451]
    assert await bringing[0].says(f"RCPT TO:<{address}>") == [250]

    assert await bringing[0].says("RSET") == [250]
    assert await late.says(f"RCPT TO:<{address}>", "DATA", "Subject: x\r\n\r\nx\r\n.") == [250, 354, 250]
    assert await bringing[0].says(*naming[1:]) == [250, 250]


async def test_a_mail_without_an_end_ends(call, room, address):
    """A line that never ends is not kept in memory for as long as it comes."""
    line = await call()
    await line.says("EHLO there", "MAIL FROM:<ben@example.com>", f"RCPT TO:<{address}>", "DATA")
    with pytest.raises(ConnectionError):
        await _send_for_ever(line)


async def _send_for_ever(line: Line) -> None:
    while True:
        line.writer.write(b"a" * 100_000)
        await line.writer.drain()


async def test_strangers_who_name_nobody_make_way(call, room):
    """As over HTTP: those of one address that have waited longest."""
    most = room.engine.limits.stranger_connections_per_address
    lines = [await call("127.0.0.5") for _ in range(most + 3)]
    for line in lines[:3]:
        with contextlib.suppress(ConnectionError):
            assert await line.reader.read() == b""
    assert await lines[-1].says("NOOP") == [250]
