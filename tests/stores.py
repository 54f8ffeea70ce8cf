"""A machine whose store of authorities has one more, for one program: the machine's own store stays as it is."""

import os
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from controlroom import tls, trust
from controlroom.worker import bubblewrap


def without_names(environment: dict[str, str]) -> dict[str, str]:
    """An environment that names no authorities, for whichever program."""
    signs = ("CERT", "CA_BUNDLE", "CAINFO", "SSL_", "UV_NATIVE", "UV_SYSTEM")
    return {name: value for name, value in environment.items() if not any(sign in name for sign in signs)}


class Store:
    """The machine's store with an authority in it that nobody else knows."""

    def __init__(self, folder: Path) -> None:
        ours = trust.system_store()
        if ours is None:
            pytest.skip("this machine has no store of authorities")
        self.chain, self.key = tls.certificate(folder / "company", ["127.0.0.1", "localhost"])
        self.authority = folder / "company" / "ca.pem"
        merged = folder / "merged.crt"
        merged.write_bytes(ours.read_bytes() + b"\n" + self.authority.read_bytes())
        merged.chmod(0o644)
        mounting = [
            "unshare",
            "--mount",
            "--",
            "/bin/sh",
            "-c",
            f'mount --bind {merged} {ours.resolve()} && exec "$@"',
            "sh",
        ]
        showing = ["--dev-bind", "/", "/", "--ro-bind", str(merged), str(ours.resolve()), "--"]
        enclosing = [[program.path, *showing] for program in bubblewrap.programs()]
        ways = [mounting] if os.geteuid() == 0 else enclosing
        works = [
            way for way in ways if subprocess.run([*way, "true"], check=False, capture_output=True).returncode == 0
        ]
        if not works:
            pytest.skip("no mount namespace can be had here")
        self.within = works[0]
        """Put before a command it makes it see that store."""

    def context(self) -> ssl.SSLContext:
        return tls.context(self.chain, self.key)


class Listener:
    """A server that notes who says something: who does not trust its certificate never does."""

    def __init__(self, context: ssl.SSLContext, greeting: bytes = b"", *, asked_first: bool = False) -> None:
        self._context = context
        self._asked_first = asked_first
        self._greeting = greeting
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.trusted = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            connection.settimeout(60)
            if self._asked_first:  # PostgreSQL: the client asks whether TLS is spoken before it speaks it
                connection.recv(8)
                connection.sendall(b"S")
            with self._context.wrap_socket(connection, server_side=True) as shaken:
                shaken.sendall(self._greeting)
                if shaken.recv(4096):
                    self.trusted.set()
                shaken.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    def close(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@contextmanager
def listening(context: ssl.SSLContext, names: list[str]) -> Iterator[dict[str, Listener]]:
    """A listener for each name."""
    made = {
        name: Listener(context, b"220 ready\r\n" if name == "mail" else b"", asked_first=name == "database")
        for name in names
    }
    try:
        yield made
    finally:
        for each in made.values():
            each.close()
