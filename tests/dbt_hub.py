"""A package hub of the test's own on loopback, and a git server beside it: what `dbt deps` asks."""

import functools
import hashlib
import io
import json
import os
import subprocess
import tarfile
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self


class Hub:
    """Serves packages as dbt's hub does, archives, and repositories that lie in a folder."""

    def __init__(self, folder: Path | None = None, *, hangs: bool = False) -> None:
        self.asked: list[str] = []
        self._files: dict[str, bytes] = {}
        self._names: list[str] = []
        self._news = threading.Event()
        self._over = threading.Event()
        handler = functools.partial(_Handler, self, hangs, str(folder or Path("/nonexistent")))
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._folder = folder

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()

    def wait_until_asked(self) -> None:
        """Wait until somebody has asked for anything."""
        assert self._news.wait(120), "nobody has asked"

    def package(self, namespace: str, name: str, version: str, files: Mapping[str, str]) -> str:
        """Have a package; the address of its archive."""
        archive = f"/archives/{name}-{version}.tar.gz"
        content = packed(f"{name}-{version}", files)
        told = {
            "id": f"{namespace}/{name}/{version}",
            "name": name,
            "version": version,
            "packages": [],
            "works_with": [],
            "require_dbt_version": [],
            "_source": {"type": "github", "url": self.url, "readme": ""},
            "downloads": {
                "tarball": self.url + archive,
                "format": "tgz",
                "sha1": hashlib.sha1(content).hexdigest(),  # noqa: S324 - as the hub says it
            },
        }
        self._files[archive] = content
        self._names.append(f"{namespace}/{name}")
        self._files["/api/v1/index.json"] = json.dumps(self._names).encode()
        listed = {"name": name, "namespace": namespace, "versions": {version: told}, "latest": version, "redirects": {}}
        self._files[f"/api/v1/{namespace}/{name}.json"] = json.dumps(listed).encode()
        return self.url + archive

    def repository(self, name: str, files: Mapping[str, str]) -> str:
        """Have a repository with one commit on `main`, tagged v1; its address."""
        assert self._folder is not None
        work, bare = self._folder / f"{name}-work", self._folder / f"{name}.git"
        for path, content in files.items():
            (work / path).parent.mkdir(parents=True, exist_ok=True)
            (work / path).write_text(content)
        git = ("git", "-C", str(work), "-c", "user.name=t", "-c", "user.email=t@example.org")
        for words in (
            (*git, "init", "--quiet", "--initial-branch", "main"),
            (*git, "add", "."),
            (*git, "commit", "--quiet", "--message", "one"),
            (*git, "tag", "v1"),
            ("git", "clone", "--quiet", "--bare", str(work), str(bare)),
        ):
            subprocess.run(words, check=True, capture_output=True)
        return f"{self.url}/{name}.git"


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, hub: Hub, hangs: bool, folder: str, *args: Any) -> None:  # noqa: FBT001 - bound once
        self._hub = hub
        self._hangs = hangs
        self._folder = folder
        super().__init__(*args)

    def do_GET(self) -> None:
        self._hub.asked.append(self.path)
        self._hub._news.set()
        if self._hangs:
            self._hub._over.wait(300)
            return
        content = self._hub._files.get(self.path.partition("?")[0])
        if content is None:
            self._git()
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_POST(self) -> None:
        self.do_GET()

    def _git(self) -> None:
        """What git's own program for web servers answers; 404 where there is no such repository."""
        path, _, query = self.path.partition("?")
        variables = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": self._folder,
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
        }
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        answer = subprocess.run(["git", "http-backend"], input=body, env=variables, capture_output=True, check=False)
        head, _, content = answer.stdout.partition(b"\r\n\r\n")
        lines = [line.split(": ", 1) for line in head.decode().splitlines() if ": " in line]
        headers = {name.lower(): value for name, value in lines}
        self.send_response(int(headers.pop("status", "200 OK" if head else "404").split()[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        pass


def packed(folder: str, files: Mapping[str, str]) -> bytes:
    """Files below a folder, as the archive of a package."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"{folder}/{name}")
            content = text.encode()
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
