"""Passwords: hashed by argon2id (RFC 9106, the second recommended option), always in a thread."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from controlroom.engine.access.errors import WeakPassword

SHORTEST = 8
LONGEST = 1024  # Why: bounds the work for a request; far above any phrase

_hasher = argon2.PasswordHasher.from_parameters(argon2.profiles.RFC_9106_LOW_MEMORY)
# Why a pool of its own, of two: each hash takes 64 MiB, and a flood of logins must not take the memory of the room.
_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="password")


async def hash_password(password: str) -> str:
    """The hash to store. Raises Invalid `PASSWORD_UNFIT`."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise WeakPassword(SHORTEST, LONGEST)
    return await asyncio.get_running_loop().run_in_executor(_threads, _hasher.hash, password)


async def verify_password(password: str, hashed: str | None) -> bool:
    """Whether the password is the hashed one. Without a hash it takes as long, so that time tells nobody who exists."""
    if len(password) > LONGEST:
        return False
    return await asyncio.get_running_loop().run_in_executor(_threads, _verify, password, hashed)


def _verify(password: str, hashed: str | None) -> bool:
    try:
        return _hasher.verify(hashed or _nobodys_hash(), password) and hashed is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobodys_hash() -> str:
    return _hasher.hash("nobody has this password")
