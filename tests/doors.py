"""Every door of a room, read from its apps: what no test has to list, and so cannot forget."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

from controlroom.app import Room
from controlroom.dialects.robocorp import app as robocorp
from controlroom.dialects.worker_api import app as worker_api

_DOCUMENTS = ("/openapi.json", "/docs", "/api/v1", "/worker/v1")
_PARAMETER = re.compile(r"\{(\w+)(?::(\w+))?\}")


@dataclass(frozen=True)
class Door:
    """A method at an address of an app."""

    method: str
    path: str

    def address(self, **known: object) -> str:
        """The address, with what is known of its parameters; the rest made up."""

        def fill(parameter: re.Match[str]) -> str:
            name, kind = parameter.groups()
            return str(known.get(name) or (uuid4() if kind == "uuid" else 1 if kind == "int" else "made-up"))

        return _PARAMETER.sub(fill, self.path)


def doors(room: Room) -> Iterator[Door]:
    """All of them, but the OpenAPI documents and their pages."""
    robots = robocorp.routes(room.engine, room.origins, mail_domain="localhost")
    for app in (robots, worker_api.routes(room.engine)):
        for route in app.routes:
            for method in sorted(set(route.methods) - {"OPTIONS", "HEAD"}):  # type: ignore[union-attr]
                if not route.path.endswith(_DOCUMENTS):
                    yield Door(method, route.path)
    for method in ("GET", "PUT", "POST"):
        yield Door(method, "/objects/{token:str}")
