"""People are told how runs end: by mail, and by a chat."""

import asyncio
import email
from contextlib import asynccontextmanager
from email.policy import default

import pytest
from aiosmtpd.smtp import SMTP, AuthResult

from controlroom import tls
from controlroom.engine.access.model import Permission
from controlroom.engine.access.scope import scope_of
from controlroom.engine.deliveries.model import DeliveryState, NotSent, Sent
from controlroom.engine.notifications import actions as notifications
from controlroom.engine.notifications import store
from controlroom.engine.notifications.model import ByChat, ByEmail, NotificationEvent
from controlroom.engine.processes import actions as processes
from controlroom.engine.processes.model import ProcessChange
from controlroom.errors import Invalid
from controlroom.ids import uuid7
from controlroom.maintenance.mail import Encryption, mail_server
from controlroom.protocol import ErrorCode
from delivering import delivering, log_of, until

BOTH = (NotificationEvent.RUN_COMPLETED, NotificationEvent.RUN_UNRESOLVED)


class Box:
    """A mail server that keeps what it gets, from who knows the password."""

    def __init__(self):
        self.mails = []
        self.refuses = False
        self.logins = []

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802 - the library's name
        if self.refuses:
            return "550 no such person"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802 - likewise
        mail = email.message_from_bytes(envelope.content, policy=default)
        self.mails.append((envelope.rcpt_tos, mail))
        return "250 kept"

    def authenticate(self, _server, session, _envelope, _mechanism, data):
        self.logins.append("encrypted" if session.ssl else "in the open")
        return AuthResult(success=(data.login, data.password) == (b"room", b"sword/fish"))


@asynccontextmanager
async def serving(box, *, starttls=None, tls=None, **options):
    """The mail server on this machine: plain, offering STARTTLS, or speaking TLS from the start."""

    def connection():
        return SMTP(box, authenticator=box.authenticate, auth_required=True, tls_context=starttls, **options)

    server = await asyncio.get_running_loop().create_server(connection, "127.0.0.1", 0, ssl=tls)
    box.port = server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        server.close()


@pytest.fixture
async def box():
    """A mail server that knows no TLS."""
    async with serving(Box(), auth_require_tls=False) as box:
        yield box


@pytest.fixture
def certificate(tmp_path):
    """A certificate for this machine, by an authority that nobody trusts yet, as a mail server uses it."""
    return tls.context(*tls.certificate(tmp_path / "tls", ["127.0.0.1"]))


