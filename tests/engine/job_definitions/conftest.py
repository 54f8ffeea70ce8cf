"""A workspace that is a project, with a package and a target."""

import io
import zipfile

import pytest

from controlroom.engine.packages import actions as packages
from controlroom.engine.packages.model import Package
from controlroom.engine.projects import actions as projects
from controlroom.engine.projects.model import ProjectChange
from controlroom.engine.targets import actions as targets
from controlroom.engine.targets.model import Target, TargetDefinition


@pytest.fixture
async def package(engine, ada, workspace) -> Package:
    """The package of the project."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("dbt_project.yml", "name: jaffle\nversion: '1.0'\nprofile: jaffle\n")
    blob = await engine.objects.put_bytes(content.getvalue())
    return (await packages.push(engine, ada, workspace, "jaffle", blob)).package


@pytest.fixture
async def project(engine, ada, workspace, package):
    """The workspace is a project with files."""
    return await projects.found(engine, ada, workspace, ProjectChange(package_id=package.id))


@pytest.fixture
async def target(engine, ada, workspace, project) -> Target:
    """What jobs work on."""
    return await targets.create(engine, ada, workspace, TargetDefinition(name="Production"))
