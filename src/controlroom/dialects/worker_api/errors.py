"""Failures as workers read them: one table of kinds, one body (`controlroom.protocol`)."""

from collections.abc import Iterable
from typing import Any

from litestar import Request
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import ResponseSpec
from msgspec import Struct
from msgspec.structs import replace

from controlroom.border import failures as border


class FailureDetails(Struct, frozen=True):
    """What went wrong: a code for programs, a message for people; some have further fields."""

    code: str
    message: str


class Failure(Struct, frozen=True):
    """Every answer that is no success."""

    error: FailureDetails
    message: str


_DESCRIPTIONS = {
    400: "The request is wrong.",
    401: "There is no valid credential.",
    404: "There is no such thing.",
    409: "The session or the attempt has been overtaken, or something is missing.",
    503: "A part that is needed is away; try again.",
}


def with_failures(handlers: Iterable[HTTPRouteHandler]) -> list[HTTPRouteHandler]:
    """The handlers, documented to fail as all of this dialect do."""
    documented = []
    for handler in handlers:
        handler.responses = {
            status: ResponseSpec(Failure, description=text, generate_examples=False)
            for status, text in _DESCRIPTIONS.items()
        }
        documented.append(handler)
    return documented


def _told(request: Request[Any, Any, Any], failure: border.Failure) -> border.Failure:  # noqa: ARG001 - a grammar's form
    """A worker repeats what is answered with 5xx or 429, and gives up what is answered with another 4xx."""
    if failure.status == 401:  # noqa: PLR2004 - RFC 9110 §15.5.2: a 401 names the schemes
        return replace(failure, headers={**failure.headers, "www-authenticate": "Bearer"})
    return failure


HANDLERS = border.handlers(_told)
