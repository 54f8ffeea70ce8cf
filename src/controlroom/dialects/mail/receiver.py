"""Mail that comes to a process's address (protocols/robocorp §9.3), by SMTP (RFC 5321), as the last server of its way.

A mail is answered 250 only when it is a committed work item of every process that it is for; whatever stands in the way
of that is answered 451, upon which the server that brings it tries again. The same bytes again are the same item.
"""

import asyncio
import ssl
from collections.abc import Callable

import structlog
from aiosmtpd.smtp import Envelope, Session

from controlroom.border.strangers import Strangers
from controlroom.dialects.mail.connection import Connection
from controlroom.engine.engine import Engine
from controlroom.engine.triggers import emails
from controlroom.engine.triggers.errors import NoSuchAddress
from controlroom.engine.triggers.model import EmailTrigger
from controlroom.errors import ControlRoomError

log = structlog.get_logger("controlroom.mail")

_ACCEPTED = "250 2.1.5 The process takes mail"
_KEPT = "250 2.0.0 The mail is kept"
_UNKNOWN = "550 5.1.1 There is no process at this address"
_LATER = "451 4.3.0 The room cannot take mail now: try again"
_BUSY = "451 4.3.2 Too many mails are being taken: try again"
_TOO_MANY = "452 4.5.3 Too many recipients"

_MOST_RECIPIENTS = 100  # RFC 5321 §4.5.3.1.8 asks for at least so many
_AT_ONCE = 4  # Why: a mail being read takes several times its size of memory, and a core


class Receiver:
    """What the SMTP server asks: whether somebody is at an address, and to keep a mail."""

    def __init__(self, engine: Engine, domain: str) -> None:
        self._engine = engine
        self._domain = domain.lower()
        self._reading = asyncio.Semaphore(_AT_ONCE)

    async def handle_RCPT(  # noqa: N802 - the server's name for it
        self,
        server: Connection,
        session: Session,  # noqa: ARG002 - the server's signature
        envelope: Envelope,
        address: str,
        rcpt_options: list[str],  # noqa: ARG002 - likewise
    ) -> str:
        """Take a recipient whose process takes mail."""
        if len(envelope.rcpt_tos) >= _MOST_RECIPIENTS:
            return _TOO_MANY
        try:
            await self._process_at(address)
        except NoSuchAddress:
            return _UNKNOWN
        except Exception:  # the edge of a connection
            log.exception("mail cannot be taken")
            return _LATER
        if not server.may_bring():
            return _BUSY
        envelope.rcpt_tos.append(address)
        return _ACCEPTED

    async def handle_DATA(self, server: Connection, session: Session, envelope: Envelope) -> str:  # noqa: ARG002, N802 - see above
        """Keep the mail for every recipient; 250 once all of it is committed."""
        server.is_at_work = True
        try:
            return await self._keep_for_all(envelope)
        finally:
            server.is_at_work = False

    async def _keep_for_all(self, envelope: Envelope) -> str:
        raw = envelope.content
        if not isinstance(raw, bytes):  # the server was told to decode nothing
            return _LATER
        try:
            async with self._reading:
                for address in dict.fromkeys(address.lower() for address in envelope.rcpt_tos):
                    await self._keep(address, raw)
        except ControlRoomError as refused:
            log.warning("mail cannot be kept", reason=str(refused), code=refused.code)
            return _LATER
        except Exception:  # the edge of a connection
            log.exception("mail cannot be kept")
            return _LATER
        return _KEPT

    async def handle_exception(self, error: Exception) -> str:
        """Whatever else goes wrong: the mail is not lost, it stays with who brings it."""
        log.error("mail connection failed", exc_info=error)
        return _LATER

    async def _keep(self, address: str, raw: bytes) -> None:
        try:
            received = await emails.receive(self._engine, await self._process_at(address), raw)
        except NoSuchAddress:  # taken away since the recipient was named; others may yet get it
            log.warning("mail for an address that has gone")
            return
        log.info(
            "mail received",
            item=str(received.item),
            run=None if received.run is None else str(received.run),
            is_read=received.is_read,
            bytes=len(raw),
        )

    async def _process_at(self, address: str) -> EmailTrigger:
        local, _, domain = address.rpartition("@")
        if domain.lower() != self._domain:
            raise NoSuchAddress
        return await emails.at(self._engine, local)


def protocol(engine: Engine, domain: str, *, tls: ssl.SSLContext | None = None) -> Callable[[], Connection]:
    """Makes the protocol of a connection; with `tls`, STARTTLS is offered."""
    receiver, strangers, bringing = Receiver(engine, domain), Strangers(engine.limits), set[Connection]()

    def connection() -> Connection:
        return Connection(receiver, strangers=strangers, bringing=bringing, tls=tls, hostname=domain)

    return connection
