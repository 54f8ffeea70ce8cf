"""Failures in this grammar's body (§1.6): `{"code", "message", "details"}`, always all three.

An engine's failure needs nothing here: its kind says the status, its code and message are told. A module that must
answer in a way of its own raises one of these.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import msgspec
from litestar import Request, Response
from msgspec.structs import replace

from controlroom.border.failures import Failure, handlers
from controlroom.dialects.automation360.item_words import WORD_OF
from controlroom.dialects.automation360.routing import NUMBER_CODES, PAIR
from controlroom.engine.access.model import Permission
from controlroom.engine.work_items.errors import WorkItemStateConflict
from controlroom.errors import Conflict, ControlRoomError, Invalid

FAILURES: Final = {
    400: "The request is wrong, or asks for a field that the list does not have.",
    401: "There is no token, or none that is valid any more.",
    403: "The user lacks a permission, which is named.",
    404: "There is no such thing, or the caller may not know of it.",
    409: "It contradicts what has happened meanwhile, or what exists already.",
}
"""What the document says of all routes."""


class Precondition(Conflict):
    """What is asked for does not go with the state of the thing: 412, as the repository says it."""

    code = "PRECONDITION_FAILED"


class NotSupported(Invalid):
    """What this Control Room does not have, said honestly: 501."""

    code = "NOT_SUPPORTED"


_STATUS: Final[Mapping[type[ControlRoomError], int]] = {Precondition: 412, NotSupported: 501}
"""Statuses that the table of all grammars does not have."""
_CODES: Final[Mapping[str, str]] = {"INTERNAL": "generic.server.exception", "UNAUTHENTICATED": "UM1110"}
"""The engine's codes that clients know by another name."""


class ErrorAnswer(msgspec.Struct, frozen=True):
    """Every answer that is no success."""

    code: str | int
    message: str
    details: str | None


def _told(request: Request[Any, Any, Any], failure: Failure) -> Failure:
    """The code as clients know it; what else is known of the failure as the text of `details`."""
    opt: Mapping[str, Any] = getattr(request.scope.get("route_handler"), "opt", {})
    code, message = _CODES.get(failure.code, failure.code), failure.message
    details = _details(failure)
    if isinstance(missing := failure.fields.get("permission"), str):
        pair = opt.get(PAIR)
        named = f"{pair.action} ({pair.resource})" if pair is not None else str(missing)
        if missing == Permission.START_AS:  # the pair is had: it is asked for as soon as another user is named
            named = f"{missing}, because it names another user as whom bots run"
        message = f"You do not have permission for this: it needs {named}."
        details = f"missing permission: {named}"
    elif failure.status == HTTPStatus.FORBIDDEN and details is None and (pair := opt.get(PAIR)) is not None:
        named = f"{pair.action} ({pair.resource})"
        message = f"{message} (permission {named})"
        details = f"missing permission: {named}"
    numbered = failure.status if opt.get(NUMBER_CODES) else code
    if failure.code == WorkItemStateConflict.code:
        message = _of_item(failure)
        details = None
    return replace(failure, code=code, message=message, fields={"code": numbered, "details": details})


def _of_item(failure: Failure) -> str:
    """Why an item cannot be so, by the word for how it stands; not by its id, which is none of this grammar's."""
    state = str(failure.fields.get("state"))
    return f"the work item is {WORD_OF.get(state, state)}: it cannot be {failure.message.rpartition(' be ')[2]}"


def _details(failure: Failure) -> str | None:
    if not failure.fields:
        return None
    told = msgspec.to_builtins(dict(failure.fields))
    return "; ".join(f"{name}: {value}" for name, value in told.items() if value is not None) or None


def _answered(failure: Failure) -> Response[bytes]:
    body = ErrorAnswer(failure.fields.get("code", failure.code), failure.message, failure.fields.get("details"))
    headers = dict(failure.headers)
    encoded = msgspec.json.encode(body)
    return Response(encoded, status_code=failure.status, media_type="application/json", headers=headers)


HANDLERS: Final = handlers(_told, schemes="Bearer", answer=_answered, statuses=_STATUS)
