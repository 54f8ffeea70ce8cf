"""The headers of the Standard Webhooks, beside those that a grammar signs its messages by."""

import binascii
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

_PREFIX: Final = "whsec_"


def standard_headers(body: bytes, *, message: UUID, secret: str, at: datetime) -> Mapping[str, str]:
    """Id, time and signature of a message."""
    return {
        "webhook-id": str(message),
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": _signing(secret).sign(str(message), at, body.decode()),
    }


def _signing(secret: str) -> Webhook:
    """A secret of the Standard Webhooks' form is base64 behind its prefix; any other is taken as the bytes it is."""
    if secret.startswith(_PREFIX):
        try:
            return Webhook(secret)
        except (binascii.Error, EmptyWebhookSecretError):
            pass
    return Webhook(secret.encode())