@pytest.fixture
def trusted(tmp_path, certificate, monkeypatch):
    """The same, by an authority that the room trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "tls" / "ca.pem"))
    return certificate


async def handed_in(scheme, box):
    """What comes of a mail that is handed in at the box."""
    url = f"{scheme}://room:sword%2Ffish@127.0.0.1:{box.port}"
    server = mail_server(url, "Control Room <room@example.com>")
    return await server.send(uuid7(), ["ada@example.com"], "Invoices", "It has ended.")


@pytest.fixture
async def by_mail(engine, box):
    """Delivers, with a mail server set."""
    url = f"smtp://room:sword%2Ffish@127.0.0.1:{box.port}"
    async with delivering(engine, mail=mail_server(url, "Control Room <room@example.com>")):
        yield


async def play(floor, process, error=None):
    walt = await floor.worker()
    run = await floor.start(process)
    assignment, robot = await walt.take()
    if error is None:
        await floor.drain(robot, assignment.work_item_id)
    await walt.finish(assignment, error)
    return await floor.run(run)


async def ended(engine, ada, workspace, notification):
    async def look():
        found = await log_of(engine, ada, workspace, notification)
        return [one for one in found if one.state is not DeliveryState.PENDING]

    return await until(look)


async def test_an_unresolved_run_is_mailed(by_mail, engine, ada, workspace, floor, box):
    """To all recipients in one mail, that says what failed and nothing of the items."""
    process = await floor.process({})
    way = ByEmail(("ada@example.com", "ben@example.com"))
    made = await notifications.create(engine, ada, workspace, process, way, BOTH)

    run = await play(floor, process, ErrorCode.ROBOT_FAILED)

    [delivery] = await ended(engine, ada, workspace, made.id)
    assert delivery.state is DeliveryState.DELIVERED, delivery.last_error
    [(recipients, mail)] = box.mails
    assert recipients == ["ada@example.com", "ben@example.com"]
    assert mail["Subject"] == f"Invoices: run {run.run_no} ended unresolved"
    assert mail["From"] == "Control Room <room@example.com>"
    text = mail.get_content()
    assert "1 of 1 work items failed." in text
    assert "ROBOT_FAILED" in text
    assert str(run.id) in text


@pytest.mark.parametrize(
    "name",
    [
        "=?utf-8?q?a=0D=0ABcc=3A_eve=40example=2Ecom=0D=0A=0D=0ABuy?=",
        "=?utf-8?b?DQpCY2M6IGV2ZUBleGFtcGxlLmNvbQ==?=",
        "Rechnungen für März, <ada@example.com>; (x)",
        "Bcc: eve@example.com",
        "x" * 255,
    ],
)
async def test_the_name_of_a_process_is_a_name_in_mail(by_mail, engine, ada, workspace, floor, box, name):
    """The subject says it as it was typed, no header comes of it, and nobody else gets the mail."""
    process = await floor.process({})
    await processes.update(engine, ada, workspace, process, ProcessChange(name=name))
    made = await notifications.create(engine, ada, workspace, process, ByEmail(("ada@example.com",)), BOTH)

    run = await play(floor, process)

    [delivery] = await ended(engine, ada, workspace, made.id)
    assert delivery.state is DeliveryState.DELIVERED, delivery.last_error
    [(recipients, mail)] = box.mails
    assert recipients == ["ada@example.com"]
    assert mail["Subject"] == f"{name}: run {run.run_no} completed"
    assert mail.get_content().startswith(f"{name}: run {run.run_no} completed.")
    assert (mail["Bcc"], mail["To"], len(mail.keys())) == (None, "ada@example.com", len(set(mail.keys())))


async def test_a_refused_recipient_is_given_up(by_mail, engine, ada, workspace, floor, box):
    """A mail server that says never is not asked again."""
    box.refuses = True
    process = await floor.process({})
    made = await notifications.create(engine, ada, workspace, process, ByEmail(("nobody@example.com",)), BOTH)

    await play(floor, process)

    [delivery] = await ended(engine, ada, workspace, made.id)
    assert (delivery.state, delivery.last_status) == (DeliveryState.FAILED, 550)
    assert "no such person" in delivery.last_error


async def test_without_a_mail_server_the_log_says_so(deliveries, engine, ada, workspace, floor):
    """Nothing waits for a day for what cannot come."""
    process = await floor.process({})
    made = await notifications.create(engine, ada, workspace, process, ByEmail(("ada@example.com",)), BOTH)

    await play(floor, process)

    [delivery] = await ended(engine, ada, workspace, made.id)
    assert (delivery.state, delivery.last_error) == (DeliveryState.FAILED, "No mail server is set (smtp_url).")


async def test_a_chat_is_told_in_slacks_form(deliveries, engine, ada, workspace, floor, receiver):
    """Of the ends that were asked for; its address is nowhere to be read, and a name calls nobody."""
    process = await floor.process({})
    await processes.update(engine, ada, workspace, process, ProcessChange(name="<!channel> & Co"))
    way = ByChat(receiver.url + "/T000/SECRET")
    made = await notifications.create(engine, ada, workspace, process, way, (NotificationEvent.RUN_COMPLETED,))

    run = await play(floor, process)

    [told] = await receiver.wait(1)
    assert told.path == "/hook/T000/SECRET"
    assert list(told.json) == ["text"]
    assert told.json["text"].startswith(f"&lt;!channel&gt; &amp; Co: run {run.run_no} completed.")
    [delivery] = await ended(engine, ada, workspace, made.id)
    assert "SECRET" not in repr(delivery)
    stored = await engine.database.value("select string_agg(sealed, '') from notification")
    assert b"SECRET" not in stored


async def test_a_chat_that_is_gone_is_told_no_more(deliveries, engine, ada, workspace, floor, receiver):
    """410 disables the notification, and says why."""
    receiver.reply = lambda _: 410
    process = await floor.process({})
    made = await notifications.create(engine, ada, workspace, process, ByChat(receiver.url), BOTH)

    await play(floor, process)

    async def disabled():
        found = await store.get(engine.database, scope_of(ada, Permission.READ_PROCESSES, workspace), made.id)
        return None if found.is_enabled else found

    assert "answered 410" in (await until(disabled)).disabled_reason
    again = await notifications.update(engine, ada, workspace, made.id, is_enabled=True)
    assert (again.is_enabled, again.disabled_reason) == (True, "")


@pytest.mark.parametrize("scheme", ["smtp", "smtp+starttls"])
async def test_mail_is_handed_in_by_starttls(trusted, scheme):
    """Where it is offered the password goes over an encrypted connection alone, whichever way the address asks for."""
    async with serving(Box(), starttls=trusted, require_starttls=True) as box:
        outcome = await handed_in(scheme, box)

    assert isinstance(outcome, Sent), outcome
    assert (len(box.mails), box.logins) == (1, ["encrypted"])


async def test_mail_is_handed_in_by_tls_from_the_start(trusted):
    """As servers at port 465 want it."""
    async with serving(Box(), tls=trusted, auth_require_tls=False) as box:
        outcome = await handed_in("smtps", box)

    assert isinstance(outcome, Sent), outcome
    assert len(box.mails) == 1


@pytest.mark.parametrize("scheme", ["smtp", "smtp+starttls", "smtps"])
async def test_a_mail_server_that_nobody_vouches_for_gets_no_password(certificate, scheme):
    """The reason is told, and another attempt may go better."""
    offered = {"tls": certificate} if scheme == "smtps" else {"starttls": certificate}
    async with serving(Box(), **offered) as box:
        outcome = await handed_in(scheme, box)

    assert isinstance(outcome, NotSent)
    assert "certificate" in outcome.error
    assert not outcome.is_final
    assert (box.mails, box.logins) == ([], [])


async def test_starttls_or_nothing_is_meant(box):
    """An address that asks for encryption gives no password to a server without it."""
    outcome = await handed_in("smtp+starttls", box)

    assert isinstance(outcome, NotSent)
    assert "STARTTLS" in outcome.error
    assert (box.mails, box.logins) == ([], [])


@pytest.mark.parametrize("url", ["http://mail:25", "smtp://", "mail.example.com", "smtp://host:port"])
def test_a_wrong_mail_server_is_told_at_start(url):
    """Before anything is delivered."""
    with pytest.raises(Invalid):
        mail_server(url, "room@example.com")


@pytest.mark.parametrize("sender", ["nobody", "a@b.c, d@e.f", "Room\r\nBcc: <a@b.c>", ""])
def test_a_wrong_sender_is_told_at_start(sender):
    """One address, with a name or without."""
    with pytest.raises(Invalid, match="mail_from"):
        mail_server("smtp://mail.example.com", sender)


@pytest.mark.parametrize(
    "recipient", ["ada@example.com\r\nBcc: eve@example.com", "a@b.c, d@e.f", "Ada <a@b.c>", "a:b@c.d"]
)
async def test_a_recipient_is_one_address(engine, ada, workspace, floor, recipient):
    """Nothing else is taken, so that nothing else can stand in a header."""
    process = await floor.process({})

    with pytest.raises(Invalid, match="no address of mail"):
        await notifications.create(engine, ada, workspace, process, ByEmail((recipient,)), BOTH)


async def test_an_address_beyond_ascii_needs_a_server_that_knows_them(box):
    """Others are told at once that they get nothing."""
    server = mail_server(f"smtp://room:sword%2Ffish@127.0.0.1:{box.port}", "room@example.com")
    outcome = await server.send(uuid7(), ["jürgen@example.com"], "Invoices", "It has ended.")

    assert isinstance(outcome, NotSent)
    assert (outcome.is_final, "SMTPUTF8" in outcome.error) == (True, True)


def test_a_mail_server_is_read_from_its_address():
    """Ports follow the encryption; the password is not printed."""
    server = mail_server("smtps://room:swordfish@mail.example.com", "room@example.com")

    assert (server.host, server.port, server.encryption) == ("mail.example.com", 465, Encryption.FROM_THE_START)
    assert "swordfish" not in repr(server)
    assert mail_server(None, "room@example.com") is None
