"""A worker as a process."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from controlroom.border import logs
from controlroom.errors import Invalid
from controlroom.settings import Settings
from controlroom.worker.serve import serve
from controlroom.worker.settings import WorkerSettings


def work(
    settings: Mapping[str, Any], *, log_format: str, told: Callable[[dict[str, Any]], None] = lambda _: None
) -> int:
    """Run a worker until it is told to end, or has done its one assignment; `told` is called when it is linked.

    Raises Invalid `SETTINGS` for settings that make no sense.
    """
    logs.configure(Settings(log_format=log_format))
    try:
        made = msgspec.convert(dict(settings), WorkerSettings, strict=False, dec_hook=lambda kind, value: kind(value))
    except msgspec.ValidationError as wrong:
        raise Invalid(f"a setting of the worker is wrong: {wrong}", code="SETTINGS") from wrong
    return asyncio.run(serve(made, on_session=lambda: told({"session": True})))
