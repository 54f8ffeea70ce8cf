"""Failures as workers read them: one table of kinds, one body (`controlroom.protocol`)."""

from collections.abc import Iterable
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import ClientException, HTTPException, ValidationException
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import ResponseSpec
from litestar.status_codes import HTTP_413_REQUEST_ENTITY_TOO_LARGE, HTTP_500_INTERNAL_SERVER_ERROR
from litestar.types import ExceptionHandlersMap
from msgspec import Struct

from controlroom.border.answers import error_body, retry_after
from controlroom.border.arrivals import BodyTooLarge, BodyTooSlow
from controlroom.errors import (
    Conflict,
    ControlRoomError,
    Forbidden,
    Invalid,
    NotFound,
    Throttled,
    Unauthenticated,
    Unavailable,
)

STATUS: dict[type[ControlRoomError], int] = {
    BodyTooLarge: 413,
    BodyTooSlow: 408,
    Invalid: 400,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    Throttled: 429,
    Unavailable: 503,
}
"""A worker repeats what is answered with 5xx or 429, and gives up what is answered with another 4xx."""


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


def _failure(request: Request[Any, Any, Any], error: ControlRoomError) -> Response[bytes]:
    status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), None)
    if status is None:
        return _bug(request, error)
    fields = {name: msgspec.to_builtins(value) for name, value in error.fields.items()}
    headers = {name.decode(): value.decode() for name, value in retry_after(error)}
    if isinstance(error, Unauthenticated):
        headers["www-authenticate"] = "Bearer"
    return _response(status, error_body(error.code, error.message, **fields), headers)


def _framework(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """Failures that the framework found, before or beside our own code."""
    match error:
        case ValidationException():
            return _response(400, error_body("INVALID", f"{error.detail}: {error.extra}"))
        case ClientException() if error.status_code == HTTP_413_REQUEST_ENTITY_TOO_LARGE:
            return _response(413, error_body("REQUEST_TOO_LARGE", "The body is larger than this server takes."))
        case HTTPException() if error.status_code == HTTP_500_INTERNAL_SERVER_ERROR:
            return _bug(request, error)
        case _:
            return _response(error.status_code, error_body("INVALID", error.detail))


def _bug(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Anything else: the dispatcher logs it, with the request's id."""
    state = request.scope["state"]
    state["bug"] = error
    message = "Something went wrong here; the request's id finds it in the log."
    body = error_body("INTERNAL", message, request_id=state.get("request_id"))
    return _response(HTTP_500_INTERNAL_SERVER_ERROR, body)


def _response(status: int, body: bytes, headers: dict[str, str] | None = None) -> Response[bytes]:
    return Response(body, status_code=status, media_type="application/json", headers=headers)


HANDLERS: ExceptionHandlersMap = {ControlRoomError: _failure, HTTPException: _framework, Exception: _bug}
