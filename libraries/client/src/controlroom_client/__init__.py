"""Everything that the management API of a control room can do, in Python: synchronous, asynchronous, typed.

    from controlroom_client import Client

    with Client("https://room.example.com", workspace="…", key="…") as client:
        started = client.process_runs.start(process_id, type="with_payloads", payloads=[{"invoice": 7}])

`help(Client)` tells the rest; `AsyncClient` is the same for asyncio, and `models` has the types of what is sent and
answered. What is named here is imported when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from controlroom_client.async_client import AsyncClient
    from controlroom_client.client import Client
    from controlroom_client.failures import (
        BrokenOff,
        ClientError,
        Conflict,
        FileChanged,
        Forbidden,
        Invalid,
        LinkRefused,
        NoRoom,
        NotFound,
        Refused,
        Throttled,
        Unauthenticated,
        Unavailable,
        Unreachable,
        Unreadable,
        Untrusted,
    )
    from controlroom_client.following import BeganAnew, Event, Heading, Line, State, Unfinished
    from controlroom_client.rooms import AsyncPages, Pages
    from controlroom_client.written import models

__all__ = [
    "AsyncClient",
    "AsyncPages",
    "BeganAnew",
    "BrokenOff",
    "Client",
    "ClientError",
    "Conflict",
    "Event",
    "FileChanged",
    "Forbidden",
    "Heading",
    "Invalid",
    "Line",
    "LinkRefused",
    "NoRoom",
    "NotFound",
    "Pages",
    "Refused",
    "State",
    "Throttled",
    "Unauthenticated",
    "Unavailable",
    "Unfinished",
    "Unreachable",
    "Unreadable",
    "Untrusted",
    "models",
]

_PLACES = {
    "AsyncClient": "async_client",
    "Client": "client",
    **dict.fromkeys(("BeganAnew", "Event", "Heading", "Line", "State", "Unfinished"), "following"),
    **dict.fromkeys(("AsyncPages", "Pages"), "rooms"),
}
"""The modules of what is no failure."""


def __getattr__(name: str) -> Any:
    if name == "models":
        return import_module("controlroom_client.written.models")
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"controlroom_client.{_PLACES.get(name, 'failures')}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return __all__
