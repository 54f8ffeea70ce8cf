"""What provisioners of this dialect are sent (§9.5), and how it is signed."""

import base64
import hashlib
import hmac
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from controlroom.engine.provisioners.model import Order, Start, Stop

SIGNED_HEADERS: Final = ("content-type", "x-rc-timestamp")


class ProvisionerRequests:
    """A `provisioners.requests.OrderGrammar`."""

    final_refusals: Collection[int] = frozenset({400, 403, 410})
    """It does not know what is asked, or not who asks, or is gone."""
    nothing_to_stop: Collection[int] = frozenset({400, 404, 410})
    """Public provisioners start what ends by itself, and know no other word. The worker is stopped by its own
    connection anyway."""

    def start(self, order: Start, *, link_token: str, max_lifetime: timedelta | None) -> bytes:
        """See `OrderGrammar.start`."""
        message = _told("start", order) | {"runtimeLinkToken": link_token}
        if max_lifetime is not None:
            message["maxLifetimeSeconds"] = int(max_lifetime.total_seconds())
        return msgspec.json.encode(message)

    def stop(self, order: Stop) -> bytes:
        """See `OrderGrammar.stop`."""
        return msgspec.json.encode(_told("stop", order))

    def headers(self, endpoint: str, body: bytes, *, secret: str, at: datetime) -> Mapping[str, str]:
        """See `OrderGrammar.headers`.

        Why not the host among the signed headers: proxies before a provisioner may change it. The query stays out, as
        the public provisioners take it: it is for what stands before them (a function's key), which may take it away.
        """
        headers = {"content-type": "application/json", "x-rc-timestamp": str(int(at.timestamp()))}
        names = ";".join(SIGNED_HEADERS)
        request = "\n".join(
            (
                "POST",
                urlsplit(endpoint).path or "/",
                "",  # in place of the query
                *(f"{name}:{headers[name]}" for name in SIGNED_HEADERS),
                names,
                _digest(body),
            )
        )
        text = "\n".join(("sha256", headers["x-rc-timestamp"], _digest(request.encode())))
        signature = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
        return headers | {"x-rc-signed-headers": names, "x-rc-signature": signature}


def _told(what: str, order: Order) -> dict[str, Any]:
    return {"type": what, "workspaceId": order.workspace_id, "runtimeId": order.runtime_id}


def _digest(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()).decode()
