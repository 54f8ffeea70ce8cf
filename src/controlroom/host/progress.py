"""What a program that takes a while tells the person who waits: sentences on standard error, whatever that is."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

_STILL_SECONDS = 5.0


def tell(sentence: str) -> None:
    """Say something now."""
    print(sentence[:1].upper() + sentence[1:], file=sys.stderr, flush=True)


@asynccontextmanager
async def patiently(what: str | None = None) -> AsyncIterator[Callable[[str], None]]:
    """Say what is done, and while the block lasts that it still is; the block gets how to say the next thing."""
    doing = ""

    def begin(sentence: str) -> None:
        nonlocal doing
        doing = sentence
        tell(sentence)

    async def remind() -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        while True:
            await asyncio.sleep(_STILL_SECONDS)
            tell(f"still {doing} ({loop.time() - began:.0f} s)")

    if what is not None:
        begin(what)
    reminding = asyncio.create_task(remind())
    try:
        yield begin
    finally:
        reminding.cancel()
