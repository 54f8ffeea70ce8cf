"""How a module of this grammar is written. Paths begin below `/api/v2` and `/api/v3`; modules are found by being here.

    @get("/accounts/{account}/jobs", needs=Permission.READ_PROCESSES, rows=_JOBS)    # below /api/v2
    async def list_jobs(request: Asking) -> Listed[JobShown]:
        return await listed(request, JobRow, _show)                                  # `lists.py`

    @get("/accounts/{account}/users", versions=(2, 3), needs=…)      # both; `request.version` tells which one was asked
    @get("/accounts/{account}/projects/{project}/environments/{environment}", versions=(3,), needs=…)
    async def get_environment(request: Asking, project: Id, environment: Id) -> EnvironmentShown:
        seen = await of_project(request, project)                                    # `ids.py`
        located = await find(request, TARGET, environment, seen)

    @post("/accounts/{account}/jobs/{job}/run", needs=Permission.START_RUNS)         # a verb: 200 unless `status=` says
    async def trigger(request: Asking, job: Id, data: Body[Trigger | None] = None) -> RunShown:

    @delete("/accounts/{account}/jobs/{job}")                        # 200 with the object, `state: 2`: clients read it
    @get("/accounts/{account}/scim", not_had="there is no SCIM")     # 501, and so in the coverage table

What a handler returns is `data` of the envelope (`answers.py`); a `Listed` brings `extra`, a framework's Response goes
as it is. Every path is there with and without a slash at its end, with doubled slashes too, and nothing redirects: the
dispatcher has made it canonical. `{account}` is checked for all routes: a number that is not the caller's organization
is unknown. Values of a path are texts (`Id`), so that what is no number is unknown (404), not malformed; `{rest:path}`
takes slashes.

`needs` is the engine's permission: with it there are `request.seen` (a Scope of all workspaces in which the caller has
it; 403 names it where there is none) and `request.reading`. Verbs of things that lie in a workspace declare the
permission of the verb, find the thing in that scope (404 else) and act in `located.scope.workspace`. Routes about the
organization declare none; their verb asks, and `asks` says for what: documents tell it, and a test tries it.

Bodies (`Body[T]`, `Body[T | None] = None`) are read leniently, from JSON, forms, or nothing at all (`reading.py`).
"""

import re
from collections.abc import Callable
from typing import Any, Final, Literal, TypeAlias

from litestar import delete as _delete
from litestar import get as _get
from litestar import patch as _patch
from litestar import post as _post
from litestar import put as _put
from litestar.handlers import HTTPRouteHandler

BASE: Final = "/api"
NOT_HAD: Final = "not_had"
"""The option of a route that answers that we do not have this (`errors.NotSupported`): why, for the coverage table."""
ASKS: Final = "asks"
"""The option of a route whose verb asks for a permission itself: which, for documents; of several one will do."""
ANY_IDS: Final = "any_ids"
"""The option of a verb whose body may name whatever account or job (§0.11): it is read by what it knows, and they say
nothing."""
ROWS: Final = "rows"
"""The option of a list: its `lists.Columns`."""
_BARE: Final = re.compile(r"\{(\w+)(?::int)?\}")
_TEXT: Final = r"{\1:str}"

Version: TypeAlias = Literal[2, 3]
Declared = Callable[[Any], HTTPRouteHandler]

V2: Final[tuple[Version, ...]] = (2,)
V3: Final[tuple[Version, ...]] = (3,)
BOTH: Final[tuple[Version, ...]] = (2, 3)


def _declared(
    made: Callable[..., Declared], paths: tuple[str, ...], versions: tuple[Version, ...], status: int, **options: Any
) -> Declared:
    below = [f"{BASE}/v{version}{_BARE.sub(_TEXT, path)}" for version in versions for path in paths]
    return made(below, status_code=status, **options)


def get(*paths: str, versions: tuple[Version, ...] = V2, status: int = 200, **options: Any) -> Declared:
    """A route by GET; a body that comes with it is not looked at."""
    return _declared(_get, paths, versions, status, **options)


def post(*paths: str, versions: tuple[Version, ...] = V2, status: int = 200, **options: Any) -> Declared:
    """A route by POST."""
    return _declared(_post, paths, versions, status, **options)


def put(*paths: str, versions: tuple[Version, ...] = V2, status: int = 200, **options: Any) -> Declared:
    """A route by PUT."""
    return _declared(_put, paths, versions, status, **options)


def patch(*paths: str, versions: tuple[Version, ...] = V2, status: int = 200, **options: Any) -> Declared:
    """A route by PATCH."""
    return _declared(_patch, paths, versions, status, **options)


def delete(*paths: str, versions: tuple[Version, ...] = V2, status: int = 200, **options: Any) -> Declared:
    """A route by DELETE."""
    return _declared(_delete, paths, versions, status, **options)
