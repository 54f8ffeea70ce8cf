"""Whether the process lives (`/healthz`), and whether it can serve (`/readyz`)."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from controlroom.border.answers import JSON, answer
from controlroom.border.insiders import Insiders
from controlroom.errors import ControlRoomError

_PATIENCE = 5.0  # Why 5 s: orchestrators ask every 10 s by default; a part that takes longer does not serve.
_GOOD_FOR = 1.0

Check = Callable[[], Awaitable[None]]


async def healthz(scope: dict[str, Any], receive: Any, send: Any) -> None:  # noqa: ARG001 - the ASGI signature
    """Say that the process lives. Asks nobody: a restart would not mend the database."""
    await answer(send, 200, b'{"status":"alive"}', JSON)


class Readiness:
    """Answers `/readyz`: 200 when every part works, else 503; which parts do not is told to insiders."""

    def __init__(self, checks: Mapping[str, Check], insiders: Insiders) -> None:
        self._checks = checks
        self._insiders = insiders
        self._asking: asyncio.Task[dict[str, str]] | None = None
        self._at = 0.0

    async def app(self, scope: dict[str, Any], receive: Any, send: Any) -> None:  # noqa: ARG002 - the ASGI signature
        """Ask every part at once; for who is no insider at most once a second."""
        is_insider = await self._insiders.have(scope)
        if is_insider or self._asking is None or (self._asking.done() and time.monotonic() - self._at > _GOOD_FOR):
            self._at, self._asking = time.monotonic(), asyncio.create_task(self._ask())
        parts = await asyncio.shield(self._asking)
        ready = all(state == "ok" for state in parts.values())
        told: dict[str, Any] = {"status": "ready" if ready else "not ready"}
        body = msgspec.json.encode(told | {"parts": parts} if is_insider else told)
        await answer(send, 200 if ready else 503, body, JSON)

    async def _ask(self) -> dict[str, str]:
        found = await asyncio.gather(*map(_state, self._checks.values()))
        return dict(zip(self._checks, found, strict=True))


async def _state(check: Check) -> str:
    try:
        async with asyncio.timeout(_PATIENCE):
            await check()
    except TimeoutError:
        return "no answer in time"
    except ControlRoomError as error:
        return error.message
    return "ok"
