"""Who asks with a token that a signed request has got (§8.3, §8.5), and for what it must be."""

from litestar.types import Scope

from controlroom.border.asking import Entrance, entrance, welcome
from controlroom.border.credentials import credential_of
from controlroom.dialects.robocorp.rcc.capabilities import Capability, authenticate
from controlroom.engine.access.model import Actor
from controlroom.engine.engine import Engine
from controlroom.errors import Unauthenticated


def token_for(*capabilities: Capability, scheme: str = "Bearer") -> Entrance:
    """Let in who has a token of one of these capabilities, under the scheme."""

    async def bearer(engine: Engine, scope: Scope) -> Actor:
        given, token = credential_of(scope)
        if given != scheme.lower() or not token:
            raise Unauthenticated(f"Send a token as `Authorization: {scheme} <token>`.")
        return welcome(scope, await authenticate(engine, token, *capabilities))

    return entrance(bearer)
