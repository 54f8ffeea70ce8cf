"""Stored bytes as an answer: a download, which no browser opens in our name."""

from urllib.parse import quote

from litestar.response import Stream

from controlroom.ui.asking import Asking


def stored(request: Asking, digest: str, *, size: int, name: str, media_type: str) -> Stream:
    """A stored blob that is saved as a file of this name. Who may have it was asked before."""
    headers = {
        "content-disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        "content-length": str(size),
        "x-content-type-options": "nosniff",
        "content-security-policy": "sandbox",
    }
    return Stream(request.engine.objects.stream(digest), media_type=media_type, headers=headers)
