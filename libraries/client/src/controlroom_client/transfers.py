"""Files to a room and from it, as streams: what takes more than one call, as steps."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple, TypeAlias

from controlroom_client.calls import Calls, Progress
from controlroom_client.failures import ClientError
from controlroom_client.steps import Steps

Source: TypeAlias = "str | os.PathLike[str] | IO[bytes]"
"""A file by its path, or one that is open for reading bytes and can be sought in."""
Target: TypeAlias = "str | os.PathLike[str] | IO[bytes]"
"""Where a download goes: a path, at which there is a file when all of it has come, or a file open for writing bytes."""


class _File(NamedTuple):
    content: IO[bytes]
    name: str
    size: int


def push(api: Calls, source: Source, name: str, folder: str, progress: Progress) -> Steps[dict[str, Any]]:
    """Send a robot's zip as the next version of the package of a name; the package."""
    with _opened(source) as file:
        body = {"name": name, **({"folder": folder} if folder else {})}
        form = yield from api.json("POST", api.locate("/task-package-uploads"), body)
        yield from api.upload_form(form, file.content, file.size, f"{name}.zip", progress)
    url: str | None = api.locate("/task-packages", {"name": name})
    while url is not None:
        page = yield from api.json("GET", url)
        for package in page["data"]:
            if package["name"] == name:
                found: dict[str, Any] = package
                return found
        url = page.get("next")
    raise ClientError(f"the package {name!r} was taken, and is gone again")


def attach(api: Calls, item_id: str, source: Source, name: str | None, progress: Progress) -> Steps[None]:
    """Send a file into a work item."""
    with _opened(source) as file:
        called = name or file.name
        asked = {"file_name": called, "file_size": file.size}
        promised = yield from api.json("POST", api.locate(f"/work-items/{item_id}/files"), asked)
        yield from api.upload_form(promised["upload"], file.content, file.size, called, progress)


def fill_asset(
    api: Calls, asset_id: str, source: Source, content_type: str, progress: Progress
) -> Steps[dict[str, Any]]:
    """Give an asset new content; what became of the upload."""
    with _opened(source) as file:
        place = api.locate(f"/assets/{asset_id}/uploads")
        upload = yield from api.json("POST", place, {"content_type": content_type})
        yield from api.upload(upload["upload_url"], file.content, file.size, content_type, progress)
    ended: dict[str, Any] = yield from api.json("GET", f"{place}/{upload['id']}")
    return ended


def fetch(api: Calls, url: str, target: Target, progress: Progress, *, is_signed: bool) -> Steps[int]:
    """Write what a link leads to; how many bytes that was."""
    if not isinstance(target, str | os.PathLike):
        return (yield from api.download(url, target, progress, is_signed=is_signed))
    path = Path(target)
    descriptor, aside = tempfile.mkstemp(prefix=".controlroom.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as out:
            size = yield from api.download(url, out, progress, is_signed=is_signed)
        umask = os.umask(0)
        os.umask(umask)
        Path(aside).chmod(0o666 & ~umask)
        Path(aside).replace(path)
    finally:
        Path(aside).unlink(missing_ok=True)
    return size


@contextmanager
def _opened(source: Source) -> Iterator[_File]:
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        with path.open("rb") as content:
            yield _File(content, path.name, os.fstat(content.fileno()).st_size)
        return
    here = source.tell()
    size = source.seek(0, os.SEEK_END) - here
    source.seek(here)
    yield _File(source, Path(str(getattr(source, "name", "file"))).name, size)
