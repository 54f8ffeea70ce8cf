"""Failures as this dialect's callers read them (§1.3): one table of kinds, one body."""

from typing import Any

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

from controlroom.border.answers import error_body, retry_after
from controlroom.border.arrivals import BodyTooLarge, BodyTooSlow
from controlroom.dialects.robocorp.permissions import name_for
from controlroom.engine.access.model import Permission
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


def status_of(error: ControlRoomError) -> int:
    """The status of a failure, by its kind; the nearest kind of a subclass."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def _failure(request: Request[Any, Any, Any], error: ControlRoomError) -> Response[bytes]:
    status = status_of(error)
    if status == 500:  # noqa: PLR2004 - a failure without a kind is a bug
        return _bug(request, error)
    message, fields = error.message, error.fields
    if isinstance(permission := fields.get("permission"), Permission):
        name = name_for(permission, request.scope["state"].get("actor"))
        message, fields = f"This needs the permission {name}.", fields | {"permission": name}
    headers = {name.decode(): value.decode() for name, value in retry_after(error)}
    if status == 401:  # noqa: PLR2004 - RFC 9110 §15.5.2: a 401 names the schemes
        headers["www-authenticate"] = "RC-WSKEY, Bearer"
    return _response(status, error.code, message, headers=headers, **_showable(fields))


def _framework(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """Failures that the framework found, before or beside our own code."""
    match error:
        case MethodNotAllowedException():
            return _response(405, "METHOD_NOT_ALLOWED", "This address has no such method.", headers=error.headers)
        case NotFoundException():
            return _response(404, "NOT_FOUND", "There is nothing at this address.")
        case ValidationException():
            return _response(400, "INVALID", _wrong_parameters(request, error))
        case ClientException() if error.status_code == HTTP_413_REQUEST_ENTITY_TOO_LARGE:
            return _response(413, "REQUEST_TOO_LARGE", "The request's body is larger than this server takes.")
        case _:
            return _response(error.status_code, "INVALID", error.detail)


def _bug(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Anything else: the dispatcher logs it, with the request's id; the caller is told that id and no more."""
    state = request.scope["state"]
    state["bug"] = error
    message = "Something went wrong here; the request's id finds it in the log."
    return _response(500, "UNEXPECTED_ERROR", message, request_id=state.get("request_id"))


def _wrong_parameters(request: Request[Any, Any, Any], error: ValidationException) -> str:
    """The framework's list of faults as one sentence."""
    faults = error.extra if isinstance(error.extra, list) else []
    if any(fault.get("key") == "data" for fault in faults):  # wrong ones are refused when they are decoded
        return "The request needs a body, and has none."
    said = [
        f"{_sent(request, fault['key'])}: {fault['message']}" if "key" in fault else str(fault["message"])
        for fault in faults
    ]
    return "; ".join(said) or error.detail


def _sent(request: Request[Any, Any, Any], name: str) -> str:
    """How callers name a parameter that our function may name otherwise."""
    field = request.route_handler.parsed_fn_signature.parameters.get(name)
    return getattr(field and field.kwarg_definition, "name", None) or name


def _showable(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields of an error that may go out; those that would overwrite the two that every error has may not."""
    return {name: msgspec.to_builtins(value) for name, value in fields.items() if name not in {"code", "message"}}


def _response(
    status: int, code: str, message: str, *, headers: dict[str, str] | None = None, **fields: Any
) -> Response[bytes]:
    body = error_body(code, message, **fields)
    return Response(body, status_code=status, media_type="application/json", headers=headers)


HANDLERS: ExceptionHandlersMap = {ControlRoomError: _failure, HTTPException: _framework, Exception: _bug}
