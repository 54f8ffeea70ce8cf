"""With whose rights users, roles and grants are governed."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus

from controlroom.cli.address import Address, address, known_room
from controlroom.cli.calling import Client, Refused
from controlroom.cli.options import RoomOptions


@contextmanager
def governing(room: RoomOptions) -> Iterator[Client]:
    """A client for what an organization governs.

    It speaks with the key that was given. Only where that is the first key of a room of this machine, whose ready file
    is ours to read, it speaks for the room's first admin, whose password stands beside that key until they change it:
    a key of a workspace governs no organization, and who has the file could log in.
    """
    where = address(room)
    facts = known_room(where.url) or {}
    admin = facts.get("admin") or {}
    if not admin.get("password") or facts.get("api_key") != where.api_key:
        with Client(where) as client:
            try:
                yield client
            except Refused as refused:
                if refused.status == HTTPStatus.FORBIDDEN and not refused.hint:
                    refused.hint = "A workspace's key governs no organization: log in by `controlroom login USER`."
                raise
        return
    with Client(where) as client:
        try:
            session = client.post(f"{where.url}/api/v1/login", dict(admin))["token"]
        except Refused:  # the password is another meanwhile
            yield client
            return
    with Client(Address(where.url, where.workspace, session, where.ca_file)) as client:
        try:
            yield client
        finally:
            with suppress(Refused):
                client.post(f"{where.url}/api/v1/logout")
