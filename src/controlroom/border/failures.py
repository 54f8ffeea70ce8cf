"""Failures become statuses by one table of kinds; a grammar says in which words and in which body."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from litestar import Request, Response
from litestar.exceptions import (
    ClientException,
    HTTPException,
    MethodNotAllowedException,
    NotFoundException,
    ValidationException,
)
from litestar.status_codes import HTTP_413_REQUEST_ENTITY_TOO_LARGE
from litestar.types import ExceptionHandlersMap
from msgspec import Struct
from msgspec.structs import replace

from controlroom.border.answers import JSON, error_body, retry_after
from controlroom.border.answers import answer as send_answer
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

STATUS: Final[Mapping[type[ControlRoomError], int]] = {
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

_UNKNOWN: Final = 401
NO_OTHERS: Final[Mapping[type[ControlRoomError], int]] = {}

AnyRequest = Request[Any, Any, Any]


class Failure(Struct, frozen=True, kw_only=True):
    """What is to be told of a request that did not succeed, in the engine's words."""

    status: int
    code: str
    message: str
    fields: Mapping[str, Any] = {}
    """What else is known, as Python's values: a grammar may have its own names for them."""
    headers: Mapping[str, str] = {}


Tell = Callable[[AnyRequest, Failure], Failure]
"""A grammar's words: the same failure with its codes, names and headers."""


def status_of(error: ControlRoomError, beside: Mapping[type[ControlRoomError], int] = NO_OTHERS) -> int | None:
    """The status of a failure, by its kind; the nearest kind of a subclass. None for one without a kind: a bug.

    A grammar may have kinds of its own `beside` those that all have.
    """
    return next(
        (beside.get(kind) or STATUS[kind] for kind in type(error).__mro__ if kind in beside or kind in STATUS), None
    )


def answered(failure: Failure) -> Response[bytes]:
    """The failure in the form that all of ours have (`answers.error_body`)."""
    headers = dict(failure.headers)
    return Response(_body(failure), status_code=failure.status, media_type="application/json", headers=headers)


async def send_failure(send: Any, failure: Failure, *, schemes: str = "") -> None:
    """The same as a whole answer, for an app without the framework."""
    headers = {**failure.headers, **({"www-authenticate": schemes} if schemes and failure.status == _UNKNOWN else {})}
    sent = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    await send_answer(send, failure.status, _body(failure), JSON, *sent)


def _body(failure: Failure) -> bytes:
    # What would overwrite the two that every error has stays in.
    fields = {name: value for name, value in failure.fields.items() if name not in {"code", "message"}}
    return error_body(failure.code, failure.message, **msgspec.to_builtins(fields))


def handlers(
    tell: Tell | None = None,
    *,
    schemes: str = "",
    answer: Callable[[Failure], Response[bytes]] = answered,
    statuses: Mapping[type[ControlRoomError], int] = NO_OTHERS,
) -> ExceptionHandlersMap:
    """What a grammar's app does with failures: `tell` has its words, `answer` its body.

    `schemes` are those of its credentials, which a 401 names (RFC 9110 §15.5.2); `statuses` those of its own kinds.
    """

    def telling(request: AnyRequest, failure: Failure) -> Response[bytes]:
        if schemes and failure.status == _UNKNOWN:
            failure = replace(failure, headers={**failure.headers, "www-authenticate": schemes})
        return answer(failure if tell is None else tell(request, failure))

    def known(request: AnyRequest, error: ControlRoomError) -> Response[bytes]:
        status = status_of(error, statuses)
        return telling(request, _bug(request, error) if status is None else _failure(status, error))

    def framework(request: AnyRequest, error: HTTPException) -> Response[bytes]:
        return telling(request, _of_framework(request, error))

    def bug(request: AnyRequest, error: Exception) -> Response[bytes]:
        return telling(request, _bug(request, error))

    return {ControlRoomError: known, HTTPException: framework, Exception: bug}


def failure_of(request: AnyRequest, error: Exception) -> Failure:
    """What is to be told of whatever was raised, for an app that answers in a form of its own."""
    match error:
        case ControlRoomError():
            status = status_of(error)
            return _bug(request, error) if status is None else _failure(status, error)
        case HTTPException():
            return _of_framework(request, error)
        case _:
            return _bug(request, error)


def _failure(status: int, error: ControlRoomError) -> Failure:
    headers = {name.decode(): value.decode() for name, value in retry_after(error)}
    return Failure(status=status, code=error.code, message=error.message, fields=error.fields, headers=headers)


def _of_framework(request: AnyRequest, error: HTTPException) -> Failure:
    """Failures that the framework found, before or beside our own code."""
    match error:
        case MethodNotAllowedException():
            headers = error.headers or {}
            allowed = next((value for name, value in headers.items() if name.lower() == "allow"), "")
            message = f"This address has no such method{f'; it has {allowed}' if allowed else ''}."
            return Failure(status=405, code="METHOD_NOT_ALLOWED", message=message, headers=headers)
        case NotFoundException():
            return Failure(status=404, code="NOT_FOUND", message="There is nothing at this address.")
        case ValidationException():
            return Failure(status=400, code="INVALID", message=_wrong_parameters(request, error))
        case ClientException() if error.status_code == HTTP_413_REQUEST_ENTITY_TOO_LARGE:
            message = "The request's body is larger than this server takes."
            return Failure(status=413, code="REQUEST_TOO_LARGE", message=message)
        case HTTPException() if error.status_code >= 500:  # noqa: PLR2004 - where a server's own failures begin
            return _bug(request, error)
        case _:
            return Failure(status=error.status_code, code="INVALID", message=error.detail)


def _bug(request: AnyRequest, error: Exception) -> Failure:
    """Anything else: the dispatcher logs it, with the request's id; the caller is told that id and no more."""
    state = request.scope["state"]
    state["bug"] = error
    message = "Something went wrong here; the request's id finds it in the log."
    return Failure(status=500, code="INTERNAL", message=message, fields={"request_id": state.get("request_id")})


def _wrong_parameters(request: AnyRequest, error: ValidationException) -> str:
    """The framework's list of faults as one sentence."""
    asked = inspect.signature(request.route_handler.fn).parameters
    # Once somebody has read the API's document, the framework misses what an address has and the function doesn't use.
    told = error.extra if isinstance(error.extra, list) else []
    faults = [fault for fault in told if fault.get("key") not in request.path_params or fault["key"] in asked]
    if any(fault.get("key") == "data" for fault in faults):  # wrong ones are refused when they are decoded
        return "The request needs a body, and has none."
    said = [
        f"{_sent(request, fault['key'])}: {fault['message']}" if "key" in fault else str(fault["message"])
        for fault in faults
    ]
    return "; ".join(said) or error.detail


def _sent(request: AnyRequest, name: str) -> str:
    """How callers name a parameter that our function may name otherwise."""
    field = request.route_handler.parsed_fn_signature.parameters.get(name)
    return getattr(field and field.kwarg_definition, "name", None) or name
