"""The connections of a server whose caller is not known: how many there may be, and which make way.

A connection is a stranger's from its beginning until a request on it has a known caller, and again once one has none.
Of too many, from one place or in all, those make way that have waited longest; who is being answered is left alone.
A burst of callers who at once say who they are is no crowd, so that nobody makes way who came within the last look.
"""

import asyncio
from typing import Final, Protocol

from controlroom.border.networks import place_of
from controlroom.border.origin import Origins
from controlroom.settings import Limits

_LOOK_SECONDS: Final = 1.0
_LOOKS: Final = 4
"""How often a deadline is looked at before it is over, at least."""


class Guest(Protocol):
    """A connection, or one that is still to become one (TLS)."""

    since: float
    """When (by the loop's clock) it began to wait for what it waits for."""

    @property
    def waits(self) -> bool:
        """Whether it is the caller who is waited for."""

    def look(self, now: float) -> None:
        """See whether a deadline is over."""

    def make_way(self) -> None:
        """End: there are too many."""


class Strangers:
    """Those of one server process, whichever port they came by."""

    def __init__(self, limits: Limits | None = None, origins: Origins | None = None) -> None:
        self.limits = limits or Limits()
        self.origins = origins or Origins(None, ())
        self._guests: set[Guest] = set()
        self._place: dict[Guest, str] = {}
        self._at: dict[str, dict[Guest, None]] = {}
        shortest = min(self.limits.head_seconds, self.limits.stranger_body_seconds, self.limits.stall_seconds)
        self._every = min(_LOOK_SECONDS, shortest / _LOOKS)
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._place)

    def come(self, guest: Guest, address: str) -> bool:
        """A connection has begun, as a stranger's; False when there are far too many, and it must go at once."""
        self._guests.add(guest)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._every, self._look)
        self.count(guest, place_of(address))
        return len(self._place) <= 2 * self.limits.stranger_connections

    def gone(self, guest: Guest) -> None:
        """A connection has ended."""
        self._guests.discard(guest)
        self.known(guest)

    def count(self, guest: Guest, place: str) -> None:
        """A connection is a stranger's, from a place; the last of them to make way."""
        self.known(guest)
        self._place[guest] = place
        self._at.setdefault(place, {})[guest] = None

    def known(self, guest: Guest) -> None:
        """A connection is a known caller's."""
        place = self._place.pop(guest, None)
        if place is not None:
            here = self._at[place]
            del here[guest]
            if not here:
                del self._at[place]

    def is_stranger(self, guest: Guest) -> bool:
        """Whether a connection is counted."""
        return guest in self._place

    def _look(self) -> None:
        now = asyncio.get_running_loop().time()
        for guest in tuple(self._guests):
            guest.look(now)
        for here in tuple(self._at.values()):
            self._make_room(here, self.limits.stranger_connections_per_address, now)
        self._make_room(self._place, self.limits.stranger_connections, now)
        self._timer = asyncio.get_running_loop().call_later(self._every, self._look) if self._guests else None

    def _make_room(self, guests: dict[Guest, None] | dict[Guest, str], most: int, now: float) -> None:
        too_many = len(guests) - most
        if too_many <= 0:
            return
        waiting = [guest for guest in guests if guest.waits and now - guest.since >= self._every]
        for guest in waiting[:too_many]:
            self.known(guest)  # it ends: the others of its place shall not make way for it as well
            guest.make_way()
