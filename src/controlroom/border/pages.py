"""The headers of every page that we write ourselves: it loads nothing from elsewhere, and stands in nobody's frame."""

from typing import Any, Final

from controlroom.border.dispatcher import Send

_REST_OF_POLICY: Final = "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
_NO_FEATURES: Final = b"camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"


def page_headers(policy: str) -> list[tuple[bytes, bytes]]:
    """The headers of a page with a policy for what it loads (`default-src 'none'; …`)."""
    return [
        (b"content-security-policy", f"{policy}; {_REST_OF_POLICY}".encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"x-frame-options", b"DENY"),
        (b"referrer-policy", b"same-origin"),
        (b"permissions-policy", _NO_FEATURES),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"cache-control", b"no-cache"),
    ]


def with_headers(send: Send, headers: list[tuple[bytes, bytes]]) -> Send:
    """Send, with these headers on every answer."""

    async def sending(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], *headers]
        await send(message)

    return sending
