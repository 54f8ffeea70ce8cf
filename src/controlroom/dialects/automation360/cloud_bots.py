"""The endpoints of dlt's page on this API that the vendor does not have (§3.1), answered as a pipeline needs them.

Pages are led on by a `Link` header (RFC 8288), never by a key of the body: a key that begins with `next` would be taken
for one by those who look for it.
"""

from typing import Annotated, Final, TypeVar
from urllib.parse import urlencode

from litestar import Response
from msgspec import Struct

from controlroom.dialects.automation360 import devices
from controlroom.dialects.automation360.activities import execution_with_outputs, found_by
from controlroom.dialects.automation360.answers import Shape, moment
from controlroom.dialects.automation360.asking import Asking, Permission, QueryParameter
from controlroom.dialects.automation360.columns import Columns
from controlroom.dialects.automation360.executions import Execution, ExecutionWithOutputs, show
from controlroom.dialects.automation360.ids import Id, number_of, shown
from controlroom.dialects.automation360.lists import Found, PageTold, Search, page
from controlroom.dialects.automation360.paths import ROOT
from controlroom.dialects.automation360.routing import Pair, get
from controlroom.engine.lists.model import Direction, Filter, Sort, equal
from controlroom.engine.repository import nodes
from controlroom.engine.repository.errors import NodeNotFound
from controlroom.engine.repository.model import ListedNode, NodeKind, Right
from controlroom.engine.repository.rights import rights_of
from controlroom.engine.workers.listings import ListedWorker, in_service

_LENGTH: Final = 100

Body = TypeVar("Body", bound=Struct)

_BOT: Final = "application/vnd.aa.taskbot"
_NODES: Final = nodes.listing(
    nodes.Words(
        root=ROOT,
        root_name="Bots",
        separator="\\",
        folder_type="application/vnd.aa.directory",
        task_type=_BOT,
        label="PRODUCTION",
    )
)
_BOTS: Final = Columns(_NODES, {}, length=_LENGTH, order=(Sort("number", Direction.DESCENDING),))

Offset = Annotated[int, QueryParameter(name="offset", ge=0, required=False)]
Length = Annotated[int, QueryParameter(name="length", ge=1, le=1000, required=False)]


class Automation(Shape, frozen=True, kw_only=True):
    """A bot: the shape of a file, and its name once more."""

    id: str
    name: str
    automation_name: str
    parent_id: str
    path: str
    type: str = _BOT
    description: str
    workspace_type: str = "PUBLIC"
    directory: bool = False
    size: int
    latest_version: str
    production_version: str
    last_modified: str
    created_on: str


class Automations(Shape, frozen=True):
    """A page of bots; `list` has the same rows."""

    automations: list[Automation]
    page: PageTold
    list: list[Automation]


class Executions(Shape, frozen=True):
    """A page of executions."""

    executions: list[Execution]
    page: PageTold


class Robots(Shape, frozen=True):
    """A page of devices."""

    robots: list[devices.Device]
    page: PageTold


def _automation(node: ListedNode) -> Automation:
    return Automation(
        id=str(node.number),
        name=node.name,
        automation_name=node.name,
        parent_id=shown(node.parent_number),
        path=node.path,
        description=node.description,
        size=node.size,
        latest_version=str(node.version),
        production_version=str(node.labelled_version) if node.labelled_version else "",
        last_modified=moment(node.updated_at),
        created_on=moment(node.created_at),
    )


@get("/v3/automations")
async def list_automations(request: Asking, offset: Offset = 0, length: Length = _LENGTH) -> Response[Automations]:
    """All bots that the caller sees."""
    found = await _bots(request, equal(kind=NodeKind.TASK, is_private=False), offset, length)
    rows = [_automation(each) for each in found.rows]
    return _led_on(request, found.page, Automations(rows, found.page, rows), len(rows))


@get("/v3/automations/executions", pair=Pair("taskscheduling", "everyoneschedule"))
async def list_executions(request: Asking, offset: Offset = 0, length: Length = _LENGTH) -> Response[Executions]:
    """All executions that the caller sees, newest first."""
    found = await found_by(request, Search(page={"offset": offset, "length": length}))
    rows = [show(each, str(request.actor.organization_id)) for each in found.rows]
    return _led_on(request, found.page, Executions(rows, found.page), len(rows))


@get("/v3/automations/executions/{execution:str}", pair=Pair("taskscheduling", "everyoneschedule"))
async def get_one_execution(request: Asking, execution: Id) -> ExecutionWithOutputs:
    """One execution, with what its bot has put out."""
    return await execution_with_outputs(request, execution)


@get("/v3/automations/{bot:str}")
async def get_automation(request: Asking, bot: Id) -> Automation:
    """One bot."""
    number = number_of(bot)
    found = await _bots(request, equal(kind=NodeKind.TASK, is_private=False, number=number), 0, 1)
    if not found.rows:
        raise NodeNotFound(number)
    return _automation(found.rows[0])


@get("/v1/robots", needs=Permission.READ_WORKERS, pair=Pair("devices", "view"))
async def list_robots(request: Asking, offset: Offset = 0, length: Length = _LENGTH) -> Response[Robots]:
    """All devices that the caller sees."""
    search = Search(page={"offset": offset, "length": length})
    found = await page(request, search, devices.DEVICES, ListedWorker, within=in_service(request.seen))
    rows = [devices.show(each) for each in found.rows]
    return _led_on(request, found.page, Robots(rows, found.page), len(rows))


async def _bots(request: Asking, only: Filter, offset: int, length: int) -> Found[ListedNode]:
    rights = await rights_of(request.db, request.actor)
    search = Search(page={"offset": offset, "length": length})
    return await page(request, search, _BOTS, ListedNode, within=rights.seen(Right.VIEW), only=only)


def _led_on(request: Asking, told: PageTold, body: Body, rows: int) -> Response[Body]:
    """The answer, with the link to the page behind it, if there is one."""
    headers = {}
    behind = told.offset + rows
    if rows and behind < told.total_filter:
        query = urlencode({"offset": behind, "length": rows})
        headers["link"] = f'<{request.origin}{request.url.path}?{query}>; rel="next"'
    return Response(body, headers=headers)
