"""Robots with the vendor's library for work items, in processes of their own, by the vendor's adapter or by ours."""

import asyncio
import os
import shutil
from pathlib import Path

import controlroom.worker.environments
from controlroom.engine.runs import leases
from controlroom.protocol import Assignment, Heartbeat, Held
from controlroom.worker.environments.environment import ADAPTER_MODULE
from live import Live, Worker

OURS = f"{ADAPTER_MODULE}.Adapter"
"""As the worker names it."""
EVERY_VERB = Path(__file__).parent / "dialects/robot_api/every_verb.py"


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
