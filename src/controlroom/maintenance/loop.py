"""How a loop lives: it ticks, survives its own errors, says what a tick did, and ends when it is cancelled."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

import structlog
from msgspec import Struct

from controlroom.errors import Unavailable

log = structlog.get_logger(__name__)

_REST: Final = 1.0
"""Before what has failed is begun anew."""

_MOMENT: Final = 0.05
"""Between two ticks of a loop that is woken: what wakes it a hundred times a second makes twenty of them."""

_JITTER: Final = 0.1
"""So that the loops of several servers do not tick in step."""


class Loop(Struct, frozen=True, kw_only=True):
    """Something that is done again and again. `tick` returns how much it did; 0 is not worth a log line."""

    name: str
    every: float
    """Seconds between two ticks."""
    tick: Callable[[], Awaitable[int]]
    is_for_leader: bool = True
    """Whether one server at a time suffices."""
    woken: asyncio.Event | None = None
    """Set when there may be something to do before the time has come."""


async def keep(name: str, serve: Callable[[], Awaitable[None]]) -> None:
    """Serve until cancelled: what ends by an error is logged and begun anew after a second."""
    while True:
        try:
            await serve()
        except Unavailable as away:
            log.warning("service cannot reach what it needs", service=name, reason=str(away))
        except Exception:  # the edge of a loop: the server must go on
            log.exception("service failed", service=name)
        await asyncio.sleep(_REST)


async def run_forever(loop: Loop, *, observe: Callable[[str, float, bool], None]) -> None:
    """Tick until cancelled. An error is logged and told to `observe` (name, seconds, whether it went well)."""
    while True:
        began = time.perf_counter()
        went_well = True
        try:
            done = await loop.tick()
        except Unavailable as away:
            went_well = False
            log.warning("loop cannot reach what it needs", loop=loop.name, reason=str(away))
        except Exception:  # the edge of a loop: it must go on
            went_well = False
            log.exception("loop tick failed", loop=loop.name)
        else:
            if done:
                log.info("loop ticked", loop=loop.name, done=done, seconds=round(time.perf_counter() - began, 4))
        observe(loop.name, time.perf_counter() - began, went_well)
        await _rest(loop)


async def _rest(loop: Loop) -> None:
    """Wait for the next tick's time, or until it is woken, a moment at least."""
    seconds = loop.every * (1 + _JITTER * random.random())  # noqa: S311 - jitter
    if loop.woken is None:
        await asyncio.sleep(seconds)
        return
    await asyncio.sleep(_MOMENT)
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await loop.woken.wait()
    loop.woken.clear()
