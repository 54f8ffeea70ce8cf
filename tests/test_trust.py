"""All that leaves the room believes whom the machine believes, and who is named beside."""

import json
import os
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from controlroom import tls, trust
from stores import Listener, Store, listening, without_names

PROJECT = Path(__file__).parents[1]

WAYS = """
import asyncio, contextlib, json, os, sys, tempfile
from pathlib import Path

def url(way):
    return f"https://127.0.0.1:{PORTS[way]}"


async def webhooks():
    from controlroom.outgoing import Outgoing
    async with Outgoing(("127.0.0.1",)) as outgoing:
        await outgoing.request("GET", url("webhooks"))


async def database():
    from controlroom.postgres.connection import connect
    await connect(f"postgresql://room@127.0.0.1:{PORTS['database']}/room?sslmode=verify-full")


async def mail():
    from uuid import uuid4
    from controlroom.maintenance.mail import mail_server
    server = mail_server(f"smtps://127.0.0.1:{PORTS['mail']}", "room@example.com")
    await server.send(uuid4(), ["ada@example.com"], "subject", "text")


async def objects():
    from controlroom.objects.remote import RemoteStorage
    options = {"endpoint": url("objects"), "access_key_id": "a", "secret_access_key": "b", "region": "c"}
    storage = RemoteStorage.open("s3://bucket/room", options)
    async with asyncio.timeout(PATIENCE):
        await storage.size("00" * 32)


async def commands():
    from controlroom.cli.address import Address
    from controlroom.cli.calling import Client
    with Client(Address(url("commands"), "w", "k", None)) as client:
        await asyncio.to_thread(client.get, "")


async def worker():
    from controlroom.worker.server import Server
    async with Server(url("worker")) as room, asyncio.timeout(PATIENCE):
        await room.close_session("00000000-0000-0000-0000-000000000000")


async def git():
    from controlroom.maintenance.git_fetcher import _https
    from urllib.parse import urlsplit
    from controlroom.trust import Bundle
    with tempfile.TemporaryDirectory() as home:
        bundle = Bundle(Path(home) / "authorities.pem")
        bundle.refresh()
        said = _https(urlsplit(url("git")), "127.0.0.1", PORTS["git"], ["127.0.0.1"], {}, bundle.path)
        options = [word for name, value in said if name != "http.curloptResolve" for word in ("-c", f"{name}={value}")]
        process = await asyncio.create_subprocess_exec(
            "git", *options, "ls-remote", url("git"), env={"PATH": os.environ["PATH"], "HOME": home}
        )
        await process.wait()


async def environments(way="environments", conda=False):
    from controlroom.robots.environment_spec import EnvironmentSpec, Source
    from controlroom.worker.environments.cache import EnvironmentCache
    from controlroom.trust import Bundle
    with tempfile.TemporaryDirectory() as folder:
        own = {"PATH": os.environ["PATH"], "HOME": folder, "UV_HTTP_RETRIES": "0", "UV_DEFAULT_INDEX": url(way)}
        own |= Bundle(Path(folder) / "authorities.pem").variables()
        from controlroom.robots.environment_spec import parse_environment
        text = "dependencies: [ours=1]" if conda else "dependencies: [{pip: [ours==1]}]"
        spec = parse_environment("conda.yaml", f"channels: ['{url(way)}/ours']\\n{text}\\n")
        async with EnvironmentCache(Path(folder) / "cache", max_bytes=10**9, own=own).use(spec, progress=print):
            pass


async def conda():
    await environments("conda", conda=True)


async def main():
    global PORTS, PATIENCE
    PATIENCE = float(sys.argv[2])
    for PORTS in json.loads(sys.argv[1]):
        for way in PORTS:  # one after the other: what each imports must not take the time of another
            failed = None
            try:
                await asyncio.wait_for(globals()[way](), 60)
            except Exception as error:
                failed = error
            print(way, type(failed).__name__, failed)


asyncio.run(main())
"""
NAMES = ["database", "webhooks", "mail", "objects", "commands", "worker", "git", "environments", "conda"]


def tried(command: list[str], *ways: dict[str, Listener], patience: float = 60, **variables: str) -> str:
    """What a program says that goes every way once, for each set of listeners; some try so long who does not answer."""
    environment = without_names(dict(os.environ)) | {"PYTHONPATH": str(PROJECT / "src"), **variables}
    ports = [{name: each.port for name, each in listeners.items()} for listeners in ways]
    words = [*command, sys.executable, "-c", WAYS, json.dumps(ports), str(patience)]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=300, check=False)
    return done.stdout + done.stderr


