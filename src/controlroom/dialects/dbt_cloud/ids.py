"""Numbers: this grammar's ids. Each is the engine's `number` of the thing, and no mapping is kept.

located = await find(request, PROCESS, job)              # `job: Id` of the path; raises the noun's 404
located = await find(request, TARGET, environment, seen)
seen = await of_project(request, project)                # the workspace of `{project}`, as a Scope
"""

from typing import TypeAlias, TypeVar

from controlroom.border.asking import Path
from controlroom.dialects.dbt_cloud.asking import Asking
from controlroom.engine.access.scope import Of, Scope
from controlroom.engine.nouns import Noun, Ways
from controlroom.engine.references import Located, locate
from controlroom.engine.workspaces.store import WORKSPACE

T = TypeVar("T")

Id: TypeAlias = Path[str]
"""A number of the path: a text until it is looked up, so that what is none is unknown (404) and not malformed."""


async def find(request: Asking, noun: Noun[T], number: str | int, seen: Scope | None = None) -> Located[T]:
    """What has this number, of what the caller sees (by the route's `needs`, or `seen`). Raises the noun's NotFound."""
    return await locate(request.db, request.seen if seen is None else seen, noun, str(number).strip(), Ways.NUMBER)


async def of_project(request: Asking, number: str | int) -> Of:
    """The workspace with this number, of those in which the caller has the route's permission. Raises NotFound."""
    located = await find(request, WORKSPACE, number)
    assert isinstance(located.scope, Of)  # noqa: S101 - it is no robot's
    return located.scope
