"""Failures in this grammar's envelope (§1.4): `{"status": {…, "is_success": false}, "data": … | null}`, always JSON.

An engine's failure needs nothing here: its kind says the status, and its message is told, in this grammar's words
(`words.py`). What is wrong with a request is told by field in `data` (`{"name": "…"}`), where the field is known: raise
`FieldsWrong({"name": "…"})`, or any engine's Invalid whose field `words.py` knows. No key there is the engine's.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.types import ExceptionHandlersMap
from msgspec.structs import replace

from controlroom.border.failures import Failure, handlers
from controlroom.dialects.dbt_cloud import words
from controlroom.dialects.dbt_cloud.answers import Status
from controlroom.errors import ControlRoomError, Invalid

INVALID_TOKEN: Final = "Invalid token."  # noqa: S105 - a text; clients compare the whole of it
NOT_FOUND: Final = (
    "The requested resource was not found. Check that it exists, and that you have permissions to see it."
)

FAILURES: Final = {
    400: "The request is wrong; `data` tells of which field, where that is known.",
    401: "There is no valid token.",
    403: "The token lacks a permission, which is named.",
    404: "There is no such thing, or the caller may not know of it.",
    409: "It contradicts what has happened meanwhile, or what exists already.",
    429: "The account has asked too often; `Retry-After` says when to try again.",
    501: "This room does not have what is asked for; the message says what there is.",
}
"""What the document says of all routes."""


class NotSupported(Invalid):
    """What this room does not have, said honestly: 501."""

    code = "NOT_SUPPORTED"


class FieldsWrong(Invalid):
    """Fields of a request are not what is wanted: for each what is."""

    code = "INVALID_FIELDS"

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{field}: {wanted}" for field, wanted in faults.items()), faults=dict(faults))


_SAID: Final = {
    "PROCESS_NOT_CONFIGURED": "The job has nothing to run: it needs execute_steps, and its project a repository.",
    "PROCESS_DISABLED": "The job is deactivated: update it with `deactivated: false`, then start it.",
}
"""What is said in place of the engine's words, which programs of this grammar do not know."""
_WRONG: Final = "The request was invalid, check the data: "
_SHOWN: Final = frozenset({"faults", "permission", "request_id", "retry_not_supported_reason", "seconds"})
"""What is known beside a failure's message, and told: the rest has the engine's names."""
_FAULTS: Final = "faults"
_STATUS: Final[Mapping[type[ControlRoomError], int]] = {NotSupported: 501}


class ErrorAnswer(msgspec.Struct, frozen=True):
    """Every answer that is no success."""

    status: Status
    data: dict[str, Any] | str | None
    extra: dict[str, Any] = {}
    error_code: str | None = None


def _told(request: Request[Any, Any, Any], failure: Failure) -> Failure:
    """The texts that clients look for, and what is known beside them."""
    failure = replace(failure, message=words.told(failure.message))
    match failure.status:
        case 400:
            return _refused(request, failure)
        case 401:  # why: the whole text is compared; what to do stands in the other message
            return replace(failure, message=INVALID_TOKEN, fields={"developer_message": failure.message})
        case 403 if (missing := failure.fields.get("permission")) is not None:
            message = f"You do not have permission to do this: the token needs the permission {missing}."
            return replace(failure, message=message)
        case 404:
            return replace(failure, message=NOT_FOUND, fields={"developer_message": failure.message})
        case _ if (said := _SAID.get(failure.code)) is not None:
            return replace(failure, message=said, fields={})
        case _:
            return failure


def _refused(request: Request[Any, Any, Any], failure: Failure) -> Failure:
    """A request that is wrong: for each field, by the name under which it was sent, what is wanted."""
    faults = failure.fields.get(_FAULTS)
    if not isinstance(faults, dict):
        field = words.field_of(failure.code, str(failure.fields.get("field", "")), _keys(request))
        why = failure.fields.get("reason") if "field" in failure.fields else None
        faults = {} if field is None else {field: why or failure.message}
    named = {field: words.told(str(wanted)) for field, wanted in faults.items()}
    said = "; ".join(f"{field}: {wanted}" for field, wanted in named.items()) or failure.message
    return replace(failure, message=f"{_WRONG}{said}", fields={_FAULTS: named} if named else {})


def _keys(request: Request[Any, Any, Any]) -> frozenset[str]:
    """The keys that a body of the route may have."""
    handler = request.scope.get("route_handler")
    field = getattr(handler, "parsed_data_field", None)
    return frozenset() if field is None else keys_of(field.annotation)


@cache
def keys_of(body: Any) -> frozenset[str]:
    """The keys of a type that is read from a body; of a list those of its elements."""
    kinds = [msgspec.inspect.type_info(body)]
    found: set[str] = set()
    for kind in kinds:
        if isinstance(kind, msgspec.inspect.StructType):
            found |= {field.encode_name for field in kind.fields}
        kinds += getattr(kind, "types", ())
        kinds += [each] if (each := getattr(kind, "item_type", None)) else []
    return frozenset(found)


def _answered(failure: Failure) -> Response[bytes]:
    developer = str(failure.fields.get("developer_message", failure.code))
    body = ErrorAnswer(Status(failure.status, False, failure.message, developer), _data(failure))  # noqa: FBT003 - a field
    headers = dict(failure.headers)
    return Response(
        msgspec.json.encode(body), status_code=failure.status, media_type="application/json", headers=headers
    )


def _data(failure: Failure) -> dict[str, Any] | None:
    """Of a refused request, by field; of anything else what is known of it."""
    fields = {name: value for name, value in failure.fields.items() if name in _SHOWN}
    if isinstance(faults := fields.get(_FAULTS), dict):
        return faults
    told: dict[str, Any] = msgspec.to_builtins(fields)
    return told or None


_HANDLERS: Final = handlers(_told, schemes="Token, Bearer", answer=_answered, statuses=_STATUS)
_KINDS: Final[Mapping[type, str]] = {int: "a whole number", float: "a number", bool: "true or false"}


def _parameters_wrong(request: Request[Any, Any, Any], error: ValidationException) -> Response[Any]:
    """Of parameters that a route declares: by their names, what is wanted; the framework's text speaks of its types."""
    named: Any = request.route_handler.parsed_fn_signature.parameters
    faults = error.extra if isinstance(error.extra, list) else []
    keys = [str(fault["key"]) for fault in faults if fault.get("key") in named]
    wanted = {key: _wanted(named[key]) for key in keys if key in request.query_params}
    if not wanted:
        return _HANDLERS[HTTPException](request, error)
    return _HANDLERS[ControlRoomError](request, FieldsWrong(wanted))


def _wanted(parameter: Any) -> str:
    kinds = {parameter.annotation, *(inner.annotation for inner in parameter.inner_types)}
    return next((said for kind, said in _KINDS.items() if kind in kinds), "a value of another kind")


HANDLERS: Final[ExceptionHandlersMap] = {**_HANDLERS, ValidationException: _parameters_wrong}
