"""What a provisioner is sent, written out when it is sent: the log keeps neither link tokens nor signatures."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct

from controlroom.engine.deliveries.model import Claimed
from controlroom.engine.engine import Engine
from controlroom.engine.provisioners import store
from controlroom.engine.provisioners.model import Order, Start
from controlroom.engine.provisioners.rules import signed
from controlroom.engine.workers import link_tokens
from controlroom.ids import ProvisionerId

FINAL_REFUSALS: Final = frozenset({400, 403, 410})
"""It does not know what is asked, or not who asks, or is gone: asking again cannot mend it."""

NOTHING_TO_STOP: Final = frozenset({400, 404, 410})
"""What a provisioner answers to a `stop` that means nothing to it: public ones start what ends by itself, and know no
other word. The worker is stopped by its own connection anyway."""


class WrittenOut(Struct, frozen=True):
    """A request as it is sent."""

    body: bytes
    headers: Mapping[str, str]


async def written_out(engine: Engine, delivery: Claimed, *, at: datetime) -> WrittenOut | None:
    """The request of a delivery; None if nobody waits for that worker any more."""
    order = msgspec.json.decode(delivery.body, type=Order)
    body = delivery.body
    if isinstance(order, Start):
        usable = await store.usable_token(engine.database, order.runtime_id)
        if usable is None:
            return None
        token = engine.keys.unseal(usable.sealed, place=link_tokens.place_of(usable.token)).decode()
        message: dict[str, Any] = msgspec.to_builtins(order) | {"runtimeLinkToken": token}
        if usable.max_lifetime is not None:
            message["maxLifetimeSeconds"] = int(usable.max_lifetime.total_seconds())
        body = msgspec.json.encode(message)
    place = store.place_of(ProvisionerId(delivery.subscription_id))
    secret = engine.keys.unseal(delivery.sealed or b"", place=place).decode()
    return WrittenOut(body, signed(delivery.endpoint, body, secret=secret, at=at))
