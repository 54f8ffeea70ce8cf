"""A company's machine: what is fetched comes by its proxy, whose authority stands in the machine's store alone."""

import base64
import hashlib
import json
import os
import threading
import zipfile
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from rooms import Room
from stores import Store, without_names

pytestmark = [pytest.mark.e2e]

ROBOT = """
tasks:
  go:
    command: [python, tasks.py]
condaConfigFile: conda.yaml
artifactsDir: output
"""
TASKS = """
import json, os, ssl, urllib.request
import ours

names = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
said = {name: os.environ[name] for name in names}
said["index"] = urllib.request.urlopen(os.environ["INDEX"]).status  # by what SSL_CERT_FILE says
with open("room.json") as file:
    room = json.load(file)
context = ssl.create_default_context(cafile=os.environ["REQUESTS_CA_BUNDLE"])
said["room"] = urllib.request.urlopen(room["https_url"] + "/healthz", context=context).status
said["ours"] = ours.VALUE
os.makedirs("output", exist_ok=True)
with open("output/said.json", "w") as file:
    json.dump(said, file)
"""


def digest(text: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text).digest()).rstrip(b"=").decode()


def wheel(folder: Path) -> None:
    """An index with one package: `ours` 1.0."""
    name = "ours-1.0-py3-none-any.whl"
    files = {
        "ours.py": b"VALUE = 42\n",
        "ours-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: ours\nVersion: 1.0\n",
        "ours-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},sha256={digest(text)},{len(text)}\n" for path, text in files.items())
    files["ours-1.0.dist-info/RECORD"] = (record + "ours-1.0.dist-info/RECORD,,\n").encode()
    place = folder / "simple" / "ours"
    place.mkdir(parents=True)
    with zipfile.ZipFile(place / name, "w") as packed:
        for path, text in files.items():
            packed.writestr(path, text)
    (place / "index.html").write_text(f'<a href="{name}">{name}</a>')


@pytest.fixture
def index(tmp_path):
    """A package index over https, and the machine whose store knows its authority."""
    tmp_path.chmod(0o755)
    store = Store(tmp_path)
    wheel(tmp_path / "index")

    class Files(SimpleHTTPRequestHandler):
        def __init__(self, *arguments, **more):
            super().__init__(*arguments, directory=tmp_path / "index", **more)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Files)
    server.socket = store.context().wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield store, f"https://127.0.0.1:{server.server_port}/simple"
    server.shutdown()
    server.server_close()


def test_environments_are_built_and_robots_trust_the_same(index, tmp_path, monkeypatch):
    """With no variable set the index is believed, and robots believe it and the room's own authority by one file."""
    store, url = index
    for name in os.environ.keys() - without_names(dict(os.environ)).keys():
        monkeypatch.delenv(name)
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    options = ("--tls", "--port", "0")
    running = Room(tmp_path / "data", *options, program=store.within, UV_DEFAULT_INDEX=url, PIP_CONFIG_FILE="/dev/null")
    try:
        running.wait_until_ready()
        robot = tmp_path / "robot"
        robot.mkdir()
        (robot / "robot.yaml").write_text(ROBOT)
        (robot / "conda.yaml").write_text("dependencies: [python=3.11, {pip: [ours]}]")
        (robot / "tasks.py").write_text(TASKS)
        (robot / "room.json").write_text(json.dumps({"https_url": running.facts["https_url"]}))
        running.cli("push", robot, "--name", "robot")
        running.cli("process", "create", "P", "--step", "s=robot:go", "--env", f"s:INDEX={url}/ours/")
        running.cli("run", "P", "--follow")
        run = running.json("runs", "list")[0]["id"]
        running.cli("artifacts", "download", run, "-o", tmp_path / "found")
        said = json.loads(next((tmp_path / "found").rglob("said.json")).read_text())
    finally:
        running.kill()
    assert (said["index"], said["room"], said["ours"]) == (200, 200, 42)
    assert said["SSL_CERT_FILE"] == said["REQUESTS_CA_BUNDLE"]
