"""A package with two tasks, and steps that run them."""

import io
import zipfile

import pytest

from controlroom.engine.packages import actions as packages
from controlroom.engine.packages.model import Package

ROBOT = """
tasks:
  Produce:
    shell: python tasks.py
  Consume:
    shell: python tasks.py
artifactsDir: output
"""


@pytest.fixture
async def package(engine, ada, workspace) -> Package:
    """The package `robots` with the tasks Produce and Consume."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("robot.yaml", ROBOT)
    blob = await engine.objects.put_bytes(content.getvalue())
    return (await packages.push(engine, ada, workspace, "robots", blob)).package


@pytest.fixture
def open_run(engine, workspace):
    """Writes a run of a process that is under way."""

    async def write(process) -> None:
        await engine.database.execute(
            """
            insert into run (id, workspace_id, process_id, state, started_by)
            values (gen_random_uuid(), %(workspace)s, %(process)s, 'in_progress', 'api')
            """,
            workspace=workspace,
            process=process,
        )

    return write


@pytest.fixture
def waiting_item(engine, workspace):
    """Writes an item that waits in a queue."""

    async def write(queue) -> None:
        await engine.database.execute(
            """
            insert into work_item (id, workspace_id, queue_id, state)
            values (gen_random_uuid(), %(workspace)s, %(queue)s, 'new')
            """,
            workspace=workspace,
            queue=queue,
        )

    return write
