"""What a webhook may be. Pure."""

import base64
import secrets
from collections.abc import Sequence
from typing import Final

from controlroom.engine.webhooks.errors import WebhookInvalid
from controlroom.engine.webhooks.model import WebhookEvent

LONGEST_SECRET: Final = 1024
_SECRET_BYTES: Final = 32
SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - a prefix, not a secret: of the Standard Webhooks


def checked_events(events: Sequence[WebhookEvent]) -> tuple[WebhookEvent, ...]:
    """The events, each once; raises WebhookInvalid if there are none."""
    if not events:
        raise WebhookInvalid("a webhook is told of one kind of event at least")
    return tuple(dict.fromkeys(events))


def checked_secret(secret: str) -> str:
    """The secret, if something can be signed with it; raises WebhookInvalid."""
    if not secret or len(secret) > LONGEST_SECRET:
        raise WebhookInvalid(f"a secret has 1 to {LONGEST_SECRET:,} characters")
    return secret


def new_secret() -> str:
    """A secret in the form of the Standard Webhooks: their libraries take it as it is."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()
