"""Numbers: this grammar's ids. Each is the engine's `number` of the thing, and no mapping is kept.

located = await find(request, PROCESS, job)              # `job: Id` of the path; raises the noun's 404
located = await find(request, TARGET, environment, seen)
seen = await of_project(request, project)                # the workspace of `{project}`, as a Scope
"""

from typing import TypeAlias, TypeVar

from controlroom.border.asking import Path
from controlroom.dialects.dbt_cloud.asking import Asking
from controlroom.dialects.dbt_cloud.errors import FieldsWrong
from controlroom.engine.access.scope import Of, Scope
from controlroom.engine.nouns import Noun, Ways
from controlroom.engine.projects import store as projects
from controlroom.engine.projects.errors import ProjectNotFound
from controlroom.engine.projects.model import Project, ProjectState
from controlroom.engine.references import Located, locate

T = TypeVar("T")

Id: TypeAlias = Path[str]
"""A number of the path: a text until it is looked up, so that what is none is unknown (404) and not malformed."""


async def find(request: Asking, noun: Noun[T], number: str | int, seen: Scope | None = None) -> Located[T]:
    """What has this number, of what the caller sees (by the route's `needs`, or `seen`). Raises the noun's NotFound."""
    return await locate(request.db, request.seen if seen is None else seen, noun, str(number).strip(), Ways.NUMBER)


async def of_project(request: Asking, number: str | int) -> Of:
    """The project with this number, of the workspaces in which the caller has the route's permission, as a Scope.

    Raises ProjectNotFound, also for a workspace that is no project.
    """
    project = await project_numbered(request, number)
    return Of(project.organization_id, (project.id,))


async def ensure_stays(request: Asking, seen: Scope, number: int) -> None:
    """Raise FieldsWrong unless this is the project in which the caller has found something: nothing moves."""
    try:
        stays = (await of_project(request, number)).workspace == seen.workspace
    except ProjectNotFound:
        stays = False
    if not stays:
        raise FieldsWrong({"project_id": "it stays in its project"})


async def project_numbered(request: Asking, number: str | int) -> Project:
    """Likewise, as it is."""
    text = str(number).strip()
    is_number = text.isascii() and text.isdigit() and len(text) < len(str(2**63))
    found = await projects.numbered(request.db, request.seen, int(text)) if is_number else None
    if found is None or found.state is ProjectState.DELETED:
        raise ProjectNotFound(number)
    return found
