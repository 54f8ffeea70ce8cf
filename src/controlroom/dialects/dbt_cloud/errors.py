"""Failures in this grammar's envelope (§1.4): `{"status": {…, "is_success": false}, "data": … | null}`, always JSON.

An engine's failure needs nothing here: its kind says the status, and its message is told. What is wrong with a request
is told by field in `data` (`{"name": "…"}`), where the field is known: raise `FieldsWrong({"name": "…"})`, or any
engine's Invalid that has a `field`.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from litestar import Request, Response
from msgspec.structs import replace

from controlroom.border.failures import Failure, handlers
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
_NAMED: Final = {"NAME_INVALID": "name", "GIT_URL_INVALID": "remote_url"}
"""Which field is meant by failures that do not say it."""
_STATUS: Final[Mapping[type[ControlRoomError], int]] = {NotSupported: 501}


class ErrorAnswer(msgspec.Struct, frozen=True):
    """Every answer that is no success."""

    status: Status
    data: dict[str, Any] | str | None
    extra: dict[str, Any] = {}
    error_code: str | None = None


def _told(_: Request[Any, Any, Any], failure: Failure) -> Failure:
    """The texts that clients look for, and what is known beside them."""
    match failure.status:
        case 400:
            return replace(failure, message=f"{_WRONG}{failure.message}")
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


def _answered(failure: Failure) -> Response[bytes]:
    developer = str(failure.fields.get("developer_message", failure.code))
    body = ErrorAnswer(Status(failure.status, False, failure.message, developer), _data(failure))  # noqa: FBT003 - a field
    headers = dict(failure.headers)
    return Response(
        msgspec.json.encode(body), status_code=failure.status, media_type="application/json", headers=headers
    )


def _data(failure: Failure) -> dict[str, Any] | None:
    """Of a refused request, by field; of anything else what is known of it."""
    fields = {name: value for name, value in failure.fields.items() if name != "developer_message"}
    if isinstance(faults := fields.get("faults"), dict):
        return faults
    if failure.status == 400 and isinstance(field := fields.get("field", _NAMED.get(failure.code)), str):  # noqa: PLR2004 - its number says it
        return {field: failure.message.removeprefix(_WRONG)}
    told: dict[str, Any] = msgspec.to_builtins(fields)
    return told or None


HANDLERS: Final = handlers(_told, schemes="Token, Bearer", answer=_answered, statuses=_STATUS)
