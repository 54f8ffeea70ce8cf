"""Apps that are made when they are first asked for.

To import a grammar's modules and read its routes takes up to a second of a processor. A room that nobody speaks a
grammar to has it neither in its start nor in its memory.
"""

import asyncio
import gc
import threading
from collections.abc import Callable
from typing import cast

from litestar import Litestar

from controlroom.border.dispatcher import App, Receive, Scope, Send

_ONE_AT_A_TIME = threading.Lock()
"""Why: the interpreter lets one thread work anyway, and two that import would wait for each other's modules."""


class Later:
    """Stands where an app will be. What asks for that one first waits until it is made; all else goes on beside it."""

    def __init__(self, make: Callable[[], Litestar]) -> None:
        self._make = make
        self._making: asyncio.Future[App] | None = None
        self._app: App | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Raises what making the app has raised; the next request has it tried again."""
        app = self._app or await self._made()
        await app(scope, receive, send)

    async def _made(self) -> App:
        if self._making is None or (self._making.done() and self._making.exception() is not None):
            self._making = asyncio.ensure_future(asyncio.to_thread(self._made_aside))
        self._app = await asyncio.shield(self._making)  # others wait for it, too, when this caller goes away
        return self._app

    def _made_aside(self) -> App:
        with _ONE_AT_A_TIME:
            app = cast("App", self._make())  # the same ASGI, in other words
        if gc.get_freeze_count():
            gc.freeze()  # what the process is made of is not looked through for circles, and this now belongs to it
        return app
