"""A room's API as it is: paths below a workspace, JSON in and out. What has no types is quick to import."""

import ssl
from collections.abc import Callable, Iterator
from typing import IO, Any, Self, TypeVar

from controlroom_client.calls import Calls, Progress, in_silence
from controlroom_client.exchanges import Exchanges
from controlroom_client.failures import NotFound
from controlroom_client.steps import Ended, Steps, onwards

T = TypeVar("T")

TIMEOUT = 60.0
PATIENCE = 10.0


def context(ca_file: str | None = None) -> ssl.SSLContext:
    """The certificates that this machine believes, and those of a file beside."""
    made = ssl.create_default_context()
    if ca_file is not None:
        made.load_verify_locations(ca_file)
    return made


class PlainClient:
    """A connection to one workspace of a room; a context manager, for one thread or several.

    `url` is the room's address, `workspace` an id, `key` an API key or the token of a log-in. Calls that may be
    repeated (reading is) are tried again for `patience` seconds while the room is away or asks to wait. `timeout` is
    how many seconds of silence are borne. `trust` makes the certificates that are believed.
    """

    def __init__(
        self,
        url: str,
        workspace: str,
        key: str,
        *,
        timeout: float = TIMEOUT,
        patience: float = PATIENCE,
        trust: Callable[[], ssl.SSLContext] = context,
        scheme: str = "RC-WSKEY",
    ) -> None:
        self.api = Calls(Exchanges(trust, timeout), url, workspace, key, scheme=scheme, patience=patience)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all connections."""
        self.api.exchanges.close()

    def get(self, path: str, **query: object) -> Any:
        """The object at a path of the workspace, or at a whole address that the room gave."""
        return self.run(self.api.json("GET", self.locate(path, **query)))

    def get_or_none(self, path: str) -> Any:
        """The object at a path of the workspace; None if there is none, or not for us."""
        return self.run(_or_none(self.api.json("GET", self.locate(path))))

    def post(self, path: str, body: object = None) -> Any:
        """The answer to a POST of a JSON body (none if None)."""
        return self.run(self.api.json("POST", self.locate(path), body))

    def put(self, path: str, body: object) -> Any:
        """The answer to a PUT of a JSON body."""
        return self.run(self.api.json("PUT", self.locate(path), body))

    def delete(self, path: str) -> Any:
        """The answer to a DELETE."""
        return self.run(self.api.json("DELETE", self.locate(path)))

    def each(self, path: str, *, at_most: int | None = None, **query: object) -> Iterator[dict[str, Any]]:
        """Every object of a list, over all its pages, up to a number."""
        return self.iterate(self.api.rows(path, at_most, query))

    def locate(self, path: str, **query: object) -> str:
        """The whole address of a path below the workspace; queries that are None are left out."""
        return self.api.locate(path, query)

    def upload_form(
        self, target: dict[str, Any], file: IO[bytes], size: int, name: str, progress: Progress = in_silence
    ) -> None:
        """Send a file as the form that a signed upload asks for."""
        self.run(self.api.upload_form(target, file, size, name, progress))

    def upload(self, url: str, file: IO[bytes], size: int, content_type: str, progress: Progress = in_silence) -> None:
        """Send a file as the body of a PUT to a signed link."""
        self.run(self.api.upload(url, file, size, content_type, progress))

    def download(self, url: str, out: IO[bytes], progress: Progress = in_silence, *, is_signed: bool = True) -> int:
        """Write what a signed link leads to, or an address for our key; how many bytes that was."""
        return self.run(self.api.download(url, out, progress, is_signed=is_signed))

    def run(self, steps: Steps[T]) -> T:
        """Take all steps of a call."""
        ended = onwards(steps)
        assert isinstance(ended, Ended)  # noqa: S101 - what gives is iterated
        value: T = ended.value
        return value

    def iterate(self, steps: Steps[Any]) -> Iterator[Any]:
        """What steps give, one after the other."""
        try:
            while not isinstance(given := onwards(steps), Ended):
                yield given.value
        finally:
            steps.close()


def _or_none(steps: Steps[Any]) -> Steps[Any]:
    try:
        return (yield from steps)
    except NotFound:
        return None
