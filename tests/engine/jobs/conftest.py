"""A workspace with a package."""

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
