"""Functions that tests have called aside: their processes import them by name."""

import ctypes
import itertools
import os
import time
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from controlroom.errors import Conflict


class Told(Struct, frozen=True):
    """All that goes over."""

    text: str
    body: bytes
    at: datetime
    path: Path
    numbers: list[int]


def told(text: str, body: bytes, *, at: datetime, path: Path, numbers: list[int]) -> Told:
    return Told(text, body, at, path, numbers)


def pid() -> int:
    return os.getpid()


def environment() -> list[str]:
    return sorted(os.environ)


def files() -> list[str]:
    with os.scandir("/proc/self/fd") as found:
        return [str(Path(each.path).readlink()) for each in found]


def never() -> int:
    return next(number for number in itertools.count() if number < 0)


def waits() -> None:
    time.sleep(3600)


def huge() -> int:
    return len(bytes(8 << 30))


def deep(level: int) -> int:
    return deep(level + 1)


def crashes() -> None:
    ctypes.string_at(0)


def refuses() -> None:
    raise Conflict("it is taken", code="TAKEN", by="ada")


def refuses_odd_bytes() -> None:
    raise Conflict("\udcff is taken", code="TAKEN", names=["\udcff", 1], by={"\ud800": Path("x")})


def broken() -> None:
    raise KeyError("a bug")
