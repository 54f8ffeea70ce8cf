"""Requests that a user signs with a pair of credentials (§8.2): `robocloud-hmac <identifier> <signature>`."""

import base64
import binascii
import hashlib
import hmac
import time

from litestar.types import ASGIApp, Receive, Scope, Send

from controlroom.border.asking import Asking, entrance, welcome
from controlroom.border.credentials import credential_under, header_of
from controlroom.border.signed_bodies import once_more, whole_body
from controlroom.engine.access.credentials import Signer, authenticate_user
from controlroom.engine.access.model import Actor
from controlroom.engine.engine import Engine
from controlroom.errors import Unauthenticated

SCHEME = "robocloud-hmac"
WINDOW_SECONDS = 15 * 60
"""How far the caller's clock may be off. A guess: the window is not known; provisioners allow as much (§9.5)."""

_LONGEST_BODY = 64 * 1024  # Why: these requests ask for tokens; what they send has no hundred bytes
_NO_BODY = b"{}"  # what callers hash when they send nothing


class Signed(Asking):
    """A request that was signed."""

    __slots__ = ()

    @property
    def signer(self) -> Signer:
        """Who has signed it, and with which pair."""
        signer: Signer = self.scope["state"]["signer"]
        return signer


def signed(app: ASGIApp) -> ASGIApp:
    """Let in who has signed the request. The body is read before, because it is a part of what was signed."""

    async def reading(scope: Scope, receive: Receive, send: Send) -> None:
        identifier, given, timestamp = _signature(scope)
        body = await whole_body(receive, most=_LONGEST_BODY)
        message = string_to_sign(str(scope.get("method")), scope["state"]["path"], timestamp, body)

        async def signer(engine: Engine, scope: Scope) -> Actor:
            found = await authenticate_user(engine, identifier, lambda secret: _is_by(secret, message, given))
            scope["state"]["signer"] = found
            return welcome(scope, found.actor)

        await entrance(signer)(app)(scope, once_more(body), send)

    return reading


def _signature(scope: Scope) -> tuple[str, str, str]:
    """Identifier, signature and time of a request."""
    said = f"Sign the request: `Authorization: {SCHEME} <identifier> <signature>`."
    identifier, _, signature = credential_under(scope, SCHEME, said=said).partition(" ")
    if not signature:
        raise Unauthenticated(said)
    return identifier, signature.strip(), _timestamp(scope)


def string_to_sign(method: str, path: str, timestamp: str, body: bytes) -> bytes:
    """What the secret signs: five lines, of which the last is the body's hash."""
    digest = base64.b64encode(hashlib.sha256(body or _NO_BODY).digest()).decode()
    return f"{method}\n{path}\napplication/json\n{timestamp}\n{digest}".encode()


def _is_by(secret: bytes, message: bytes, signature: str) -> bool:
    try:
        given = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(hmac.digest(secret, message, "sha256"), given)


def _timestamp(scope: Scope) -> str:
    text = header_of(scope, b"authorization-timestamp")
    if not (text.isascii() and text.isdigit()) or abs(time.time() - int(text[:20])) > WINDOW_SECONDS:
        raise Unauthenticated(
            "authorization-timestamp must be the time now, in Unix seconds: is your clock right?", code="TIMESTAMP"
        )
    return text
