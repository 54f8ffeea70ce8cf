"""The files of runs, fetched to a disk and never held whole; some of them are put into a filesystem as they are."""

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import quote

import requests
from dlt.common.configuration.resolve import resolve_configuration
from dlt.common.storages import FilesystemConfiguration, fsspec_from_config

from controlroom.sources.paging import Request
from controlroom.sources.reading import Reader, ReadFailed

_PIECE: Final = 256 << 10
_IN_MEMORY: Final = 1 << 20
_TRIES: Final = 3


@dataclass(slots=True)
class Fetched:
    """A file that was fetched; it is gone once it is closed."""

    content: IO[bytes]
    size: int
    sha256: str

    def pieces(self) -> Iterator[bytes]:
        """Its content, from the beginning."""
        self.content.seek(0)
        while piece := self.content.read(_PIECE):
            yield piece

    def close(self) -> None:
        """Let it go."""
        self.content.close()


def fetch(reader: Reader, path: str, **params: Any) -> Fetched:
    """The file at a path. Raises ReadFailed, Gone."""
    request = Request(path, {name: value for name, value in params.items() if value is not None})
    for left in reversed(range(_TRIES)):
        content = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - it is closed by whoever fetches it
        try:
            return _read(reader, request, content)
        except requests.RequestException as broken:  # it broke off on the way
            content.close()
            if not left:
                raise ReadFailed(request, None, type(broken).__name__) from broken
        except BaseException:
            content.close()
            raise
    raise AssertionError("unreachable")


def _read(reader: Reader, request: Request, content: Any) -> Fetched:
    digest, size = hashlib.sha256(), 0
    with reader.answer(request, stream=True) as response:
        for piece in response.iter_content(_PIECE):
            digest.update(piece)
            size += len(piece)
            content.write(piece)
    return Fetched(content, size, digest.hexdigest())


# ------------------------------------------------------------------------------------------------------- raw files
@dataclass(frozen=True, slots=True)
class Shelf:
    """Where files are put as they are, and which."""

    files: Any
    """An fsspec filesystem."""
    bucket_url: str
    wanted: Sequence[str]

    def wants(self, path: str) -> bool:
        """Whether a file is to be put there."""
        return any(fnmatchcase(path, pattern) for pattern in self.wanted)

    def put(self, path: str, fetched: Fetched) -> str:
        """Put a file there, and tell its address. One that is there is replaced at its end, never by a part."""
        parts = [quote(part, safe="@=+,() ~") for part in path.split("/") if part not in {"", ".", ".."}]
        address = "/".join((self.bucket_url.rstrip("/"), *parts))
        self.files.makedirs(address.rpartition("/")[0], exist_ok=True)
        with self.files.transaction, self.files.open(address, "wb") as out:
            for piece in fetched.pieces():
                out.write(piece)
        return address


def shelf(bucket_url: str, wanted: Sequence[str]) -> Shelf:
    """A shelf in a folder or a bucket, with the credentials of dlt's filesystem destination."""
    address = bucket_url if "://" in bucket_url else Path(bucket_url).absolute().as_uri()
    asked = FilesystemConfiguration(bucket_url=address)
    found = resolve_configuration(asked, sections=("destination", "filesystem"))
    files, _ = fsspec_from_config(found)
    return Shelf(files, address, tuple(wanted))
