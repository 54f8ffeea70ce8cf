"""Files that the worker keeps between runs: databases by content, what dbt keeps of its parses by project and target.

They lie in the worker's folder, which no project sees. Each is written aside and renamed into place; the longest unused
go when they hold more than they may. Losing one costs a download, or a parse.
"""

import asyncio
import hashlib
import os
import secrets
import shutil
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

from controlroom.errors import Invalid

_PIECE: Final = 1 << 20


class KeptFiles:
    """One folder of such files."""

    def __init__(self, folder: Path, *, max_bytes: int) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for half in folder.glob(".*"):  # what a worker that was killed had begun
            half.unlink()
        self._folder = folder
        self._max_bytes = max_bytes

    async def fetched(self, content_hash: str, fetch: Callable[[str, IO[bytes]], Awaitable[None]]) -> Path:
        """The file of this content, fetched if it is not there. Raises Invalid if something else arrives."""
        if not content_hash.isalnum():
            raise Invalid(f"The file's hash is none: {content_hash!r}", code="FILE_DAMAGED")
        kept = self._folder / content_hash
        if kept.exists():
            os.utime(kept)
            return kept
        aside = self._aside()
        try:
            with aside.open("xb") as file:
                await fetch(content_hash, file)
            found = await asyncio.to_thread(digest, aside)
            if found != content_hash:
                raise Invalid(f"A file did not arrive as it was stored (sha256 {found})", code="FILE_DAMAGED")
            aside.rename(kept)
        finally:
            aside.unlink(missing_ok=True)
        await asyncio.to_thread(self._prune, kept)
        return kept

    def named(self, name: str) -> Path | None:
        """The file that was kept by this name."""
        kept = self._folder / _safe(name)
        if not kept.exists():
            return None
        os.utime(kept)
        return kept

    def keep(self, name: str, source: Path, *, moved: bool = False) -> None:
        """Keep a file of the worker's by a name, in place of the last one. A full disk only means that it is not."""
        kept, aside = self._folder / _safe(name), self._aside()
        with suppress(OSError):
            try:
                if moved:
                    source.rename(aside)
                else:
                    shutil.copyfile(source, aside, follow_symlinks=False)
                os.chmod(aside, 0o600)  # noqa: PTH101 - it came from a project's user
                if os.geteuid() == 0:
                    os.chown(aside, 0, 0)
                os.utime(aside)
                aside.rename(kept)
            finally:
                aside.unlink(missing_ok=True)
            self._prune(kept)

    def _aside(self) -> Path:
        return self._folder / f".{secrets.token_hex(8)}"

    def _prune(self, newest: Path) -> None:
        found = []
        for file in self._folder.iterdir():
            with suppress(FileNotFoundError):  # another run's
                status = file.stat()
                found.append((status.st_mtime_ns, status.st_size, file))
        total = sum(size for _, size, _ in found)
        for _, size, file in sorted(found):
            if total <= self._max_bytes:
                return
            if file != newest and not file.name.startswith("."):
                file.unlink(missing_ok=True)
                total -= size


def digest(file: Path) -> str:
    """The hash of a file's content."""
    hashed = hashlib.sha256()
    with file.open("rb") as reading:
        while piece := reading.read(_PIECE):
            hashed.update(piece)
    return hashed.hexdigest()


def _safe(name: str) -> str:
    return name if name.isalnum() else hashlib.sha256(name.encode()).hexdigest()
