"""`/static`: what pages load, as `assets/build.py` has made it. Each file is named by its content and kept for ever."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import structlog
from msgspec import Struct

from controlroom.border.answers import TEXT, answer

log = structlog.get_logger(__name__)

PREFIX: Final = "/static"
FOLDER: Final = Path(__file__).parent / "static"
_TYPES: Final = {
    "css": b"text/css; charset=utf-8",
    "js": b"text/javascript; charset=utf-8",
    "svg": b"image/svg+xml",
    "woff2": b"font/woff2",
    "txt": b"text/plain; charset=utf-8",
}
_KEPT: Final = (b"cache-control", b"public, max-age=31536000, immutable")
_COMMON: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'"),  # of a picture opened alone
)


class _File(Struct, frozen=True):
    kind: bytes
    plain: bytes
    by_encoding: Mapping[bytes, bytes]


class StaticFiles:
    """The files, in memory: half a megabyte."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._names: Mapping[str, str] = {}
        self._files: dict[str, _File] = {}
        try:
            self._names = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["files"]
        except OSError:
            log.warning("the console has no assets: its pages will be bare", remedy="make install")
            return
        for name in (*self._names.values(), "LICENCES.txt"):
            path = folder / name
            compressed = {b"br": path.with_name(f"{name}.br"), b"gzip": path.with_name(f"{name}.gz")}
            kinds = {how: file.read_bytes() for how, file in compressed.items() if file.exists()}
            self._files[f"{PREFIX}/{name}"] = _File(_TYPES[path.suffix[1:]], path.read_bytes(), kinds)

    def address(self, name: str) -> str:
        """Where a file is, by the name that it has in `assets/`."""
        return f"{PREFIX}/{self._names.get(name, name)}"

    async def app(self, scope: dict[str, Any], receive: Any, send: Any) -> None:  # noqa: ARG002 - the ASGI signature
        """Answer with a file."""
        file = self._files.get(scope["path"])
        if file is None or scope["method"] not in {"GET", "HEAD"}:
            await answer(send, 404, b"There is no such file.", TEXT)
            return
        accepted = next((value for name, value in scope["headers"] if name == b"accept-encoding"), b"")
        words = {word.partition(b";")[0].strip() for word in accepted.split(b",")}
        how = next((each for each in file.by_encoding if each in words), None)
        body = file.plain if how is None else file.by_encoding[how]
        headers = [(b"content-type", file.kind), _KEPT, *_COMMON, (b"vary", b"accept-encoding")]
        if how is not None:
            headers.append((b"content-encoding", how))
        await answer(send, 200, body, *headers)
