"""Passwords: hashed by argon2id (RFC 9106, the second recommended option), always in a thread, few at once."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from controlroom.engine.access.errors import WeakPassword
from controlroom.errors import Unavailable

SHORTEST = 8
LONGEST = 1024  # Why: bounds the work for a request; far above any phrase

_hasher = argon2.PasswordHasher.from_parameters(argon2.profiles.RFC_9106_LOW_MEMORY)
# Why a pool of its own, of two: each hash takes 64 MiB, and a flood of logins must not take the memory of the room.
_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="password")
_STRANGERS_WAIT = 32  # Why: a hash takes about 30 ms of a core; who would wait longer than a second is told so at once
_KNOWN_WAIT = 64
_waiting = Counter[str]()


async def hash_password(password: str) -> str:
    """The hash to store. Raises Invalid `PASSWORD_UNFIT`, Unavailable while too many wait."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise WeakPassword(SHORTEST, LONGEST)
    with _in_queue("known", _KNOWN_WAIT):
        return await asyncio.get_running_loop().run_in_executor(_threads, _hasher.hash, password)


async def verify_password(password: str, hashed: str | None) -> bool:
    """Whether the password is the hashed one. Without a hash it takes as long, so that time tells nobody who exists.

    Raises Unavailable while too many wait.
    """
    if len(password) > LONGEST:
        return False
    with _in_queue("strangers", _STRANGERS_WAIT):
        return await asyncio.get_running_loop().run_in_executor(_threads, _verify, password, hashed)


@contextmanager
def _in_queue(of: str, most: int) -> Iterator[None]:
    """A place among those who wait for a thread; raises Unavailable when there is none."""
    if _waiting[of] >= most:
        raise Unavailable("too many passwords are being looked at: try again in a moment", code="BUSY")
    _waiting[of] += 1
    try:
        yield
    finally:
        _waiting[of] -= 1


def _verify(password: str, hashed: str | None) -> bool:
    try:
        return _hasher.verify(hashed or _nobodys_hash(), password) and hashed is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobodys_hash() -> str:
    return _hasher.hash("nobody has this password")
