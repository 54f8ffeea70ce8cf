"""The room as clients of dbt's platform see it: everything by numbers, below the account."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from controlroom.cli.address import Address
from controlroom.cli.calling import Client
from controlroom.cli.governing import governing
from controlroom.cli.options import RoomOptions

_PAGE = 1000


class Cloud(Client):
    """A connection to an account."""

    _scheme = "Token"

    def __init__(self, address: Address) -> None:
        super().__init__(address)
        root = f"{address.url}/api/v2/accounts/"
        [account] = self.get(root)["data"]
        self._below = f"{root}{account['id']}"

    def at(self, path: str) -> str:
        """The whole address of what lies below the account."""
        return f"{self._below}/{quote(path)}"

    def told(self, path: str, **query: object) -> Any:
        """`data` of what is there."""
        return self.get(self.at(path), **query)["data"]

    def done(self, path: str, body: object = None) -> Any:
        """`data` of the answer to a POST."""
        return self.post(self.at(path), body)["data"]

    def rows(self, path: str, *, at_most: int, **query: object) -> list[Any]:
        """Rows of a list, over its pages."""
        rows: list[Any] = []
        while len(rows) < at_most:
            limit = min(_PAGE, at_most - len(rows))
            page = self.told(path, limit=limit, offset=len(rows), **query)
            rows += page
            if len(page) < limit:
                break
        return rows


@contextmanager
def cloud(room: RoomOptions) -> Iterator[Cloud]:
    """A connection with the rights that `governing` finds."""
    with governing(room) as client, Cloud(client.address) as connected:
        yield connected
