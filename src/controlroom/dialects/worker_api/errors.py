"""Failures as workers read them: one table of kinds, one body (`controlroom.protocol`)."""

from collections.abc import Iterable

from litestar.handlers import HTTPRouteHandler
from msgspec import Struct

from controlroom.border import failures as border
from controlroom.border.api_docs import failures


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
    return failures.with_failures(handlers, _DESCRIPTIONS, Failure)


HANDLERS = border.handlers(schemes="Bearer")
"""A worker repeats what is answered with 5xx or 429, and gives up what is answered with another 4xx."""
