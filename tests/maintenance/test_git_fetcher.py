"""Packages from git: fetched over https from a server of this machine, which the operator has allowed."""

import base64
import hashlib
import hmac
import os
import shutil
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from controlroom import tls
from controlroom.engine.packages import actions as packages
from controlroom.engine.packages import sources, store
from controlroom.engine.packages.source_store import Ref, RefKind
from controlroom.engine.packages.sources import HookForm
from controlroom.engine.vault import actions as vault
from controlroom.errors import Forbidden, Invalid, Unauthenticated
from controlroom.maintenance.git_fetcher import fetch_wanted
from controlroom.outgoing import Guard

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")

MAIN = Ref(RefKind.BRANCH, "main")
ROBOT = "tasks:\n  {task}:\n    shell: python tasks.py\nartifactsDir: output\n"


class Repository:
    """A repository of somebody's, and a server that gives it to who proves themselves."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[str] = []
        self.password: str | None = None
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


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository that is served at `url`, by a certificate that the room trusts."""
    folder = tmp_path / "repository"
    folder.mkdir()
    found = Repository(folder)
    chain, key = tls.certificate(tmp_path / "tls", ["127.0.0.1"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(found))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "tls" / "ca.pem"))
    found.url = f"https://127.0.0.1:{server.server_address[1]}/robot/.git"
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
async def package(engine, workspace, ada):
    """A package without content."""
    return (await packages.create(engine, ada, workspace, "from git")).id


@pytest.fixture
def fetch(engine):
    """Does what is wanted, as a server does that allows this machine."""

    async def do(*allow: str) -> int:
        return await fetch_wanted(engine, Guard(allow or ("127.0.0.1",)))

    return do


async def test_a_branch_is_fetched_and_followed(engine, workspace, ada, package, repository, fetch):
    """Each new commit is a version; the same commit again is none."""
    first = repository.commit(robot_yaml=ROBOT.format(task="One"), tasks_py="print()")
    await sources.set_source(engine, ada, workspace, package, url=repository.url, ref=MAIN)
    assert await fetch() == 1
    assert (await store.get(engine.database, workspace, package)).task_names == ["One"]
    told = await sources.get(engine, ada, workspace, package)
    assert (told.fetched_commit, told.is_wanted, told.error) == (first, False, "")

    await sources.want(engine, ada, workspace, package)
    await fetch()
    assert (await store.get(engine.database, workspace, package)).latest.version == 1

    repository.commit(robot_yaml=ROBOT.format(task="Two"))
    await sources.want(engine, ada, workspace, package)
    await fetch()
    latest = await store.get(engine.database, workspace, package)
    assert (latest.latest.version, latest.task_names) == (2, ["Two"])
    assert await fetch() == 0


async def test_tags_and_commits_stay_where_they_are(engine, workspace, ada, package, repository, fetch):
    """What is fetched is what was named, whatever came since."""
    old = repository.commit(robot_yaml=ROBOT.format(task="Old"), tasks_py="")
    repository.git("tag", "v1")
    repository.git("config", "uploadpack.allowReachableSHA1InWant", "true")
    repository.commit(robot_yaml=ROBOT.format(task="New"))

    for ref in (Ref(RefKind.TAG, "v1"), Ref(RefKind.COMMIT, old)):
        await sources.set_source(engine, ada, workspace, package, url=repository.url, ref=ref)
        await fetch()
        assert (await sources.get(engine, ada, workspace, package)).fetched_commit == old
        assert (await store.get(engine.database, workspace, package)).task_names == ["Old"]


async def test_credentials_come_from_the_vault(engine, workspace, ada, ben, package, repository, fetch):
    """They are sent to the repository; who may not use secrets cannot have one sent."""
    repository.commit(robot_yaml=ROBOT.format(task="One"), tasks_py="")
    repository.password = "s3cret"
    await vault.put(engine, ada, workspace, "git", values={"token": "s3cret"})

    await sources.set_source(engine, ada, workspace, package, url=repository.url, ref=MAIN)
    await fetch()
    refused = await sources.get(engine, ada, workspace, package)
    await sources.set_source(engine, ada, workspace, package, url=repository.url, ref=MAIN, secret_name="git")
    await fetch()

    assert "git failed" in refused.error
    assert (await sources.get(engine, ada, workspace, package)).error == ""
    with pytest.raises(Forbidden):
        await sources.set_source(engine, ben, workspace, package, url=repository.url, ref=MAIN, secret_name="git")


async def test_what_is_no_robot_leaves_the_version_before(engine, workspace, ada, package, repository, fetch):
    """The reason is told, and the latest version stays."""
    repository.commit(robot_yaml=ROBOT.format(task="One"), tasks_py="")
    await sources.set_source(engine, ada, workspace, package, url=repository.url, ref=MAIN)
    await fetch()
    repository.commit(robot_yaml="tasks: [")
    await sources.want(engine, ada, workspace, package)
    await fetch()

    told = await sources.get(engine, ada, workspace, package)
    assert "robot.yaml" in told.error
    assert (await store.get(engine.database, workspace, package)).task_names == ["One"]


async def test_private_addresses_are_not_spoken_to(engine, workspace, ada, package, repository, fetch):
    """Without the operator's leave no connection is made."""
    repository.commit(robot_yaml=ROBOT.format(task="One"), tasks_py="")
    await sources.set_source(engine, ada, workspace, package, url=repository.url, ref=MAIN)

    await fetch("10.0.0.1")

    assert "no public address" in (await sources.get(engine, ada, workspace, package)).error
    assert repository.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/a.git",
        "file:///etc",
        "ext::sh -c id",
        "https://user:password@example.com/a.git",
        "ssh://-oProxyCommand=id/a.git",
        "/srv/repository",
        "git@example.com:a.git",
    ],
)
async def test_only_https_and_ssh_are_addresses(engine, workspace, ada, package, url):
    """And none with a password in it, or that a program could take for an option."""
    with pytest.raises(Invalid):
        await sources.set_source(engine, ada, workspace, package, url=url, ref=MAIN)


@pytest.mark.parametrize("name", ["--upload-pack=id", "a..b", "", "a b", "+main:evil", "x.lock"])
async def test_names_that_are_no_names_are_refused(engine, workspace, ada, package, name):
    """What stands after the address names one branch and is no option."""
    with pytest.raises(Invalid):
        await sources.set_source(
            engine, ada, workspace, package, url="https://example.com/a.git", ref=Ref(RefKind.BRANCH, name)
        )


async def test_a_push_hook_wants_a_fetch(engine, workspace, ada, package, repository, fetch):
    """Signed as GitHub does or with GitLab's token; anything else is refused."""
    repository.commit(robot_yaml=ROBOT.format(task="One"), tasks_py="")
    _, secret = await sources.set_source(engine, ada, workspace, package, url=repository.url, ref=MAIN)
    await fetch()
    signature = "sha256=" + hmac.new(secret.encode(), b"{}", hashlib.sha256).hexdigest()

    for form, proof in ((HookForm.GITHUB, signature), (HookForm.GITLAB, secret)):
        await sources.want_by_hook(engine, package, form=form, body=b"{}", proof=proof)
        assert await fetch() == 1
    for form, proof in ((HookForm.GITHUB, secret), (HookForm.GITLAB, signature), (HookForm.GITLAB, "")):
        with pytest.raises(Unauthenticated):
            await sources.want_by_hook(engine, package, form=form, body=b"{}", proof=proof)
    assert await fetch() == 0
