"""Callbacks: whom a start asks to tell of its one run, or of the step runs of it."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from controlroom.engine.engine import Engine
from controlroom.errors import Invalid

MOST_HEADERS: Final = 32
MOST_HEADER_BYTES: Final = 8 * 1024

_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A token of RFC 9110 §5.6.2."""

_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
"""RFC 9110 §5.5: no line breaks, and no other control characters."""

_OF_THE_CONNECTION: Final = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""What says how a message is carried (RFC 9110 §7.6.1): whoever carries it says that."""


class CallbackEvent(StrEnum):
    """What a callback may be told of: kinds of the record of events."""

    RUN_STARTED = "run.started"
    RUN_COMPLETED = "run.completed"
    RUN_UNRESOLVED = "run.unresolved"
    STEP_RUN_STARTED = "step_run.started"
    STEP_RUN_COMPLETED = "step_run.completed"
    STEP_RUN_FAILED = "step_run.failed"


class Callback(Struct, frozen=True, kw_only=True):
    """Whom to tell of this one run. Secret and headers are sealed before they are stored."""

    url: str
    grammar: str
    """Whose form the messages have: a name of `Engine.grammars`."""
    events: tuple[CallbackEvent, ...]
    secret: str | None = None
    """What messages are signed by; None: nothing was agreed on."""
    headers: Mapping[str, str] = {}
    """Sent beside what the grammar sends; where both name one, the grammar's is sent."""


class CallbackInvalid(Invalid):
    """A callback that could not be called as it asks."""

    def __init__(self, why: str) -> None:
        super().__init__(why, code="CALLBACK_INVALID")


class StoredCallback(Struct, frozen=True, omit_defaults=True):
    """A callback as the run keeps it: `secret` and `headers` are sealed, base64."""

    url: str
    events: tuple[CallbackEvent, ...]
    grammar: str
    secret: bytes | None = None
    headers: bytes | None = None


def stored(engine: Engine, run: UUID, callback: Callback) -> StoredCallback:
    """A callback as it is stored, sealed for its run, or for what will start runs; raises CallbackInvalid."""
    if callback.grammar not in engine.grammars:
        raise CallbackInvalid(f"nothing is told in the grammar {callback.grammar!r} here")
    secret = None if callback.secret is None else engine.keys.seal(callback.secret.encode(), place=secret_place(run))
    headers = None
    if callback.headers:
        written = msgspec.json.encode(checked_headers(callback.headers))
        headers = engine.keys.seal(written, place=headers_place(run))
    return StoredCallback(callback.url, callback.events, callback.grammar, secret, headers)


def opened(engine: Engine, run: UUID, callback: StoredCallback) -> Callback:
    """A callback as it was given."""
    secret, headers = None, {}
    if callback.secret is not None:
        secret = engine.keys.unseal(callback.secret, place=secret_place(run)).decode()
    if callback.headers is not None:
        written = engine.keys.unseal(callback.headers, place=headers_place(run))
        headers = msgspec.json.decode(written, type=dict[str, str])
    return Callback(url=callback.url, grammar=callback.grammar, events=callback.events, secret=secret, headers=headers)


def checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers by their lower-case names, if they may be sent; raises CallbackInvalid."""
    checked = {}
    for name, value in headers.items():
        if not _NAME.fullmatch(name):
            raise CallbackInvalid(f"{name[:100]!r} is no name of a header")
        if name.lower() in _OF_THE_CONNECTION:
            raise CallbackInvalid(f"the header {name} says how a message is carried, and is not a callback's to say")
        if not _VALUE.fullmatch(value):
            raise CallbackInvalid(f"the header {name} has characters that no header may have")
        checked[name.lower()] = value.strip(" \t")
    if len(checked) > MOST_HEADERS or sum(map(len, (*checked, *checked.values()))) > MOST_HEADER_BYTES:
        raise CallbackInvalid(f"a callback has at most {MOST_HEADERS} headers, of {MOST_HEADER_BYTES:,} bytes together")
    return checked


def secret_place(run: UUID) -> str:
    """What a callback's sealed secret is bound to."""
    return f"run.callback:{run}"


def headers_place(run: UUID) -> str:
    """What a callback's sealed headers are bound to."""
    return f"run.callback.headers:{run}"
