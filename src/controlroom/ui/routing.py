"""What a module of pages is written with.

    PLACE = Place("runs", "Runs", icon="runs", needs=Permission.READ_RUNS)

    @page("/runs", needs=Permission.READ_RUNS)
    async def list_runs(request: Asking) -> Shown: ...

    @verb("/runs/{number:int}/stop")
    async def stop_run(request: Asking, number: Path[int]) -> Shown: ...

A page lies in a workspace, below `/w/{workspace}`, unless it says `above_workspaces=True`. One that reads declares its
permission and has a Scope as `request.seen`. A verb says with `may=` whose its form is (`rights.py`), unless the page
of its form, at the same address, has said it by `needs=`; the engine's action asks for itself. A page at a verb's
address is that verb's form, for those alone who may post it, but one that says `is_read=True`: others read it.
"""

from functools import partial
from typing import Any, Final

from litestar import get, post
from msgspec import Struct

from controlroom.engine.access.model import Permission

ABOVE: Final = "above_workspaces"
MAY: Final = "may"
OPEN_TO_ALL: Final = "open_to_all"
IS_READ: Final = "is_read"
PREFIX_OF_A_WORKSPACE: Final = "/w/{workspace:str}"
page = partial(get, include_in_schema=False)
verb = partial(post, include_in_schema=False, status_code=200)


def is_above(handler: Any) -> bool:
    """Whether a route lies above the workspaces."""
    return ABOVE in handler.opt


class Place(Struct, frozen=True, kw_only=True):
    """An entry of the side bar, declared by the module whose page it opens."""

    at: str
    """What pages say that belong to it: `at="runs"`."""
    name: str
    path: str
    """Below the workspace: `/runs`; or, where it lies above them, whole."""
    icon: str
    needs: Permission | None = None
    """Who lacks it does not see the entry. None: everybody who is in."""
    throughout: Permission | None = None
    """What must be held in the organization beside it."""
    is_for_admins: bool = False
    is_rare: bool = False
    """It stands behind *More* until the workspace has one of its things (`statistics/beside.py` says which it has)."""
    is_above: bool = False


GROUPS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("", ("overview", "runs", "items", "tasks", "workers")),
    (
        "Build",
        (
            "processes",
            "jobs",
            "schedules",
            "trigger-mappings",
            "packages",
            "repository",
            "transfers",
            "assets",
            "secrets",
            "variables",
            "connections",
            "targets",
            "assistants",
            "allocations",
            "locks",
        ),
    ),
    ("Connect", ("connect", "service-tokens", "webhooks", "notifications", "provisioners", "models")),
    ("Manage", ("members", "roles", "code-policies", "audit", "settings", "health")),
)
"""The side bar's order. Places that nobody has declared are not there; others stand at the end of the last group."""
ON_PHONES: Final = ("overview", "runs", "items", "processes")
"""What the bottom bar has, before `More`."""
