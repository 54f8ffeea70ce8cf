"""How each kind of delivery is sent: by which protocol, signed by what, and which refusals are final."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec
from msgspec import Struct

from controlroom.engine.access.scope import Room
from controlroom.engine.deliveries.model import Claimed, DeliveryKind, NotSent, Outcome, Sent
from controlroom.engine.deliveries.rules import pause_asked
from controlroom.engine.engine import Engine
from controlroom.engine.notifications.model import Mail
from controlroom.engine.notifications.store import place_of as place_of_notification
from controlroom.engine.provisioners import requests
from controlroom.engine.provisioners.model import STOP_EVENT
from controlroom.engine.provisioners.requests import OrderGrammar
from controlroom.engine.runs.callbacks import headers_place, secret_place
from controlroom.engine.webhooks.store import place_of as place_of_webhook
from controlroom.errors import Unavailable
from controlroom.ids import NotificationId, RunId, WebhookId
from controlroom.maintenance.deliverer import Send
from controlroom.maintenance.mail import MailServer
from controlroom.maintenance.transfers import Hand
from controlroom.outgoing import Outgoing, OutgoingRefused

_SHOWN: Final = 2000
"""Characters of an answer that the log keeps."""

_CHAT_IS_FINAL: Final = frozenset({400, 403, 404, 410})
"""The message is wrong, or the address was revoked: sending again cannot mend it."""

_GONE: Final = 410
_JSON: Final = {"content-type": "application/json"}
_NO_HEADERS: Final[Mapping[str, str]] = {}


class Outside(Struct, frozen=True):
    """How a server speaks to the world."""

    outgoing: Outgoing
    orders: OrderGrammar
    """In whose words provisioners are asked."""
    mail: MailServer | None = None
    """None: no mail is sent."""
    hand: Hand | None = None
    """How an archive is given to another room; None: none is."""


class Senders:
    """The senders of a server's deliverer."""

    def __init__(self, engine: Engine, outside: Outside) -> None:
        self._engine = engine
        self._outgoing = outside.outgoing
        self._mail = outside.mail
        self._orders = outside.orders

    @property
    def senders(self) -> Mapping[DeliveryKind, Send]:
        """The sender of each kind."""
        return {
            DeliveryKind.WEBHOOK: self._webhook,
            DeliveryKind.CALLBACK: self._callback,
            DeliveryKind.CHAT: self._chat,
            DeliveryKind.EMAIL: self._email,
            DeliveryKind.PROVISIONER: self._provisioner,
        }

    async def _webhook(self, delivery: Claimed) -> Outcome:
        return await self._signed(delivery, place_of_webhook(WebhookId(delivery.subscription_id)))

    async def _callback(self, delivery: Claimed) -> Outcome:
        run = RunId(delivery.subscription_id)
        asked = {}
        if delivery.sealed_headers is not None:
            written = self._engine.keys.unseal(delivery.sealed_headers, place=headers_place(run))
            asked = msgspec.json.decode(written, type=dict[str, str])
        outcome = await self._signed(delivery, secret_place(run), asked)
        if isinstance(outcome, NotSent) and outcome.is_gone:  # whoever asked for one call is not gone for good by that
            return msgspec.structs.replace(outcome, is_final=False, is_gone=False)
        return outcome

    async def _signed(self, delivery: Claimed, place: str, asked: Mapping[str, str] = _NO_HEADERS) -> Outcome:
        """Send what a grammar wrote, with its own headers, and beside them those that the receiver asked for."""
        secret = None if delivery.sealed is None else self._opened(delivery, place)
        own = self._engine.grammars[delivery.grammar].headers(
            delivery.body, message=delivery.message_id, secret=secret, at=datetime.now(UTC)
        )
        return await self._post(delivery.endpoint, delivery.body, {**asked, **_JSON, **own})

    async def _chat(self, delivery: Claimed) -> Outcome:
        endpoint = self._opened(delivery, place_of_notification(NotificationId(delivery.subscription_id)))
        return await self._post(endpoint, delivery.body, _JSON, final=_CHAT_IS_FINAL)

    async def _email(self, delivery: Claimed) -> Outcome:
        if self._mail is None:
            return NotSent("No mail server is set (smtp_url).", is_final=True)
        mail = msgspec.json.decode(delivery.body, type=Mail)
        return await self._mail.send(delivery.message_id, list(mail.recipients), mail.subject, mail.text)

    async def _provisioner(self, delivery: Claimed) -> Outcome:
        order = await requests.written_out(self._engine, Room(), delivery, self._orders, at=datetime.now(UTC))
        if order is None:
            return NotSent("What it asked for is over.", is_final=True)
        outcome = await self._post(delivery.endpoint, order.body, order.headers, final=self._orders.final_refusals)
        if delivery.event_kind == STOP_EVENT and outcome.status in self._orders.nothing_to_stop:
            return Sent(outcome.status, outcome.answer)
        return outcome

    def _opened(self, delivery: Claimed, place: str) -> str:
        return self._engine.keys.unseal(delivery.sealed or b"", place=place).decode()

    async def _post(
        self, endpoint: str, body: bytes, headers: Mapping[str, str], *, final: Collection[int] = ()
    ) -> Outcome:
        try:
            answer = await self._outgoing.request("POST", endpoint, headers=headers, content=body)
        except OutgoingRefused as refused:
            return NotSent(refused.message, is_final=True)
        except Unavailable as away:
            return NotSent(away.message)
        said = answer.body.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")[:_SHOWN]
        if answer.is_success:
            return Sent(answer.status, said)
        is_gone = answer.status == _GONE
        return NotSent(
            f"The receiver answered {answer.status}.",
            answer.status,
            said,
            is_final=is_gone or answer.status in final,
            is_gone=is_gone,
            retry_after=pause_asked(answer.headers.get("retry-after"), datetime.now(UTC)),
        )
