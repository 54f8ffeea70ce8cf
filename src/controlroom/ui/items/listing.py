"""The list of work items as pages have it: its tabs, worst first, what it is narrowed by, what a row shows."""

from typing import Final

from controlroom.engine.lists.model import Compare, OneOf, Operator
from controlroom.engine.work_items.listings import ITEMS
from controlroom.engine.work_items.model import ExceptionType, ItemState, WorkItem
from controlroom.ui.filters import AtLeast, Choice, Exactly, InPayload, Reference, Since, Tab, Until
from controlroom.ui.lists import Col, ListPage
from controlroom.ui.pickers.known import PROCESSES, QUEUES, WORKERS


def _tab(state: ItemState, name: str, *, is_bad: bool = False) -> Tab:
    return Tab(state.value, name, Compare("state", Operator.EQ, state.value), is_bad=is_bad)


FAILED: Final = ItemState.FAILED.value
LIST: Final = ListPage(
    listing=ITEMS,
    row=WorkItem,
    path="/items",
    noun="work items",
    noun_of_one="work item",
    tabs=(
        _tab(ItemState.FAILED, "Failed", is_bad=True),
        _tab(ItemState.INVALID, "Invalid", is_bad=True),
        _tab(ItemState.HELD, "Held"),
        Tab("waiting", "Pending", OneOf("state", (ItemState.PENDING.value, ItemState.NEW.value))),
        _tab(ItemState.IN_PROGRESS, "In progress"),
        _tab(ItemState.DONE, "Done"),
        Tab("all", "All", is_sum=True),
    ),
    filters=(
        Reference("process", "Process", "process_id", PROCESSES),
        Reference("step", "Step", "step_id"),
        Reference("run", "Run", "run_id"),
        Reference("queue", "Queue", "queue_id", QUEUES),
        Reference("worker", "Worker", "worker_id", WORKERS),
        Reference("step_run", "Step run", "step_run_id"),
        Choice(
            "type", "Kind of failure", "exception_type", {each.value: each.value.capitalize() for each in ExceptionType}
        ),
        Exactly("code", "Code", "exception_code"),
        Exactly("reference", "Reference", "reference"),
        AtLeast("attempts", "Attempts", "attempt"),
        Since("since", "Since", "created_at", by_id=True),
        Until("until", "Until", "created_at"),
        InPayload("payload", "Payload", "payload"),
        Exactly("failure", "Failure", "failure", is_offered=False, of_tab=FAILED),
    ),
    columns=(
        Col("reference", "Reference", always=True),
        Col("number", "Number", by_default=False, is_number=True),
        Col("state", "State"),
        Col("process", "Process", csv=lambda item: item.process_id),
        Col("step", "Step", csv=lambda item: item.step_id),
        Col("why", "Why", csv=lambda item: item.exception_message or item.fault or ""),
        Col("exception_code", "Code", by_default=False),
        Col("attempt", "Attempts", is_number=True),
        Col("priority", "Priority", is_number=True, by_default=False),
        Col("created_at", "Made", is_number=True, by_default=False),
        Col("state_at", "Since", is_number=True, always=True),
    ),
    topics="work_item",
    searched=("reference", "exception_code", "exception_message", "payload"),
    searched_words="Reference, id, error, or payload text",
    slow=frozenset({"q", "payload", "worker", "attempts", "type", "code", "reference"}),
)
BY_NOUN: Final = ("process", "step", "run", "queue", "worker", "step_run")
"""Filters whose value is something's id; addresses may name it by its number, too."""
