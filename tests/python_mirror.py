"""A place from which uv downloads interpreters, made by the tests: each is a script that starts one of this machine."""

import hashlib
import io
import json
import platform
import tarfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class _Handler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def guess_type(self, path: str) -> str:
        """A package index's page is JSON of its own kind."""
        is_index = path.endswith("index.html") and Path(path).read_bytes().startswith(b"{")
        return "application/vnd.pypi.simple.v1+json" if is_index else super().guess_type(path)


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve a folder on loopback; gives its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def python_mirror(folder: Path, offered: Mapping[str, Path]) -> Iterator[dict[str, str]]:
    """The variables by which uv finds these versions, and only these."""
    folder.mkdir()
    with serving(folder) as url:
        described = {}
        for version, interpreter in offered.items():
            archive = f"cpython-{version}.tar.gz"
            content = _archive(interpreter, version)
            (folder / archive).write_bytes(content)
            major, minor, patch = map(int, version.split("."))
            described[f"cpython-{version}-linux-{platform.machine()}-gnu"] = {
                "name": "cpython",
                "arch": {"family": platform.machine(), "variant": None},
                "os": "linux",
                "libc": "gnu",
                "major": major,
                "minor": minor,
                "patch": patch,
                "prerelease": "",
                "url": f"{url}/{archive}",
                "sha256": hashlib.sha256(content).hexdigest(),
                "variant": None,
                "build": "20240101",
            }
        (folder / "downloads.json").write_text(json.dumps(described))
        yield {
            "UV_PYTHON_DOWNLOADS": "automatic",
            "UV_PYTHON_DOWNLOADS_JSON_URL": str(folder / "downloads.json"),
            "NO_PROXY": "127.0.0.1",
        }


def _archive(interpreter: Path, version: str) -> bytes:
    program = f'#!/bin/sh\nexec "{interpreter.resolve()}" "$@"\n'.encode()
    minor = version.rpartition(".")[0]
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        member = tarfile.TarInfo(f"python/bin/python{minor}")
        member.size, member.mode = len(program), 0o755
        tar.addfile(member, io.BytesIO(program))
        for name in ("python3", "python"):
            link = tarfile.TarInfo(f"python/bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, f"python{minor}"
            tar.addfile(link)
    return buffer.getvalue()
