"""What may go wrong, as exceptions: the room said no (`Refused` and its kinds), or no answer came (`Unreachable`)."""

from http import HTTPStatus
from http.client import responses
from typing import Any


class ClientError(Exception):
    """A call did not give what was asked for; the text says why."""

    code: str = "CLIENT_ERROR"
    """Stable words to decide by; the text is for people and may change."""


class Unreachable(ClientError):
    """No answer came, or it broke off. Whether the room did what was asked is not known."""

    code = "UNREACHABLE"


class BrokenOff(Unreachable):
    """A download ended before all of it had come."""

    code = "BROKEN_OFF"


class Untrusted(Unreachable):
    """The room shows a certificate that is not trusted here; nothing was sent."""

    code = "CERTIFICATE_NOT_TRUSTED"


class Unreadable(ClientError):
    """The room answered in a form that this version does not know; the room did what was asked."""

    code = "ANSWER_UNREADABLE"


class NoRoom(ClientError):
    """What was named is no address of a room."""

    code = "NO_ROOM"

    def __init__(self, url: str) -> None:
        super().__init__(f"{url} is no address of a room: it starts with http:// or https://")
        self.url = url


class FileChanged(ClientError):
    """A file became shorter while it was sent."""

    code = "FILE_CHANGED"


class Refused(ClientError):
    """The room understood the call and said no."""

    def __init__(self, status: int, code: str, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        """Of HTTP."""
        self.code = code
        """The room's own, such as `PROCESS_NOT_FOUND`; `HTTP_502` where something before the room has answered."""
        self.message = message
        self.retry_after = retry_after
        """Seconds after which the room wants to be asked again, if it said so."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (type(self), self.status, self.code, self.message, self.retry_after)


class Invalid(Refused):
    """The request is wrong: the text names what is."""


class Unauthenticated(Refused):
    """There is no valid credential: the key is of another room, has expired, or was deleted."""


class LinkRefused(Refused):
    """A signed link for an upload or a download is no longer good: ask for it again."""


class Forbidden(Refused):
    """The credential lacks a permission, which the text names."""


class NotFound(Refused):
    """There is no such thing, or the caller may not know of it."""


class Conflict(Refused):
    """It contradicts what has happened meanwhile, or what exists already."""


class Throttled(Refused):
    """That is too much at once; nothing was done."""


class Unavailable(Refused):
    """A part that is needed is away, and stayed away for as long as the client was patient."""


_KINDS: dict[int, type[Refused]] = {
    HTTPStatus.BAD_REQUEST: Invalid,
    HTTPStatus.UNAUTHORIZED: Unauthenticated,
    HTTPStatus.FORBIDDEN: Forbidden,
    HTTPStatus.NOT_FOUND: NotFound,
    HTTPStatus.CONFLICT: Conflict,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: Invalid,
    HTTPStatus.UNPROCESSABLE_ENTITY: Invalid,
    HTTPStatus.TOO_MANY_REQUESTS: Throttled,
    HTTPStatus.BAD_GATEWAY: Unavailable,
    HTTPStatus.SERVICE_UNAVAILABLE: Unavailable,
    HTTPStatus.GATEWAY_TIMEOUT: Unavailable,
}


def refusal(status: int, body: Any, retry_after: float | None = None) -> Refused:
    """The room's own words if it found some: `body` is the JSON of its answer, None if it was none."""
    code, message = f"HTTP_{status}", ""
    if isinstance(body, dict):
        error = body.get("error")
        details = error if isinstance(error, dict) else {}
        code = details.get("code") or code
        message = details.get("message") or body.get("message") or _of_envelope(body.get("status"))
    text = message or f"the room answered {status} {responses.get(status, '')}".rstrip()
    return _KINDS.get(status, Refused)(status, code, text, retry_after=retry_after)


def _of_envelope(status: Any) -> str:
    """The words of a refusal in dbt Cloud's form; those for developers say more of what is not there."""
    if not isinstance(status, dict):
        return ""
    if status.get("code") in {HTTPStatus.NOT_FOUND, HTTPStatus.UNAUTHORIZED}:
        return str(status.get("developer_message") or status.get("user_message"))
    return str(status.get("user_message"))


def _again(kind: type[Refused], status: int, code: str, message: str, retry_after: float | None) -> Refused:
    return kind(status, code, message, retry_after=retry_after)
