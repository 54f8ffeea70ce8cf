"""How a server says what happens: one event a line, as JSON for machines or in columns for people.

No traceback shows the values of variables: they may be secrets. What libraries say goes the same way.
"""

import logging
import sys
from functools import partial
from typing import Any, TextIO

import msgspec
import structlog
from structlog.types import EventDict, Processor, WrappedLogger

from controlroom.settings import Settings

_QUIET = ("httpx2", "httpcore2", "uvicorn.access")
_encode = msgspec.json.Encoder(enc_hook=str).encode


def configure(settings: Settings, stream: TextIO = sys.stderr, *, process: int | None = None) -> None:
    """Say everything from now on in the form that the settings ask for. For programs: a library leaves it alone.

    `process` stands in each line where several processes of one server write to the same place.
    """
    as_json = settings.log_format == "json" or (settings.log_format == "auto" and not stream.isatty())
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, *_shared(process), *_rendering(as_json=as_json)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_logger_name, *_shared(process)],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_rendering(as_json=as_json)],
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _shared(process: int | None) -> list[Processor]:
    always: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    return always if process is None else [*always, partial(_of_process, process)]


def _of_process(process: int, logger: WrappedLogger, method: str, event: EventDict) -> EventDict:  # noqa: ARG001 - likewise
    event["process"] = process
    return event


def _rendering(*, as_json: bool) -> list[Processor]:
    if as_json:
        return [structlog.processors.format_exc_info, _as_json]
    return [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]


def _as_json(logger: WrappedLogger, method: str, event: EventDict) -> str:  # noqa: ARG001 - a processor's signature
    """The event as one line, faster than the standard library writes it."""
    ordered: dict[str, Any] = {"timestamp": event.pop("timestamp", None), "level": event.pop("level", None), **event}
    return _encode(ordered).decode()
