"""Bodies that are no JSON: a file as it comes, and a file as it goes."""

import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from urllib.parse import quote

from litestar.response import Stream

from controlroom.dialects.automation360.asking import Asking
from controlroom.engine.engine import Engine
from controlroom.objects.store import Blob

_SAFE = {
    "content-security-policy": "sandbox; default-src 'none'",
    "x-content-type-options": "nosniff",
    "cache-control": "private, no-store",
}


async def taken(request: Asking) -> Blob:
    """The bytes of a body, stored. Raises Invalid for more than a package may have."""
    return await request.engine.objects.put(request.stream(), max_size=request.engine.limits.package_bytes)


async def given(engine: Engine, digest: str, *, size: int, name: str, media_type: str) -> Stream:
    """Stored bytes as an answer that is saved as a file. Raises NotFound for what is not stored."""
    pieces = engine.objects.stream(digest)
    first = await anext(pieces, b"")  # what is not there is still a plain 404
    headers = disposition(name) | {"content-length": str(size)}
    return Stream(_following(first, pieces), media_type=media_type, headers=headers)


def disposition(name: str) -> dict[str, str]:
    """The headers of an answer that is saved as a file, and never shown as a page of ours."""
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", name)
    return {
        "content-disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}",
        **_SAFE,
    }


async def _following(first: bytes, pieces: AsyncGenerator[bytes, None]) -> AsyncIterator[bytes]:
    async with aclosing(pieces):
        yield first
        async for piece in pieces:
            yield piece
