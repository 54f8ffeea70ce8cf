"""The one door at which a password is checked, and what keeps guessers from it.

An attempt is counted before the password is looked at, so that a thousand at once are a thousand. Counted is by
place (the address that calls) and by user there: who guesses waits, wherever they guess from; who does not, does
not, whatever is done to their name from elsewhere. Only the tries that a place has of a user get fewer while that user
is guessed from many. A right password takes its own attempt back.

Each process of a server counts for itself, in memory: a few of them make a few times the guesses.
"""

import hashlib
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from weakref import WeakKeyDictionary

from controlroom.engine.access.errors import TooManyLogins, WrongCredential
from controlroom.engine.access.model import Actor
from controlroom.engine.access.passwords import verify_password
from controlroom.engine.access.users import actors
from controlroom.engine.access.users import store as users
from controlroom.engine.engine import Engine
from controlroom.errors import Unavailable
from controlroom.ids import OrganizationId
from controlroom.keys import Keys

_REMEMBERED = 20_000
_AT_ONCE = 4
_SOON = 1.0
_LONGEST_NAME = 1000


class Tally:
    """Counts by key; one begins anew after a while without any. Bounded: the longest untouched is forgotten first."""

    def __init__(self, clock: Callable[[], float], *, lasts: timedelta) -> None:
        self._clock = clock
        self._lasts = lasts.total_seconds()
        self._counts: OrderedDict[object, tuple[int, float]] = OrderedDict()

    def of(self, key: object) -> int:
        """The count now."""
        count, last = self._counts.get(key, (0, 0.0))
        return count if self.left(last) > 0 else 0

    def wait_of(self, key: object) -> float:
        """Seconds until a count begins anew if nothing is added."""
        _, last = self._counts.get(key, (0, 0.0))
        return max(0.0, self.left(last))

    def add(self, key: object) -> None:
        """One more."""
        count = self.of(key)
        self._counts.pop(key, None)
        self._counts[key] = (count + 1, self._clock())
        if len(self._counts) > _REMEMBERED:
            self._counts.popitem(last=False)

    def take_back(self, key: object) -> None:
        """One less."""
        if key in self._counts:
            count, last = self._counts[key]
            self._counts[key] = (max(0, count - 1), last)

    def forget(self, key: object) -> None:
        """None any more."""
        self._counts.pop(key, None)

    def left(self, last: float) -> float:
        """Seconds that a count which was last added to then still lasts."""
        return last + self._lasts - self._clock()


class Attempts:
    """Attempts to log in, as one server has seen them."""

    FREE = 10
    """Tries of a user from one place; then that user waits there."""
    FREE_UNDER_ATTACK = 3
    """Likewise, while the user is being guessed from many places."""
    ATTACK = 100
    """Failures of a user, from everywhere, that are an attack."""
    FREE_OF_PLACE = 100
    """Tries from one place, of whichever users: an office has one address, and forgets passwords."""
    WAIT = timedelta(seconds=60)

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._by_place = Tally(clock, lasts=self.WAIT)
        self._by_user = Tally(clock, lasts=self.WAIT)
        self._by_both = Tally(clock, lasts=self.WAIT)
        self._under_way: Counter[str] = Counter()

    def check_place(self, place: str) -> None:
        """Raise TooManyLogins while a place must wait, or has some that are being looked at."""
        if self._by_place.of(place) >= self.FREE_OF_PLACE:
            raise TooManyLogins(self._by_place.wait_of(place))
        if self._under_way[place] >= _AT_ONCE:
            raise TooManyLogins(_SOON)

    @contextmanager
    def counted(self, user: str, place: str) -> Iterator[None]:
        """An attempt; what it raises makes it a failure, unless it could not be made (Unavailable).

        Raises TooManyLogins, which is no attempt.
        """
        both = (user, place)
        self.check_place(place)
        free = self.FREE if self._by_user.of(user) < self.ATTACK else self.FREE_UNDER_ATTACK
        if self._by_both.of(both) >= free:
            raise TooManyLogins(self._by_both.wait_of(both))
        counts: Sequence[tuple[Tally, object]] = (
            (self._by_place, place),
            (self._by_user, user),
            (self._by_both, both),
        )
        for tally, key in counts:
            tally.add(key)
        self._under_way[place] += 1
        try:
            yield
            self._by_place.take_back(place)
            self._by_user.take_back(user)
            self._by_both.forget(both)
        except Unavailable:
            for tally, key in counts:
                tally.take_back(key)
            raise
        finally:
            self._under_way[place] -= 1
            if not self._under_way[place]:
                del self._under_way[place]


# Why by the keys: they are the control room's own, one object a process; tests have several rooms in one process.
_attempts: WeakKeyDictionary[Keys, Attempts] = WeakKeyDictionary()


async def log_in(
    engine: Engine, *, username: str, password: str, place: str, organization: OrganizationId | None = None
) -> Actor:
    """The actor of a user who gives name and password. Raises Unauthenticated, whichever of the two is wrong.

    Names are unique in an organization; without one, the user of whichever organization whose password it is. `place`
    is where the caller calls from. Raises TooManyLogins after many failures, Unavailable while too many are looked at.
    """
    attempts = _attempts.setdefault(engine.keys, Attempts())
    attempts.check_place(place)
    is_name = len(username) <= _LONGEST_NAME and "\0" not in username
    candidates = await users.logins(engine.database, username=username, organization=organization) if is_name else []
    # By who it is, where there is somebody: a name may be written in many ways.
    named = [str(candidate.id) for candidate in candidates] or [username.lower()]
    user = hashlib.blake2b("\0".join(named).encode("utf-8", "replace"), digest_size=16).hexdigest()
    with attempts.counted(user, place):
        for candidate in candidates:
            if await verify_password(password, candidate.password_hash):
                return await actors.actor_of_user(engine.database, candidate.id)
        if not candidates:
            await verify_password(password, None)
        raise WrongCredential("user name or password")
