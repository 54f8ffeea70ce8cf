"""What a document says of answers that are no success."""

from collections.abc import Iterable, Mapping

from litestar.handlers import HTTPRouteHandler
from litestar.openapi import ResponseSpec
from msgspec import Struct


class ErrorDetails(Struct, frozen=True):
    """What went wrong: a code for programs, a message for people; some have further fields."""

    code: str
    message: str


class ErrorAnswer(Struct, frozen=True):
    """Every answer that is no success (§1.3)."""

    error: ErrorDetails
    message: str


def with_failures(
    handlers: Iterable[HTTPRouteHandler], texts: Mapping[int, str], answer: type[Struct] = ErrorAnswer
) -> list[HTTPRouteHandler]:
    """The handlers, documented to fail by these statuses, each with its text, in the form of `answers.error_body`."""
    documented = []
    for handler in handlers:
        handler.responses = {
            status: ResponseSpec(answer, description=text, generate_examples=False) for status, text in texts.items()
        }
        documented.append(handler)
    return documented
