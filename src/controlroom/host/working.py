"""A worker as a process."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from controlroom.border import logs
from controlroom.settings import Settings
from controlroom.worker.serve import serve
from controlroom.worker.settings import settings_of


def work(
    settings: Mapping[str, Any], *, log_format: str, told: Callable[[dict[str, Any]], None] = lambda _: None
) -> int:
    """Run a worker until it is told to end, or has done its one assignment; `told` is called when it is linked.

    Raises Invalid `SETTINGS` for settings that make no sense.
    """
    logs.configure(Settings(log_format=log_format))
    return asyncio.run(serve(settings_of(settings), on_session=lambda: told({"session": True})))
