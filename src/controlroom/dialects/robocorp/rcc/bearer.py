"""Who asks with a token that a signed request has got (§8.3, §8.5), and for what it must be."""

from collections.abc import Callable

from litestar.types import ASGIApp, Receive, Scope, Send

from controlroom.border.arrivals import known
from controlroom.border.credentials import credential_of
from controlroom.engine.access.capabilities import Capability, authenticate
from controlroom.engine.engine import Engine
from controlroom.errors import Unauthenticated


def token_for(*capabilities: Capability, scheme: str = "Bearer") -> Callable[[ASGIApp], ASGIApp]:
    """Let in who has a token of one of these capabilities, under the scheme."""

    def middleware(app: ASGIApp) -> ASGIApp:
        async def entrance(scope: Scope, receive: Receive, send: Send) -> None:
            engine: Engine = scope["litestar_app"].state.engine
            given, token = credential_of(scope)
            if given != scheme.lower() or not token:
                raise Unauthenticated(f"Send a token as `Authorization: {scheme} <token>`.")
            actor = await authenticate(engine, token, *capabilities)
            scope["state"]["actor"] = actor
            known(scope, f"{actor.kind.value}:{actor.id}")
            await app(scope, receive, send)

        return entrance

    return middleware
