"""Secrets and assets of the room."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from controlroom_robot import _place


class Secret(Mapping[str, Any]):
    """The values of a secret, by their keys. It does not print them; the room masks them in the robot's console."""

    def __init__(self, name: str, values: Mapping[str, Any]) -> None:
        self.name = name
        self._values = values

    def __getitem__(self, key: str) -> Any:
        try:
            return self._values[key]
        except KeyError:
            raise KeyError(f"secret {self.name!r} has no {key!r}: it has {', '.join(self._values)}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"<Secret {self.name}: {', '.join(self._values)}>"


class Asset:
    """A piece of data that a room keeps by its name, for all robots of the workspace. It is read when asked for."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"<Asset {self.name}>"

    def read(self) -> bytes:
        """Its content. Raises NotFound."""
        return _place.here().read_asset(self.name)[1]

    def text(self) -> str:
        """Its content as text."""
        return self.read().decode("utf-8")

    def json(self) -> Any:
        """Its content as JSON has it."""
        return json.loads(self.read())

    @property
    def content_type(self) -> str:
        """What it is said to be, as `text/csv`."""
        return _place.here().read_asset(self.name)[0]

    def write(self, content: bytes | str | Any, content_type: str = "") -> None:
        """Give it another content: bytes, text, or whatever else JSON can write. It is made where it is not yet."""
        if isinstance(content, bytes):
            kind, data = "application/octet-stream", content
        elif isinstance(content, str):
            kind, data = "text/plain", content.encode()
        else:
            kind, data = "application/json", json.dumps(content, allow_nan=False).encode()
        _place.here().write_asset(self.name, content_type or kind, data)


def secret(name: str) -> Secret:
    """The secret of a name, as it is now. Raises NotFound.

    >>> secret("mail")["password"]
    """
    return Secret(name, _place.here().secret(name))


def asset(name: str) -> Asset:
    """The asset of a name.

    >>> asset("prices.json").json()["apple"]
    >>> asset("last-order").write("4711")
    """
    return Asset(name)
