"""Failures as pages: what happened, what is safe, what to do, and a reference for the log."""

from collections.abc import Mapping
from typing import Any, Final

from litestar.exceptions import HTTPException
from litestar.response import Stream
from litestar.types import ExceptionHandlersMap
from msgspec import Struct

from controlroom.border.credentials import header_of
from controlroom.border.failures import Failure, failure_of
from controlroom.errors import ControlRoomError
from controlroom.ui import cookies
from controlroom.ui.asking import Asking
from controlroom.ui.entrance import Moved
from controlroom.ui.lists.tables import AsTable
from controlroom.ui.rendering import Shown, elsewhere
from controlroom.ui.session.form import log_in_form


class Told(Struct, frozen=True):
    """What a page says of a kind of failure."""

    title: str
    what_to_do: str


_TOLD: Final[Mapping[int, Told]] = {
    400: Told("This cannot be asked so", "Nothing was changed. Go back and correct what you have typed."),
    403: Told(
        "You may not do this", "Nothing was changed. Who owns the workspace can give you the permission, under Members."
    ),
    404: Told("There is nothing here", "It may have been deleted, or the address has a slip. Nothing was changed."),
    405: Told("There is nothing here", "This address is for a button, not for opening. Nothing was changed."),
    409: Told(
        "Somebody was quicker", "What you wanted to change is no longer as it was shown. Look again, then decide."
    ),
    413: Told("This is too large", "Nothing was changed. The limits stand under Settings."),
    429: Told("Too many tries", "Nothing is broken. Wait a moment, then try again."),
    503: Told("A part of the room does not answer", "What was accepted is safe. Try again in a moment."),
}
_BUG: Final = Told(
    "Something went wrong here",
    "What was accepted before is safe. Try again; if it stays so, the reference finds it in the log.",
)


def _show(request: Asking, error: Exception) -> Shown | Stream:
    if isinstance(error, Moved):
        return elsewhere(error.to)
    if isinstance(error, AsTable):
        return error.answer
    failure = failure_of(request, error)
    if failure.status == 401:  # noqa: PLR2004 - its number says it
        return _nobody(request, failure)
    told = _TOLD.get(failure.status, _BUG)
    values: dict[str, Any] = {
        "told": told,
        "failure": failure,
        "reference": request.scope["state"].get("request_id", ""),
        "now": request.reader.now,
    }
    headers = [(name.encode(), value.encode()) for name, value in failure.headers.items()]
    templates = request.app.state.templates
    if request.is_from_script:
        body = templates.render("templates/failed.html", values, request.reader, ("failed",))
    elif "caller" in request.scope["state"] and "workspaces" in request.scope["state"]:
        values |= {"frame": request.frame(told.title), "base": request.base}
        body = templates.render("templates/failed.html", values, request.reader)
    else:
        body = templates.render("templates/failed_alone.html", {**values, "look": request.look}, request.reader)
    return Shown(body, status_code=failure.status, headers=headers)


def _nobody(request: Asking, failure: Failure) -> Shown:
    """Nobody is logged in: a form in place of the page, with 200, so that what was asked for is shown next.

    A link in a mail comes from another site, without the cookie that is `SameSite=Strict`: its page opens itself once
    more, now from ours.
    """
    templates = request.app.state.templates
    if request.is_from_script:
        return Shown("", status_code=401, headers=[(b"www-authenticate", b"Session")])
    if header_of(request.scope, b"sec-fetch-site") == "cross-site" and request.method == "GET":
        return Shown(templates.render("templates/from_elsewhere.html", {"look": request.look}, request.reader))
    ended = cookies.session_cookie(request.origin) in request.cookie
    message = "Your session has ended." if ended else ""
    if request.method != "GET":
        message = f"{failure.message} Nothing was done: log in and try again."
    status = 200 if request.method in {"GET", "HEAD"} else 401
    return log_in_form(request, message=message, status=status, forgets=ended)


HANDLERS: Final[ExceptionHandlersMap] = {
    Moved: _show,  # type: ignore[dict-item]  # a request of ours
    AsTable: _show,  # type: ignore[dict-item]
    ControlRoomError: _show,  # type: ignore[dict-item]
    HTTPException: _show,  # type: ignore[dict-item]
    Exception: _show,  # type: ignore[dict-item]
}
