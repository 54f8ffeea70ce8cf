"""Signed links: an address that carries its own right, for one row, one method and a short time.

A token is `base64url(json of the link) . base64url(HMAC-SHA256)`. It is readable by whoever holds it and changeable by
nobody without the key; nothing of it is stored, so it cannot be called back: hence the hour.
"""

import base64
import binascii
import hashlib
import hmac
from datetime import timedelta
from typing import Literal
from uuid import UUID

import msgspec
from msgspec import Struct

from controlroom.errors import Forbidden

LIFETIME = timedelta(hours=1)
"""How long a link is good (DESIGN: one hour). Whoever makes a `Link` adds it to the clock that was passed in."""

_LONGEST = 8192  # Why: an address that servers and proxies still take; bounds the work for nonsense.
_KEY_BYTES = 32  # of HMAC-SHA256: fewer weaken it, more add nothing


class Link(Struct, frozen=True, kw_only=True):
    """What a link allows: `method` on the row `row` of kind `kind` (`work-item-file`, `artifact`, …), until `expires`.

    `size` is the announced length of an upload in bytes, None where nothing was announced. `expires` is in Unix
    seconds. `file_name` and `content_type` are those to answer a download with.
    """

    kind: str
    row: UUID
    method: Literal["GET", "PUT", "POST"]
    size: int | None = None
    expires: int
    workspace: UUID
    organization: UUID | None = None
    """Of the workspace; None in links that a release before has signed."""
    file_name: str | None = None
    content_type: str | None = None


class Links:
    """Signs links and reads them again. Every server of a room must have the same key."""

    def __init__(self, key: bytes) -> None:
        if len(key) < _KEY_BYTES:
            raise ValueError("The key for links is shorter than 32 bytes")
        # Why derived: a token of this kind must mean nothing wherever else the same key may come to sign.
        self._key = hmac.digest(key, b"controlroom object link v1", hashlib.sha256)

    def sign(self, link: Link) -> str:
        """Give the token of a link, safe in a path or a query without quoting."""
        body = _encode(msgspec.json.encode(link))
        return f"{body}.{self._signature(body)}"

    def verify(self, token: str, *, method: str, now: float) -> Link:
        """Read a token back. `now` is in Unix seconds; a HEAD is allowed where a GET is.

        Raises Forbidden: INVALID_LINK if we did not sign it or it was made for another method, EXPIRED if its time is
        over. The signature is compared in constant time, and before anything of the token is read.
        """
        body, _, signature = token.partition(".")
        is_ours = len(token) <= _LONGEST and hmac.compare_digest(
            signature.encode("utf-8", "replace"), self._signature(body).encode()
        )
        if not is_ours:
            raise Forbidden("This link is not valid", code="INVALID_LINK")
        try:
            link = msgspec.json.decode(_decode(body), type=Link)
        except (msgspec.MsgspecError, binascii.Error, ValueError) as error:  # signed by a release with another form
            raise Forbidden("This link is not valid any more", code="INVALID_LINK") from error
        if ("GET" if method == "HEAD" else method) != link.method:
            raise Forbidden(f"This link allows {link.method} only", code="INVALID_LINK")
        if now >= link.expires:
            raise Forbidden("This link has expired", code="EXPIRED")
        return link

    def _signature(self, body: str) -> str:
        return _encode(hmac.digest(self._key, body.encode("utf-8", "replace"), hashlib.sha256))


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
