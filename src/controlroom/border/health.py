"""Whether the process lives (`/healthz`), and whether it can serve (`/readyz`)."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from controlroom.border.answers import JSON, answer
from controlroom.errors import ControlRoomError

_PATIENCE = 5.0  # Why 5 s: orchestrators ask every 10 s by default; a part that takes longer does not serve.

Check = Callable[[], Awaitable[None]]


async def healthz(scope: dict[str, Any], receive: Any, send: Any) -> None:  # noqa: ARG001 - the ASGI signature
    """Say that the process lives. Asks nobody: a restart would not mend the database."""
    await answer(send, 200, b'{"status":"alive"}', JSON)


class Readiness:
    """Answers `/readyz`: 200 when every part works, else 503 with the parts that do not."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = checks

    async def app(self, scope: dict[str, Any], receive: Any, send: Any) -> None:  # noqa: ARG002 - the ASGI signature
        """Ask every part at once."""
        found = await asyncio.gather(*map(_state, self._checks.values()))
        parts = dict(zip(self._checks, found, strict=True))
        ready = all(state == "ok" for state in found)
        body = msgspec.json.encode({"status": "ready" if ready else "not ready", "parts": parts})
        await answer(send, 200 if ready else 503, body, JSON)


async def _state(check: Check) -> str:
    try:
        async with asyncio.timeout(_PATIENCE):
            await check()
    except TimeoutError:
        return "no answer in time"
    except ControlRoomError as error:
        return error.message
    return "ok"
