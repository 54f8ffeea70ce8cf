"""A work item as its page and its drawer show it alike."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from controlroom.engine.console import reading
from controlroom.engine.console import store as console
from controlroom.engine.console.model import Line, Position
from controlroom.engine.runs import item_views
from controlroom.engine.runs.item_views import Around, Tried
from controlroom.engine.work_items import store
from controlroom.engine.work_items.model import ItemState, Outcome, WorkItem
from controlroom.engine.work_items.operations import Operation, is_fit
from controlroom.engine.work_items.rules import WRITABLE_BY_USERS
from controlroom.engine.work_items.store import Kin, Period
from controlroom.errors import NotFound
from controlroom.ui.asking import Asking, Permission
from controlroom.ui.items.tree import Tree, tree_of

_MOST_KIN: Final = 20
_LOOKED_AT: Final = 500
"""Lines of a console in which the reason is looked for."""
_BEFORE: Final = 40
"""Lines of a console that stand above the one that is meant."""
SIGN_OF_OUTCOME: Final[Mapping[str, str]] = {
    Outcome.DONE: "done",
    Outcome.FAILED: "failed",
    Outcome.RETRIED: "failed",
    Outcome.LOST: "failed",
}


class ShownItem(Struct, frozen=True, kw_only=True):
    """All of it."""

    item: WorkItem
    around: Around
    tree: Tree
    parent: Kin | None
    children: list[Kin]
    has_more_children: bool
    printed: Tried | None
    """The last attempt whose console may be read."""
    can_write: bool
    operations: frozenset[Operation]
    """What may be done to it now."""
    can_edit: bool

    @property
    def name(self) -> str:
        """What people call it."""
        return self.item.reference or f"#{self.item.number}"

    @property
    def last(self) -> Tried | None:
        """The attempt at it that ended last."""
        return next((each for each in self.around.tries if each.released_at is not None), None)


async def shown_item(request: Asking, named: str) -> ShownItem:
    """The item that an address names. Raises WorkItemNotFound."""
    item = await store.named(*request.reading, named)
    around = await item_views.around(*request.reading, item.id)
    kin = await store.kin(*request.reading, item, worked=_worked(request, item, around), limit=_MOST_KIN + 1)
    children = [each for each in kin if not each.is_parent]
    can_read = request.actor.may(Permission.READ_RUN_OUTPUTS, request.workspace)
    can_write = request.actor.may(Permission.WRITE_WORK_ITEMS, request.workspace)
    return ShownItem(
        item=item,
        around=around,
        tree=tree_of(item.payload, around.edited_payload, is_compared=around.edited_attempt is not None),
        parent=next((each for each in kin if each.is_parent), None),
        children=children[:_MOST_KIN],
        has_more_children=len(children) > _MOST_KIN,
        printed=next((each for each in around.tries if each.step_run_number is not None), None) if can_read else None,
        can_write=can_write,
        operations=frozenset(each for each in Operation if can_write and is_fit(each, item)),
        can_edit=can_write and item.state in WRITABLE_BY_USERS,
    )


def _worked(request: Asking, item: WorkItem, around: Around) -> Period | None:
    begun = [each.reserved_at for each in around.tries if each.reserved_at is not None]
    if item.run_id is None or not begun:
        return None
    ended = [each.released_at for each in around.tries if each.released_at is not None]
    is_over = item.state is not ItemState.IN_PROGRESS and ended
    return Period(min(begun), max(ended) if is_over else request.reader.now)


async def place_in_console(request: Asking, shown: ShownItem) -> str:
    """Where the last attempt at an item says why it failed, else where it had come when it gave the item back."""
    tried = shown.printed
    if tried is None or tried.step_run_id is None:
        raise NotFound("Nobody has printed anything for this item.", code="CONSOLE_NOT_FOUND")
    attempt = tried.step_run_attempt
    place = f"{request.base}/runs/{tried.run_number}/console?step={tried.step_run_number}"
    if attempt is None or tried.released_at is None:
        return place
    batch = await console.batch_at(*request.reading, tried.step_run_id, attempt, tried.released_at)
    if batch is None:
        return place
    start = Position(attempt, max(-1, batch.first - _BEFORE))
    lines = await reading.read(request.engine, request.seen, tried.step_run_id, after=start, limit=_LOOKED_AT)
    line = _line_of(tried, lines)
    if line is None:
        line = batch.end - 1
    return f"{place}&attempt={attempt}&from={max(1, line - _BEFORE)}#L{line + 1}"


def _line_of(tried: Tried, lines: list[Line]) -> int | None:
    """The first line that has the message, else the code."""
    for sought in (tried.exception_message.strip().split("\n")[0][:80], tried.exception_code):
        if sought:
            for line in lines:
                if line.attempt == tried.step_run_attempt and sought in line.text:
                    return line.number
    return None
