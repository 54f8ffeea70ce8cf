"""A connection that brings mail: a stranger's until it names somebody who is here, and one of few while it brings."""

import asyncio
from typing import Any, Final

from aiosmtpd.smtp import SMTP

from controlroom.border.strangers import Strangers

_STRANGER_SECONDS: Final = 60.0
"""In which a recipient must have been named; also how long a connection may rest between mails."""
_MAIL_SECONDS: Final = 600.0  # Why: RFC 5321 §4.5.3.2 wants minutes for each step; 40 MB in ten are 70 KB a second
_TIMES_TOO_LARGE: Final = 2
"""A mail that is too large is read and refused, so that it comes back to who wrote it; but not without an end."""


class Connection(SMTP):
    """Takes lines longer than the standard's 998 characters, which many programs write, and no server should lose."""

    line_length_limit = 1 << 20

    def __init__(
        self, handler: Any, *, strangers: Strangers, bringing: set["Connection"], tls: Any, hostname: str
    ) -> None:
        self._strangers = strangers
        self._bringing = bringing
        self._came = 0
        self.since = 0.0
        self.is_at_work = False
        """Whether a mail that has come is being kept."""
        super().__init__(
            handler,
            data_size_limit=strangers.limits.mail_bytes,
            enable_SMTPUTF8=True,
            hostname=hostname,
            ident="controlroom",
            tls_context=tls,
            loop=asyncio.get_running_loop(),
        )

    def may_bring(self) -> bool:
        """Whether there is room for one more that brings a mail, which then is this one."""
        if self not in self._bringing:
            if len(self._bringing) >= self._strangers.limits.mails_at_once:
                return False
            self._bringing.add(self)
            self._strangers.known(self)
            self.since = self.loop.time()
        return True

    def connection_made(self, transport: Any) -> None:
        """It begins, or begins anew behind STARTTLS."""
        super().connection_made(transport)
        if not self._strangers.come(self, self._place()):
            transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        """It has ended."""
        self._bringing.discard(self)
        self._strangers.gone(self)
        super().connection_lost(error)

    def data_received(self, data: bytes) -> None:
        """Something of a command or a mail."""
        self._came += len(data)
        if self._came > _TIMES_TOO_LARGE * self._strangers.limits.mail_bytes:
            self.make_way()
        else:
            super().data_received(data)

    def _set_post_data_state(self) -> None:
        """A mail is over, or was taken back."""
        super()._set_post_data_state()  # type: ignore[no-untyped-call]  # it has no types
        self._came = 0
        self.since = self.loop.time()
        if self in self._bringing:
            self._bringing.discard(self)
            self._strangers.count(self, self._place())

    # ------------------------------------------------------------------------------------------------ a guest's
    @property
    def waits(self) -> bool:
        """See `border.strangers.Guest`."""
        return not self.is_at_work

    def look(self, now: float) -> None:
        """Likewise."""
        longest = _MAIL_SECONDS if self in self._bringing else _STRANGER_SECONDS
        if not self.is_at_work and now - self.since > longest:
            self.make_way()

    def make_way(self) -> None:
        """Likewise."""
        if self.transport is not None:
            self.transport.abort()  # type: ignore[attr-defined]  # one that writes

    def _place(self) -> str:
        peer = self.session.peer if self.session is not None else None
        return str(peer[0]) if peer else ""
