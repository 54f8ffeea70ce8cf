"""Robots that work on items, in processes of their own: with the vendor's library and either adapter, or with ours."""

import asyncio
import json
import os
import shutil
from pathlib import Path
from urllib.parse import urlsplit

import controlroom.worker.environments
from controlroom.engine.runs import leases
from controlroom.protocol import Assignment, Heartbeat, Held
from controlroom.worker.environments.environment import ADAPTER_MODULE, CONNECTION_MODULE
from controlroom.worker.environments.offered import source_of
from live import Live, Worker

OURS = f"{ADAPTER_MODULE}.Adapter"
"""As the worker names it."""
EVERY_VERB = Path(__file__).parent / "dialects/robot_api/every_verb.py"
NATIVE = Path(__file__).parents[1] / "libraries/robot/src"
"""Where our own library lies: on the PYTHONPATH, any Python has it."""


async def work(
    python: str | Path, script: Path, assignment: Assignment, live: Live, walt: Worker, folder: Path, **variables: str
) -> tuple[int, str]:
    """Run a script with the variables that a worker gives a robot: its exit code, and what it printed.

    Walt keeps the lease meanwhile, however long it takes.
    """
    url = variables.pop("url", live.url)
    beside = folder / "beside"
    beside.mkdir(exist_ok=True)
    source = Path(controlroom.worker.environments.__file__).with_name(f"{ADAPTER_MODULE}.py")
    shutil.copy(source, beside)
    (beside / f"{CONNECTION_MODULE}.py").write_text(source_of("_connection"), encoding="utf-8")
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(beside),
        "RC_WORKSPACE_ID": str(assignment.workspace_id),
        "RC_PROCESS_ID": str(assignment.process_id),
        "RC_PROCESS_RUN_ID": str(assignment.run_id),
        "RC_ACTIVITY_RUN_ID": str(assignment.step_run_id),
        "RC_ROBOT_RUN_ID": str(assignment.step_run_id),
        "RC_WORKITEM_ID": str(assignment.work_item_id),
        "RC_API_WORKITEM_HOST": url,
        "RC_API_WORKITEM_TOKEN": assignment.token,
        "RC_API_PROCESS_HOST": f"{url}/",
        "RC_API_PROCESS_TOKEN": assignment.token,
    }
    child = await asyncio.create_subprocess_exec(
        str(python),
        str(script),
        cwd=folder,
        env=environment | variables,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    keeping = asyncio.create_task(_keep(walt, assignment))
    printed, _ = await child.communicate()
    keeping.cancel()
    assert child.returncode is not None
    return child.returncode, printed.decode()


async def _keep(walt: Worker, assignment: Assignment) -> None:
    """Beat as a worker does."""
    held = (Held(assignment.step_run_id, assignment.attempt),)
    while True:
        beat = Heartbeat(session=walt.session.session, held=held, hold_seconds=0)
        await leases.heartbeat(walt.engine, walt.actor, beat)
        await asyncio.sleep(3)


async def seen(ada, run: str) -> list:
    """What there is of a run: items with what is in them, without ids and times."""
    found = []
    for row in await ada.every("/work-items", process_run_id=run):
        item = await ada.get(f"/work-items/{row['id']}")
        files = {each["name"]: (await ada.http.get(each["download"]["url"])).content for each in item["files"]}
        found.append((item["state"], json.dumps(item["payload"]), item["exception"], sorted(files.items())))
    return sorted(found, key=repr)


class Relay:
    """Stands between a robot and the room, and loses what it is told to lose: an answer, with its connection."""

    def __init__(self, url: str) -> None:
        self._to = urlsplit(url)
        self.connections = 0
        self.loses: list[bytes] = []
        self.replaces: tuple[bytes, bytes] = (b"", b"")
        """What is asked in other words, just as long."""
        self.calls: list[bytes] = []
        """The first lines of what it was asked."""

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_):
        self._server.close()

    async def _serve(self, reader, writer):
        self.connections += 1
        there, to_room = await asyncio.open_connection(self._to.hostname, self._to.port)
        try:
            while asked := await reader.read(1 << 20):
                self.calls.append(asked.partition(b" HTTP/")[0])
                to_room.write(asked.replace(*self.replaces) if self.replaces[0] else asked)
                answer = await there.read(1 << 20)
                if self.loses and self.loses[0] in asked:
                    self.loses.pop(0)
                    break
                writer.write(answer)
        finally:
            writer.close()
            to_room.close()