def trusted(listeners: dict[str, Listener], *, within: float = 0) -> list[str]:
    """The ways on which somebody spoke; a listener may take a moment longer to see it than who spoke and went."""
    return [name for name in NAMES if listeners[name].trusted.wait(within)]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    folder = tmp_path_factory.mktemp("store")
    folder.chmod(0o755)
    return Store(folder)


@pytest.mark.matrix
@pytest.mark.timeout(400)
def test_every_way_out_trusts_the_machines_store(store):
    """An authority that stands in the store alone is believed by all, and by none where it does not stand there."""
    with listening(store.context(), NAMES) as listeners:
        said = tried([], listeners, patience=5)
        assert trusted(listeners) == [], said

        said = tried(store.within, listeners)

        assert trusted(listeners, within=10) == NAMES, said


@pytest.mark.timeout(400)
def test_what_a_variable_names_comes_beside_the_store(store, tmp_path):
    """A room's own authority is named for workers; the company's stays believed, and so does the world's."""
    tls.certificate(tmp_path / "room", ["127.0.0.1"])
    theirs = tls.context(tmp_path / "room" / "host.pem", tmp_path / "room" / "host.key")
    with listening(store.context(), NAMES) as company, listening(theirs, NAMES) as rooms:
        said = tried(store.within, company, rooms, REQUESTS_CA_BUNDLE=str(tmp_path / "room" / "ca.pem"))
        assert (trusted(company, within=10), trusted(rooms, within=10)) == (NAMES, NAMES), said


def test_uv_in_the_makefile_trusts_the_machines_store(store, tmp_path):
    """`make install` works behind a company's proxy, without a variable."""
    with listening(store.context(), ["uv"]) as listeners:
        asked = f"https://127.0.0.1:{listeners['uv'].port}/simple"
        probe = (
            f"probe: ; echo ours | {Path(sys.executable).parent}/uv pip compile --no-config --default-index {asked} -"
        )
        words = [*store.within, "make", "--no-print-directory", "-f", PROJECT / "Makefile", f"--eval={probe}", "probe"]
        quick = {"UV_HTTP_RETRIES": "0", "UV_CACHE_DIR": str(tmp_path / "cache")}
        done = subprocess.run(
            words,
            env=without_names(dict(os.environ)) | quick,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert listeners["uv"].trusted.is_set(), done.stdout + done.stderr


def test_a_bundle_has_everybody_once_and_follows_its_sources(tmp_path):
    """The machine's, named and further ones; a changed source is seen at the next look, an unchanged one costs none."""
    names = {name: tmp_path / name / "ca.pem" for name in ("named", "more", "later")}
    for name in names:
        tls.certificate(tmp_path / name, ["127.0.0.1"])
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "0123abcd.0").write_bytes(names["named"].read_bytes())
    (folder / "notes.txt").write_bytes(names["later"].read_bytes())

    found = trust.certificates(names["more"], environment={"SSL_CERT_DIR": str(folder), "PIP_CERT": str(names["more"])})

    own = {name: trust.certificates(path, environment={})[-1] for name, path in names.items()}
    assert found.count(own["named"]) == found.count(own["more"]) == 1
    assert own["later"] not in found
    assert len(found) == len(set(found))

    bundle = trust.Bundle(tmp_path / "bundle.pem", [names["more"]])
    assert bundle.variables()["SSL_CERT_FILE"] == str(bundle.path)
    before = bundle.path.stat()
    assert bundle.refresh()
    assert bundle.path.stat().st_mtime_ns == before.st_mtime_ns
    names["more"].write_bytes(names["later"].read_bytes())
    assert bundle.refresh()
    assert own["later"] in bundle.path.read_bytes()
    assert bundle.path.stat().st_mode & 0o777 == 0o644
    ssl.create_default_context(cafile=bundle.path)


def test_authorities_are_judged_alike_by_every_python():
    """Not more strictly by a newer one than by the programs beside it."""
    judged = trust.context()
    assert not judged.verify_flags & ssl.VERIFY_X509_STRICT
    assert judged.verify_mode is ssl.CERT_REQUIRED
    assert judged.check_hostname


def test_what_is_named_and_not_there_stops_nobody(tmp_path):
    """Such a variable is no error: what can be believed is."""
    (tmp_path / "empty").touch()
    lost = {"SSL_CERT_FILE": "/nowhere/ca.pem", "REQUESTS_CA_BUNDLE": str(tmp_path / "empty"), "SSL_CERT_DIR": ":/x:"}
    assert trust.named(lost) == [tmp_path / "empty"]
    assert trust.context(environment=lost).cert_store_stats()["x509_ca"] > 0
