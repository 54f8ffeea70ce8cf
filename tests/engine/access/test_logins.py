"""What counts as an attempt to log in, and who must wait."""

import pytest

from controlroom.engine.access.errors import TooManyLogins, WrongCredential
from controlroom.engine.access.logins import Attempts
from controlroom.errors import Unavailable


class Clock:
    """A clock that stands still."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def attempts(clock: Clock) -> Attempts:
    return Attempts(clock)


def fail(attempts: Attempts, user: str, place: str) -> None:
    """One wrong password."""
    with pytest.raises(WrongCredential), attempts.counted(user, place):
        raise WrongCredential("password")


def succeed(attempts: Attempts, user: str, place: str) -> None:
    """A right one."""
    with attempts.counted(user, place):
        pass


def test_a_user_waits_where_they_fail(attempts, clock):
    """After several failures, for a minute; then the count begins anew, and a success forgets it at once."""
    for _ in range(attempts.FREE - 1):
        fail(attempts, "ada", "here")
    succeed(attempts, "ada", "here")
    for _ in range(attempts.FREE):
        fail(attempts, "ada", "here")
    with pytest.raises(TooManyLogins) as refused:
        succeed(attempts, "ada", "here")
    assert refused.value.seconds == 60
    succeed(attempts, "ada", "there")
    succeed(attempts, "ben", "here")

    clock.now = 60.0
    succeed(attempts, "ada", "here")


def test_an_attempt_counts_before_it_has_failed(attempts):
    """Those under way are as good as failed, and few are under way from one place."""
    running = [attempts.counted("ada", "here") for _ in range(4)]
    for each in running:
        each.__enter__()
    with pytest.raises(TooManyLogins):
        succeed(attempts, "ben", "here")
    succeed(attempts, "ben", "there")
    for each in running:
        each.__exit__(None, None, None)
    succeed(attempts, "ben", "here")


def test_an_attack_from_many_places_locks_nobody_out(attempts):
    """Each new place gets fewer tries of that user; who knows the password needs one."""
    for number in range(attempts.ATTACK):
        fail(attempts, "ada", f"place {number}")
    for _ in range(attempts.FREE_UNDER_ATTACK):
        fail(attempts, "ada", "guesser")
    with pytest.raises(TooManyLogins):
        fail(attempts, "ada", "guesser")

    succeed(attempts, "ada", "home")
    for _ in range(attempts.FREE):
        fail(attempts, "ben", "guesser")


def test_a_place_waits_whoever_it_tries(attempts, clock):
    """Many names from one address are guessing, too; right passwords do not count."""
    for _ in range(2 * attempts.FREE_OF_PLACE):
        succeed(attempts, "ada", "office")
    for number in range(attempts.FREE_OF_PLACE):
        fail(attempts, f"name {number}", "office")
    with pytest.raises(TooManyLogins):
        succeed(attempts, "ada", "office")
    clock.now = 60.0
    succeed(attempts, "ada", "office")


def test_what_could_not_be_looked_at_is_no_attempt(attempts):
    """A queue that is full is nobody's failure."""
    for _ in range(3 * attempts.FREE):
        with pytest.raises(Unavailable), attempts.counted("ada", "here"):
            raise Unavailable("busy")
    succeed(attempts, "ada", "here")


def test_counts_are_bounded(attempts):
    """However many names and places there are."""
    for number in range(25_000):
        fail(attempts, f"name {number}", f"place {number}")
    assert len(attempts._by_both._counts) == 20_000
