"""What a provisioner is sent, written out when it is sent: the log keeps neither link tokens nor signatures.

The engine says what is wanted of whom; in which words, and how it is signed, is a grammar's matter.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Protocol

import msgspec
from msgspec import Struct

from controlroom.engine.access.scope import Room
from controlroom.engine.deliveries.model import Claimed
from controlroom.engine.engine import Engine
from controlroom.engine.provisioners import store
from controlroom.engine.provisioners.model import Order, Start, Stop
from controlroom.engine.workers import link_tokens
from controlroom.ids import ProvisionerId


class OrderGrammar(Protocol):
    """In whose words provisioners are asked."""

    final_refusals: Collection[int]
    """Answers after which asking again cannot mend it."""
    nothing_to_stop: Collection[int]
    """Answers to a `Stop` that has no meaning to a provisioner, because what it started ends by itself."""

    def start(self, order: Start, *, link_token: str, max_lifetime: timedelta | None) -> bytes:
        """The message for a worker that is wanted; it links itself by the token."""
        ...

    def stop(self, order: Stop) -> bytes:
        """The message for a worker that is not wanted any more."""
        ...

    def headers(self, endpoint: str, body: bytes, *, secret: str, at: datetime) -> Mapping[str, str]:
        """What is sent beside the body, the signature above all."""
        ...


class WrittenOut(Struct, frozen=True):
    """A request as it is sent."""

    body: bytes
    headers: Mapping[str, str]


async def written_out(
    engine: Engine, room: Room, delivery: Claimed, grammar: OrderGrammar, *, at: datetime
) -> WrittenOut | None:
    """The request of a delivery; None if nobody waits for that worker any more."""
    order = msgspec.json.decode(delivery.body, type=Order)
    body = await _body(engine, room, order, grammar)
    if body is None:
        return None
    place = store.place_of(ProvisionerId(delivery.subscription_id))
    secret = engine.keys.unseal(delivery.sealed or b"", place=place).decode()
    return WrittenOut(body, grammar.headers(delivery.endpoint, body, secret=secret, at=at))


async def _body(engine: Engine, room: Room, order: Order, grammar: OrderGrammar) -> bytes | None:
    if isinstance(order, Stop):
        return grammar.stop(order)
    usable = await store.usable_token(engine.database, room, order.runtime_id)
    if usable is None:
        return None
    token = engine.keys.unseal(usable.sealed, place=link_tokens.place_of(usable.token)).decode()
    return grammar.start(order, link_token=token, max_lifetime=usable.max_lifetime)
