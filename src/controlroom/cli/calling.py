"""Calls to a room's API, by the library that everybody may use; its failures are a command's, with what to do."""

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar

from controlroom.cli.address import Address
from controlroom.cli.errors import CommandFailed
from controlroom_client import failures
from controlroom_client.plain import TIMEOUT, PlainClient
from controlroom_client.steps import Steps

T = TypeVar("T")

_NO_ADDRESS = "There is nothing at this address."
_NO_ID = "Invalid UUID"
_NO_TIME = "Invalid RFC3339"
_OF_THE_ORGANIZATION = "in the organization"
_HINTS = {
    "OWNER_MISSING": "Name one by --owner, or log in as one by `controlroom login USER`.",
    "UNKNOWN_PERMISSION": "docs/operate/cli.md names them all, `controlroom roles show operator` some.",
}


class Refused(CommandFailed):
    """The room understood the call and said no."""

    def __init__(self, said: failures.Refused) -> None:
        is_no_address = said.message == _NO_ADDRESS  # a word without an id's form makes no address
        super().__init__("the room has nothing of that id" if is_no_address else said.message, hint=_hint(said))
        self.status = said.status
        self.code = said.code  # type: ignore[misc]  # the room's own code, more exact than the class's


class Unreachable(CommandFailed):
    """No answer came."""


class Client(PlainClient):
    """A connection to one workspace of a room; a context manager."""

    _scheme = "RC-WSKEY"
    """Of the header that carries the key."""

    def __init__(self, address: Address, *, timeout: float = TIMEOUT) -> None:
        """A command says at once what is wrong: nothing is tried again, unless `api.patience` is set."""
        self.address = address
        with _in_words_of_commands():
            super().__init__(
                address.url,
                address.workspace,
                address.api_key,
                timeout=timeout,
                patience=0.0,
                trust=partial(_trust, address.ca_file),
                scheme=self._scheme,
            )

    def run(self, steps: Steps[T]) -> T:
        """Take all steps of a call. Raises Refused, Unreachable, CommandFailed."""
        with _in_words_of_commands():
            return super().run(steps)

    def iterate(self, steps: Steps[Any]) -> Iterator[Any]:
        """What steps give, one after the other. Raises likewise."""
        with _in_words_of_commands():
            yield from super().iterate(steps)


@contextmanager
def _in_words_of_commands() -> Iterator[None]:
    try:
        yield
    except failures.Refused as refused:
        raise Refused(refused) from refused
    except failures.Untrusted as untrusted:
        hint = "For a room with its own authority, set SSL_CERT_FILE to its ca.pem (`up` prints the line)."
        raise Unreachable(str(untrusted), hint=hint) from untrusted
    except failures.Unreachable as unreachable:
        is_begun = isinstance(unreachable, failures.BrokenOff)
        hint = "" if is_begun else "Is the room running, and is that its address? `controlroom up` starts one here."
        raise Unreachable(str(unreachable), hint=hint) from unreachable
    except failures.NoRoom as no_room:
        raise CommandFailed(
            f"{no_room.url} is no address of a room", hint="It starts with http:// or https://."
        ) from None
    except failures.ClientError as failed:
        raise CommandFailed(str(failed)) from failed


def _hint(said: failures.Refused) -> str:
    """What to do about a refusal, where its own words do not say so."""
    if said.status == HTTPStatus.UNAUTHORIZED and not isinstance(said, failures.LinkRefused):
        return "Is the API key of this room, and not deleted? See --api-key."
    if said.status == HTTPStatus.FORBIDDEN and (
        said.message.endswith(_OF_THE_ORGANIZATION) or said.code == "USERS_ONLY"
    ):
        return "A workspace's key does not do here: log in as a user who may, by `controlroom login USER`."
    if said.code in _HINTS:
        return _HINTS[said.code]
    if said.message == _NO_ADDRESS or _NO_ID in said.message:
        return "`list` shows the ids."
    if _NO_TIME in said.message:
        return "A time is written with its zone: 2030-01-31T07:30:00Z."
    return ""


def _trust(ca_file: str | None) -> ssl.SSLContext:
    named = os.environ.get("SSL_CERT_FILE")
    if named and not os.path.exists(named):  # noqa: PTH110 - asked once, without another import
        raise CommandFailed(f"the certificates in {named} (SSL_CERT_FILE) cannot be read: there is no such file")
    from controlroom import trust  # noqa: PLC0415 - a room without TLS does without it

    return trust.context(*([ca_file] if ca_file else []))
