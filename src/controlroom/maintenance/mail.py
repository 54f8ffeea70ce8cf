"""Hands mail in at the operator's mail server (`smtp_url`).

The guard of outgoing requests does not judge this address: the operator alone can name it.
"""

import asyncio
import smtplib
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final
from urllib.parse import unquote, urlsplit
from uuid import UUID

from msgspec import Struct

from controlroom import trust
from controlroom.engine.deliveries.model import NotSent, Outcome, Sent
from controlroom.errors import Invalid
from controlroom.mail.writing import AddressError, Envelope, Letter, sender_of, written

_SECONDS: Final = 20.0
_PERMANENT: Final = range(500, 600)


class Encryption(StrEnum):
    """How the connection to the mail server is encrypted, by the scheme of its address."""

    WHERE_OFFERED = "smtp"
    STARTTLS = "smtp+starttls"
    FROM_THE_START = "smtps"


_PORTS: Final = {Encryption.WHERE_OFFERED: 587, Encryption.STARTTLS: 587, Encryption.FROM_THE_START: 465}


class MailServer(Struct, frozen=True, kw_only=True):
    """Where mail is handed in, and as whom. Prints without its password."""

    host: str
    port: int
    encryption: Encryption
    user: str
    password: str
    sender: str

    def __repr__(self) -> str:
        return f"MailServer({self.encryption}://{self.host}:{self.port}, sender={self.sender!r})"

    async def send(self, message: UUID, recipients: list[str], subject: str, text: str) -> Outcome:
        """Hand in one mail for all recipients. Takes a thread for as long as the server talks."""
        letter = Letter(
            sender=self.sender,
            recipients=recipients,
            subject=subject,
            text=text,
            message_id=str(message),
            sent=datetime.now(UTC),
        )
        try:
            return await asyncio.to_thread(self._hand_in, written(letter))
        except AddressError as wrong:
            return NotSent(f"{wrong} is no address of mail.", is_final=True)
        except smtplib.SMTPRecipientsRefused as refused:
            code, said = next(iter(refused.recipients.values()))
            return _failed(code, said)
        except smtplib.SMTPResponseException as refused:
            return _failed(refused.smtp_code, refused.smtp_error)
        except (OSError, smtplib.SMTPException) as failed:
            return NotSent(f"The mail server {self.host}:{self.port} did not take it: {failed}")

    def _hand_in(self, mail: Envelope) -> Outcome:
        context = trust.context()
        smtp: smtplib.SMTP
        if self.encryption is Encryption.FROM_THE_START:
            smtp = smtplib.SMTP_SSL(self.host, self.port, timeout=_SECONDS, context=context)
        else:
            smtp = smtplib.SMTP(self.host, self.port, timeout=_SECONDS)
        with smtp:
            smtp.ehlo_or_helo_if_needed()
            if self.encryption is Encryption.STARTTLS or (
                self.encryption is Encryption.WHERE_OFFERED and smtp.has_extn("starttls")
            ):
                smtp.starttls(context=context)
            if self.user:
                smtp.login(self.user, self.password)
            if mail.is_international and not smtp.has_extn("smtputf8"):
                return NotSent("The mail server knows no addresses beyond ASCII (SMTPUTF8).", is_final=True)
            options = ("SMTPUTF8", "BODY=8BITMIME") if mail.is_international else ()
            refused = smtp.sendmail(mail.sender, mail.recipients, mail.content, mail_options=options)
        answer = "; ".join(f"{who}: {code} {_text(said)}" for who, (code, said) in refused.items())
        return Sent(250, answer)  # some got it: sending again would reach those twice, and the others no sooner


def mail_server(url: str | None, sender: str) -> MailServer | None:
    """The mail server of an address, if there is one; raises Invalid `SETTINGS`."""
    if url is None:
        return None
    parts = urlsplit(url)
    try:
        encryption, port = Encryption(parts.scheme), parts.port
    except ValueError as wrong:
        raise Invalid(f"smtp_url is no address of a mail server: {wrong}", code="SETTINGS") from wrong
    if not parts.hostname:
        raise Invalid("smtp_url names no host", code="SETTINGS")
    try:
        sender_of(sender)
    except AddressError as wrong:
        raise Invalid(f"mail_from is no address of mail: {sender!r}", code="SETTINGS") from wrong
    return MailServer(
        host=parts.hostname,
        port=port or _PORTS[encryption],
        encryption=encryption,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        sender=sender,
    )


def _failed(code: int, said: bytes | str) -> NotSent:
    text = _text(said)
    return NotSent(f"The mail server refused it: {code} {text}", code, text, is_final=code in _PERMANENT)


def _text(said: bytes | str) -> str:
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else said
