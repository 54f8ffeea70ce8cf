"""A room of several machines: servers and workers that share one database and one object store."""

import asyncio
import base64
import json
import secrets
import shutil
import tempfile
import threading
from collections import Counter
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest

from controlroom.postgres.embedded import EmbeddedPostgres
from rooms import PROGRAM, clean_environment, run_cli, until
from seaweed import s3_service

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parents[2] / "examples"
ORDERS = 40
ENDED = {"completed", "unresolved"}


@contextmanager
def database(folder: Path):
    """A PostgreSQL that belongs to nobody in the room."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    server = asyncio.run_coroutine_threadsafe(EmbeddedPostgres.start(folder), loop).result(60)
    try:
        yield server.dsn
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(60)
        loop.call_soon_threadsafe(loop.stop)


@contextmanager
def program(log: Path, *words: object, **variables: str):
    """One of our programs while the block runs."""
    with log.open("ab") as out:
        process = psutil.Popen([*PROGRAM, *map(str, words)], stdout=out, stderr=out, env=clean_environment(**variables))
    try:
        yield process
    finally:
        if process.is_running():
            process.terminate()
        process.wait(60)


@pytest.fixture
def folder():
    made = Path(tempfile.mkdtemp(prefix="controlroom-several-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


def test_two_servers_and_three_workers_are_one_room(folder):
    """Work goes on over all servers and workers, also when one of each is killed in the middle of it."""
    with ExitStack() as stack:
        dsn = stack.enter_context(database(folder / "postgres"))
        objects = stack.enter_context(s3_service())
        shared = {
            "CONTROLROOM_DATABASE_URL": dsn,
            "CONTROLROOM_OBJECTS_URL": objects,
            "CONTROLROOM_MASTER_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
        }
        servers = [
            stack.enter_context(
                program(
                    folder / f"server{n}.log", "server", "--port", 0, "--ready-file", folder / f"ready{n}", **shared
                )
            )
            for n in range(2)
        ]
        facts = [ready(folder / f"ready{n}") for n in range(2)]
        assert facts[0]["workspace_id"] == facts[1]["workspace_id"]
        assert facts[0]["api_key"] == facts[1]["api_key"]
        asking = {
            "CONTROLROOM_WORKSPACE": facts[0]["workspace_id"],
            "CONTROLROOM_API_KEY": facts[0]["api_key"],
        }

        def cli(server: int, *words: object, code: int = 0) -> str:
            done = run_cli(*words, CONTROLROOM_URL=facts[server]["url"], **asking)
            assert done.returncode == code, done.stdout + done.stderr
            return done.stdout.strip()

        workers = [
            stack.enter_context(
                program(
                    folder / f"worker{n}.log",
                    *("worker", "--folder", folder / f"worker{n}", "--name", f"worker {n}"),
                    *("--environments", folder / "environments"),
                    CONTROLROOM_URL=facts[n % 2]["url"],
                    CONTROLROOM_LINK_TOKEN=cli(n % 2, "workers", "link-token"),
                )
            )
            for n in range(3)
        ]
        until(lambda: states(cli) == ["idle"] * 3, "three workers are idle")

        cli(0, "push", EXAMPLES / "producer-consumer", "--name", "invoices")
        cli(
            1, "process", "create", "Invoices",
            *("--step", "produce=invoices:produce", "--step", "consume=invoices:consume"),
            *("--step", "report=invoices:report", "--after-previous", "report", "--max-parallel", "consume=3"),
        )  # fmt: skip
        orders = folder / "orders.csv"
        lines = [f"{number},Customer {number},DE,100.00" for number in range(ORDERS)]
        orders.write_text("\n".join(["order,customer,country,net", *lines]) + "\n")
        run = cli(1, "run", "Invoices", "--file", orders)

        until(lambda: len(items(cli, run, "done")) > ORDERS // 8, "some orders are done", seconds=120)
        servers[1].kill()
        workers[0].kill()

        follow(cli, run)
        lost = items(cli, run, "failed")
        assert {item["exception"]["type"] for item in lost} <= {"orchestrator"}
        assert len(lost) <= 2  # one robot of the killed worker, one of the worker whose server was killed
        if lost:
            cli(0, "items", "retry", *(item["id"] for item in lost))
        assert follow(cli, run) == "completed"

        assert Counter(item["state"] for item in items(cli, run)) == {"done": 1 + 2 * ORDERS}
        outputs = json.loads(cli(0, "runs", "outputs", run, "--json"))
        assert sum(float(output["payload"]["DE"]) for output in outputs) == ORDERS * 119


def ready(file: Path) -> dict:
    """What a server says about the room, when it is ready."""
    until(file.exists, f"{file} is there")
    return json.loads(file.read_text())


def states(cli) -> list[str]:
    return [worker["state"] for worker in json.loads(cli(0, "workers", "list", "--json"))]


def items(cli, run: str, state: str | None = None) -> list[dict]:
    asked = ["--state", state] if state else []
    return [item for item in json.loads(cli(0, "items", "list", "--run", run, "--json", *asked)) if item["step"]]


def follow(cli, run: str) -> str:
    """Wait until the run has ended; its state."""
    until(lambda: json.loads(cli(0, "runs", "show", run, "--json"))["state"] in ENDED, "the run ends", seconds=120)
    return json.loads(cli(0, "runs", "show", run, "--json"))["state"]
