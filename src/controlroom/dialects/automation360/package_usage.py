"""Packages API v2 (§2.29): which bots use which version of a package. A package is one of ours: it has the bots."""

from controlroom.dialects.automation360.answers import Shape, moment
from controlroom.dialects.automation360.asking import Asking
from controlroom.dialects.automation360.columns import Columns
from controlroom.dialects.automation360.ids import Id, shown
from controlroom.dialects.automation360.lists import Listed, Sought, listed
from controlroom.dialects.automation360.repository_answers import FILES, NODES
from controlroom.dialects.automation360.routing import Pair, post
from controlroom.engine.lists.model import Direction, Sort, equal
from controlroom.engine.repository.model import ListedNode
from controlroom.engine.repository.rights import rights_of
from controlroom.errors import Invalid

_MOST = 1000
"""Rows at once, as the vendor has it."""


class Usage(Shape, frozen=True, kw_only=True):
    """A bot and the version of the package that it runs with."""

    id: str
    name: str
    path: str
    package_name: str
    package_version: str
    version: str
    latest_version: str
    workspace_type: str = "PUBLIC"
    last_modified: str


_BOTS = Columns(
    NODES,
    {name: column for name, column in FILES.fields.items() if name not in {"botStatus", "workspaceType"}}
    | {"packageVersion": "version", "packageName": "folder_name"},
    most=_MOST,
    length=_MOST,
    order=(Sort("number", Direction.DESCENDING),),
)


@post("/v2/packages/{name:str}/versions/usage", pair=Pair("packages", "view"))
async def list_package_usage(request: Asking, name: Id, data: Sought = None) -> Listed[Usage]:
    """List the bots of a package with the version that they run with: its latest one."""
    page = data.page if data is not None else None
    length = page.get("length") if isinstance(page, dict) else None
    if isinstance(length, int) and not 0 <= length <= _MOST:
        raise Invalid(f"The length of a page is 1 to {_MOST}.", code="LENGTH_WRONG")
    rights = await rights_of(request.db, request.actor)
    only = equal(kind="task", folder_name=name)
    return await listed(request, data, _BOTS, ListedNode, _show, within=rights.seen(), only=only)


def _show(row: ListedNode) -> Usage:
    package = row.path.split("\\")[-2]
    return Usage(
        id=shown(row.number),
        name=row.name,
        path=row.path,
        package_name=package,
        package_version=str(row.version),
        version=str(row.version),
        latest_version=str(row.version),
        last_modified=moment(row.updated_at),
    )
