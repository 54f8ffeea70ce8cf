"""A browser that robocorp-browser downloads, from a server of this machine, stays for the next step run."""

import io
import stat
import threading
import zipfile
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from rooms import room

pytestmark = [pytest.mark.e2e, pytest.mark.network]

CONDA = """
dependencies:
  - python=3.11
  - pip:
      - robocorp-tasks==3.1.1
      - robocorp-browser==2.3.3
      - playwright==1.44.0
"""
ROBOT = """
tasks:
  Kept: {shell: python -m robocorp.tasks run tasks.py -t kept}
  Isolated: {shell: python -m robocorp.tasks run tasks.py -t isolated}
condaConfigFile: conda.yaml
artifactsDir: output
"""
TASKS = """
import os, pathlib, subprocess
from robocorp.tasks import task
from robocorp.browser import BrowserEngine
from robocorp.browser._engines import browsers_path, install_browser

os.environ["PLAYWRIGHT_DOWNLOAD_HOST"] = "ADDRESS"
os.environ["PLAYWRIGHT_HOST_PLATFORM_OVERRIDE"] = "debian12-x64"

def use(isolated):
    install_browser(BrowserEngine.CHROMIUM, isolated=isolated)  # as its `page()` does where none is there
    path = browsers_path(isolated=isolated)
    program = next(path.glob("chromium-*/chrome-linux/chrome"))
    print("browser says", subprocess.check_output([program], text=True))

@task
def kept():
    use(False)

@task
def isolated():
    use(True)
"""


class Served:
    """What the server was asked for."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.address = ""


def archive(path: str) -> bytes:
    """A browser's archive: for each name a program could have in it, a script."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zipped:
        for name in ("chrome-linux/chrome", "ffmpeg-linux"):
            info = zipfile.ZipInfo(name)
            info.external_attr = (stat.S_IFREG | 0o755) << 16
            zipped.writestr(info, "#!/bin/sh\necho hello from the loopback\n")
    return buffer.getvalue()


@pytest.fixture
def served():
    """A server of browsers."""
    with browsers() as found:
        yield found


@contextmanager
def browsers():
    found = Served()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            found.paths.append(self.path)
            content = archive(self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        found.address = f"http://127.0.0.1:{server.server_port}"
        yield found
        server.shutdown()
        thread.join()


def test_a_browser_is_downloaded_once(served, tmp_path):
    """The first step run downloads it, the second finds it: in the home folder, and in rcc's space where isolated."""
    robot = tmp_path / "robot"
    robot.mkdir()
    for name, text in (("robot.yaml", ROBOT), ("conda.yaml", CONDA), ("tasks.py", TASKS)):
        (robot / name).write_text(text.replace("ADDRESS", served.address))
    with room() as running:
        running.cli("push", robot, "--name", "browsing")
        for task in ("Kept", "Isolated"):
            served.paths.clear()
            running.cli("process", "create", task, "--step", f"go=browsing:{task}")
            for _ in range(2):
                assert "hello from the loopback" in running.cli("run", task, "--follow").stdout
            assert sum("chromium" in path for path in served.paths) == 1, served.paths
