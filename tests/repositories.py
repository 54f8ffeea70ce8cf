"""Git repositories from which packages are fetched, and servers of this machine that give them."""

import base64
import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from controlroom import tls

ROBOT = "tasks:\n  {task}:\n    shell: python tasks.py\nartifactsDir: output\n"


class Repository:
    """A repository of somebody's; its server gives it to who knows the password, if there is one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = ""
        self.asked: list[str] = []
        """What was sent as proof, request by request."""
        self.password: str | None = None
        self.before: Callable[[], object] = lambda: None
        """Called before each answer."""
        folder.mkdir()
        self.git("init", "--quiet", "--initial-branch=main", ".")

    def git(self, *arguments: str) -> str:
        identity = {
            f"GIT_{who}_{what}": "ada@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
        }
        plain = {"GIT_CONFIG_GLOBAL": os.devnull, "PATH": os.environ["PATH"]}
        done = subprocess.run(
            ["git", *arguments], cwd=self.folder, env=identity | plain, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def commit(self, **files: str) -> str:
        """Write files (`_` stands for the dot) and commit them; the commit."""
        for name, text in files.items():
            (self.folder / name.replace("_", ".")).write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message=change")
        return self.git("rev-parse", "HEAD")


def handler(repository: Repository) -> type[BaseHTTPRequestHandler]:
    """Speaks git's protocol through git's own CGI program."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._serve()

        def _serve(self) -> None:
            repository.before()
            given = self.headers.get("Authorization", "")
            repository.asked.append(given)
            wanted = "Basic " + base64.b64encode(f"git:{repository.password}".encode()).decode()
            if repository.password is not None and given != wanted:
                self.send_response(401)
                self.end_headers()
                return
            path, _, query = self.path.partition("?")
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            done = subprocess.run(
                ["git", "http-backend"],
                input=body,
                capture_output=True,
                check=False,
                env={
                    "PATH": os.environ["PATH"],
                    "GIT_PROJECT_ROOT": str(repository.folder),
                    "GIT_HTTP_EXPORT_ALL": "1",
                    "PATH_INFO": path.removeprefix("/robot"),
                    "QUERY_STRING": query,
                    "REQUEST_METHOD": self.command,
                    "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                    "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                    "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                    "GIT_CONFIG_COUNT": "1",
                    "GIT_CONFIG_KEY_0": "safe.directory",
                    "GIT_CONFIG_VALUE_0": "*",
                },
            )
            head, _, content = done.stdout.partition(b"\r\n\r\n")
            lines = [line.split(": ", 1) for line in head.decode().split("\r\n") if line]
            status = next((value for name, value in lines if name == "Status"), "200 OK")
            self.send_response(int(status.split()[0]))
            for name, value in lines:
                if name != "Status":
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    return Handler


@contextlib.contextmanager
def served_over_https(folder: Path) -> Iterator[tuple[Repository, Path]]:
    """A repository at its `url`, and the certificate of the authority that vouches for its server."""
    found = Repository(folder / "repository")
    chain, key = tls.certificate(folder / "tls", ["127.0.0.1"])
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(found))
    server.socket = tls.context(chain, key).wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    found.url = f"https://127.0.0.1:{server.server_address[1]}/robot/.git"
    try:
        yield found, folder / "tls" / "ca.pem"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
"""The ssh server of this machine, if it has one: it wants to be started by its whole path."""


class SshRepository(Repository):
    """A repository of somebody's on a machine of theirs, which lets in who has a key."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.private_key = ""
        self.known_hosts = ""
        """What `ssh-keyscan` says about the machine."""


@contextlib.contextmanager
def served_over_ssh(folder: Path) -> Iterator[SshRepository]:
    """A repository at its `url`, for who has its `private_key`."""
    found = SshRepository(folder / "repository")
    host_key, key = ssh_key(folder / "host"), ssh_key(folder / "client")
    (folder / "authorized_keys").write_text(key.with_suffix(".pub").read_text())
    port = _free_port()
    settings = {
        "ListenAddress": f"127.0.0.1:{port}",
        "HostKey": host_key,
        "AuthorizedKeysFile": folder / "authorized_keys",
        "AuthenticationMethods": "publickey",
        "PermitRootLogin": "prohibit-password",
        "PidFile": "none",
        "StrictModes": "no",  # the folders of tests are open to their group
        "UsePAM": "no",
    }
    (folder / "sshd_config").write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
    with _own_folder_of_sshd(), (folder / "sshd.log").open("wb") as log:
        server = subprocess.Popen([str(SSHD), "-D", "-e", "-f", str(folder / "sshd_config")], stderr=log)
        try:
            found.known_hosts = _known_hosts(port, server, folder / "sshd.log")
            found.private_key = key.read_text()
            found.url = f"ssh://{getpass.getuser()}@127.0.0.1:{port}{found.folder}"
            yield found
        finally:
            server.terminate()
            server.wait()


def ssh_key(path: Path) -> Path:
    """A key without a password, and its public half beside it."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return path


def _free_port() -> int:
    """A port that nobody listens at; sshd can neither choose one nor be given a socket."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


@contextlib.contextmanager
def _own_folder_of_sshd() -> Iterator[None]:
    """Where sshd locks itself in when root starts it; only its service's unit makes it otherwise."""
    folder = Path("/run/sshd")
    if os.geteuid() != 0 or folder.exists():
        yield
        return
    folder.mkdir(mode=0o755)
    try:
        yield
    finally:
        folder.rmdir()


def _known_hosts(port: int, server: subprocess.Popen[bytes], log: Path) -> str:
    """What the server says it is, once it answers."""
    while server.poll() is None:
        done = subprocess.run(
            ["ssh-keyscan", "-p", str(port), "127.0.0.1"], capture_output=True, text=True, check=False
        )
        if done.stdout:
            return done.stdout
    raise AssertionError(log.read_text())
