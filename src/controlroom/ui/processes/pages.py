"""All processes of a workspace: how their last runs went, how long they usually take, and when they start next."""

from typing import Final

from controlroom.engine.lists.model import Compare, Operator
from controlroom.engine.processes.listings import PROCESSES, ListedProcess
from controlroom.engine.runs.strips import strips_of
from controlroom.engine.schedules.outlook import next_of
from controlroom.engine.statistics.store import usual_of_runs
from controlroom.ui.asking import Asking, Permission, Shown
from controlroom.ui.filters import Tab
from controlroom.ui.lists import Col, ListPage
from controlroom.ui.processes import strips
from controlroom.ui.routing import Place, page

PLACE: Final = Place(
    at="processes", name="Processes", path="/processes", icon="processes", needs=Permission.READ_PROCESSES
)

_LIST: Final = ListPage(
    listing=PROCESSES,
    row=ListedProcess,
    path="/processes",
    noun="processes",
    noun_of_one="process",
    tabs=(
        Tab("all", "All"),
        Tab("enabled", "Enabled", Compare("is_enabled", Operator.EQ, value=True)),
        Tab("disabled", "Disabled", Compare("is_enabled", Operator.EQ, value=False)),
    ),
    columns=(
        Col("name", "Process", sort="name", always=True),
        Col("strip", "Last 30 runs, newest right", csv=lambda _: ""),
        Col("completed", "Completed", is_number=True, csv=lambda _: ""),
        Col("usually", "Usually", is_number=True, csv=lambda _: ""),
        Col("last", "Last run", csv=lambda _: ""),
        Col("next", "Next start", csv=lambda _: ""),
        Col("created_at", "Made", sort="created_at", is_number=True, by_default=False),
    ),
    searched=("name",),
    searched_words="Name, number or id",
    sort="name",
    topics="process run",
)


@page("/processes", needs=(Permission.READ_RUNS, Permission.READ_PROCESSES))
async def list_processes(request: Asking) -> Shown:
    """The list."""
    found = await _LIST.read(request)
    named = [row.id for row in found.rows]
    sees_schedules = request.actor.may(Permission.READ_SCHEDULES, request.workspace)
    return await request.show(
        "processes/list.html",
        title="Processes",
        at="processes",
        found=found,
        strips=await strips_of(*request.reading, named, each=strips.PLACES),
        usual=await usual_of_runs(*request.reading, named),
        next_starts=await next_of(*request.reading, named) if sees_schedules else {},
        brief=strips.brief,
        can_write=request.actor.may(Permission.WRITE_PROCESSES, request.workspace),
    )
