"""What is to be done once a load has ended: sessions that were begun for it are ended.

`running.load` does so behind each window. A plain `pipeline.run` ends none: they end by themselves.
"""

import threading
from collections.abc import Callable
from typing import Final

_lock: Final = threading.Lock()
_due: Final[list[Callable[[], None]]] = []


def at_end(call: Callable[[], None]) -> None:
    """Have something done once the load under way has ended. It raises nothing."""
    with _lock:
        _due.append(call)


def end() -> None:
    """Do it. Another load in this process may lose a session so, and begins a new one."""
    with _lock:
        calls = _due[:]
        _due.clear()
    for call in calls:
        call()
