"""Who may see how a room works: this machine, trusted networks, and holders of a key."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from controlroom.border.answers import JSON, answer, error_body
from controlroom.border.arrivals import known
from controlroom.border.credentials import credential_of
from controlroom.border.networks import Networks
from controlroom.border.origin import Origins
from controlroom.errors import Throttled, Unauthenticated, Unavailable

App = Callable[[Any, Any, Any], Awaitable[None]]
WhoseKey = Callable[[str], Awaitable[str]]
"""Whose key a text is, for the log. Raises Unauthenticated, Throttled."""


class Insiders:
    """Those of one room."""

    def __init__(self, origins: Origins, trusted_networks: Iterable[str], whose_key: WhoseKey) -> None:
        self._origins = origins
        self._are_trusted = Networks(trusted_networks, setting="trusted_networks").has
        self._whose_key = whose_key

    async def have(self, scope: dict[str, Any]) -> bool:
        """Whether the caller of a request is one."""
        if self._origins.is_local(scope) or self._are_trusted(self._origins.client_of(scope)):
            return True
        _, key = credential_of(scope)
        if not key:
            return False
        try:
            who = await self._whose_key(key)
        except (Unauthenticated, Throttled, Unavailable):
            return False
        known(scope, who)
        return True

    def only(self, app: App) -> App:
        """The app, for insiders."""

        async def guarded(scope: dict[str, Any], receive: Any, send: Any) -> None:
            if await self.have(scope):
                await app(scope, receive, send)
            else:
                message = "This is told to this machine, to CONTROLROOM_TRUSTED_NETWORKS, and to who sends an API key."
                challenge = (b"www-authenticate", b"RC-WSKEY, Bearer")
                await answer(send, 401, error_body("UNAUTHENTICATED", message), JSON, challenge)

        return guarded
