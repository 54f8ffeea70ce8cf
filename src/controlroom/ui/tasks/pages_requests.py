"""Requests: runs of processes in which people have something to do, with what each of them and each robot has done."""

from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from controlroom.engine.lists.model import Compare, OneOf, Operator, equal
from controlroom.engine.processes import store as processes
from controlroom.engine.processes.model import StepPerson
from controlroom.engine.references import resolve
from controlroom.engine.runs import human_tasks, outputs_of_runs
from controlroom.engine.runs import store as runs
from controlroom.engine.runs.human_tasks import HumanTask
from controlroom.engine.runs.listings import RUNS
from controlroom.engine.runs.model import Run, RunState, StepRun
from controlroom.engine.runs.store import RUN
from controlroom.ui.asking import Asking, Path, Permission, Shown, elsewhere
from controlroom.ui.filters import Reference, Since, Tab
from controlroom.ui.items.tree import tree_of
from controlroom.ui.lists import Col, ListPage
from controlroom.ui.numbers import ensure_number
from controlroom.ui.pickers.known import ASKING
from controlroom.ui.refusals import tried
from controlroom.ui.routing import page
from controlroom.ui.tasks.pages import tabs_of

_MOST: Final = 500
"""Of one run."""
_NAMED: Final = 1000
"""So many processes are named to the list of runs; of more, it is asked of each run's."""
_NEEDS: Final = (Permission.READ_WORK_ITEMS, Permission.READ_PROCESSES, Permission.READ_RUNS)
_UNDER_WAY: Final = (RunState.NEW.value, RunState.IN_PROGRESS.value, RunState.STOPPING.value)

_LIST: Final = ListPage(
    listing=RUNS,
    row=Run,
    path="/tasks/requests",
    noun="requests",
    noun_of_one="request",
    tabs=(
        Tab("all", "All"),
        Tab("open", "Open", OneOf("state", _UNDER_WAY)),
        Tab("unresolved", "Unresolved", Compare("state", Operator.EQ, RunState.UNRESOLVED.value), is_bad=True),
        Tab("completed", "Completed", Compare("state", Operator.EQ, RunState.COMPLETED.value)),
    ),
    filters=(Reference("process", "Process", "process_id", ASKING), Since("since", "Since", "created_at")),
    columns=(
        Col("process", "Process", sort="process_name", always=True, csv=lambda run: run.process_name),
        Col("state", "State", always=True),
        Col("started_by", "Asked by"),
        Col("created_at", "Since", sort="created_at", is_number=True, always=True),
    ),
    topics="run human_task",
    searched=("process_name",),
    searched_words="Process, number or id",
)


@page("/tasks/requests/new", needs=(Permission.START_RUNS, *_NEEDS))
async def ask_for_request(request: Asking) -> Shown:
    """Of which process; one that is chosen leads to its form."""
    chosen, refused = await tried(ASKING.chosen(request, request.query_params.get("process", "")))
    one = await ASKING.one(request, chosen) if chosen else await ASKING.only(request)
    if one is not None and not refused:
        return elsewhere(f"{request.base}/processes/{one.number}/start")
    return await request.show(
        "tasks/new_request.html",
        title="New request",
        at="tasks",
        crumbs=request.way(("Requests", "/tasks/requests"), "New"),
        process=await ASKING.offered(request, request.query_params.get("process", "")),
        refused=refused,
    )


@page("/tasks/requests", needs=_NEEDS)
async def list_requests(request: Asking) -> Shown:
    """Those of the processes that ask people, the newest first, with how many tasks of each wait."""
    asking = await human_tasks.asked_of(*request.reading, limit=_NAMED + 1)
    few = OneOf("process_id", tuple(each.id for each in asking))
    found = await _LIST.read(request, also=few if len(asking) <= _NAMED else equal(asks_people=True))
    known = await ASKING.rows(request, {run.process_id for run in found.rows})
    return await request.show(
        "tasks/requests.html",
        title="Requests",
        at="tasks",
        crumbs=request.way(("Tasks of people", "/tasks"), "Requests"),
        beside=tabs_of(request, "Requests"),
        found=found,
        waiting=await human_tasks.waiting_in(*request.reading, [each.id for each in found.rows]),
        numbers={each.id: each.number for each in known},
        may_ask=bool(asking) and request.actor.may(Permission.START_RUNS, request.workspace),
    )


class Doing(Struct, frozen=True, kw_only=True):
    """A step of a request, with what people or robots did in it."""

    name: str
    is_of_people: bool
    tasks: list[HumanTask]
    step_runs: list[StepRun]


@page("/tasks/requests/{number:str}", needs=_NEEDS)
async def show_request(request: Asking, number: Path[str]) -> Shown:
    """Step by step: who did what, what waits for whom, and what came of it."""
    run = await runs.get(*request.reading, await resolve(*request.reading, RUN, number))
    ensure_number(request, number, run.number)
    process = await processes.get(*request.reading, run.process_id)
    steps = await processes.list_steps(*request.reading, process.id)
    step_runs = await runs.list_step_runs(*request.reading, run.id, limit=_MOST)
    tasks = await human_tasks.of_run(*request.reading, run.id, limit=_MOST)
    payload, put_out = await outputs_of_runs.given_and_put_out(request.engine, request.seen, run.id)
    return await request.show(
        "tasks/request.html",
        title=f"{process.name} {process.number}-{run.run_no}",
        at="tasks",
        crumbs=request.way(("Tasks of people", "/tasks"), ("Requests", "/tasks/requests"), f"#{run.number}"),
        run=run,
        process=process,
        ref=f"{process.number}-{run.run_no}",
        doings=[
            Doing(
                name=step.name,
                is_of_people=isinstance(step.work, StepPerson),
                tasks=[each for each in tasks if each.step_id == step.id],
                step_runs=[each for each in step_runs if each.step_id == step.id],
            )
            for step in steps
        ],
        given=None if payload is None else tree_of(payload),
        put_out=_tree(put_out),
        is_under_way=run.state.value in _UNDER_WAY,
        may_stop=request.actor.may(Permission.START_RUNS, request.workspace),
    )


def _tree(values: dict[str, Raw]) -> Any:
    return tree_of(Raw(msgspec.json.encode(values))) if values else None
