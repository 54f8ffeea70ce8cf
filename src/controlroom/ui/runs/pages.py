"""All runs of a workspace: how they went, what runs, what failed."""

from typing import Final

from controlroom.engine.lists.model import Compare, OneOf, Operator
from controlroom.engine.runs import summaries
from controlroom.engine.runs.listings import RUNS
from controlroom.engine.runs.model import Result, Run, RunState, StartedBy
from controlroom.ui.asking import Asking, Permission, Shown
from controlroom.ui.filters import Choice, Reference, Since, Tab
from controlroom.ui.lists import Col, ListPage
from controlroom.ui.pickers.known import PROCESSES
from controlroom.ui.routing import Place, page

PLACE: Final = Place(at="runs", name="Runs", path="/runs", icon="runs", needs=Permission.READ_RUNS)

STARTERS: Final = {
    StartedBy.API.value: "API",
    StartedBy.USER.value: "Somebody",
    StartedBy.SCHEDULE.value: "Schedule",
    StartedBy.EMAIL.value: "E-mail",
    StartedBy.CHAIN.value: "Another process",
    StartedBy.QUEUE.value: "Queue",
}
BEGUN_BY: Final = {
    StartedBy.API.value: "a program",
    StartedBy.USER.value: "somebody",
    StartedBy.SCHEDULE.value: "a schedule",
    StartedBy.EMAIL.value: "a mail",
    StartedBy.CHAIN.value: "another process",
    StartedBy.QUEUE.value: "a queue",
}
_UNDER_WAY: Final = (RunState.NEW.value, RunState.IN_PROGRESS.value, RunState.STOPPING.value)

_LIST: Final = ListPage(
    listing=RUNS,
    row=Run,
    path="/runs",
    noun="runs",
    noun_of_one="run",
    tabs=(
        Tab("all", "All", is_sum=True),
        Tab("unresolved", "Unresolved", Compare("state", Operator.EQ, RunState.UNRESOLVED.value), is_bad=True),
        Tab("running", "In progress", OneOf("state", _UNDER_WAY)),
        Tab("completed", "Completed", Compare("state", Operator.EQ, RunState.COMPLETED.value)),
    ),
    filters=(
        Reference("process", "Process", "process_id", PROCESSES),
        Choice("trigger", "Started by", "started_by", STARTERS),
        Choice(
            "result",
            "Result",
            "result",
            {each.value: each.value.replace("_", " ").capitalize() for each in Result},
        ),
        Since("since", "Since", "created_at", by_id=True),
    ),
    columns=(
        Col("process", "Process", sort="process_name", always=True, csv=lambda run: run.process_name),
        Col("state", "State", always=True),
        Col("items", "Work items", csv=lambda _: ""),
        Col("started_by", "Started by"),
        Col("result", "Result", by_default=False),
        Col("priority", "Priority", is_number=True, sort="priority", by_default=False),
        Col("duration", "Duration", is_number=True, csv=lambda run: run.duration),
        Col("created_at", "Started", sort="created_at", is_number=True, always=True),
    ),
    topics="run work_item",
    searched=("process_name",),
    searched_words="Process, number or id",
)


@page("/runs", needs=Permission.READ_RUNS)
async def list_runs(request: Asking) -> Shown:
    """The list."""
    found = await _LIST.read(request)
    about = await summaries.summaries(request.db, request.seen, found.rows)
    return await request.show("runs/list.html", title="Runs", at="runs", found=found, about=about, starters=STARTERS)
