"""What of an address may stand in a log: no secret, however it is written."""

import re
from urllib.parse import unquote_plus

_SECRET_NAMES = re.compile(r"token|signature|secret|passw|credential|authorization|api_?key|^key$|^sig$")
# Our own tokens by their form, and whatever else is as long as one and as random (`objects/links`, others' signatures).
_SECRET = re.compile(r"cr(?:k|[a-z]_)[A-Za-z0-9_.~-]{16,}|[A-Za-z0-9_.~+/=-]{64,}")
_HIDDEN = "…"
_SHORTEST = 20
_LONGEST = 1000  # Why: an address may have 32 KB, and a log is read
_DECODINGS = 3  # Why: proxies and clients quote what is quoted already; who does so more often hides nothing of ours


def query_for_log(query: bytes) -> str:
    """A query whose secrets are left out: by the names of their fields, and by their form."""
    return _cut("&".join(_field(field) for field in query.decode("latin-1").split("&")))


def path_for_log(path: str) -> str:
    """A path without what has the form of a secret; it has been decoded once."""
    if len(path) < _SHORTEST:
        return path
    return _cut("/".join(_HIDDEN if _is_secret(part) else part for part in path.split("/")))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST] + _HIDDEN


def _field(field: str) -> str:
    name, equals, value = field.partition("=")
    if _is_secret(name):
        return _HIDDEN
    if not value or not (_SECRET_NAMES.search(_decoded(name).lower()) or _is_secret(value)):
        return field
    return f"{name}{equals}{_HIDDEN}"


def _is_secret(text: str) -> bool:
    return _SECRET.search(_decoded(text)) is not None


def _decoded(text: str) -> str:
    if "%" not in text and "+" not in text:  # nearly always, and for every part of every address
        return text
    for _ in range(_DECODINGS):
        decoded = unquote_plus(text)
        if decoded == text:
            break
        text = decoded
    return text
