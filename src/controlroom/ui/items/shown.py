"""A work item as its page and its drawer show it alike."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from controlroom.engine.console import store as console
from controlroom.engine.references import resolve
from controlroom.engine.runs import item_views
from controlroom.engine.runs.item_views import Around, Tried
from controlroom.engine.work_items import store
from controlroom.engine.work_items.model import ItemState, Outcome, WorkItem
from controlroom.engine.work_items.operations import Operation, is_fit
from controlroom.engine.work_items.rules import WRITABLE_BY_USERS
from controlroom.engine.work_items.store import WORK_ITEM, Edit, Kin, Period
from controlroom.ui.asking import Asking, Permission
from controlroom.ui.items.tree import Tree, tree_of

_MOST_KIN: Final = 20
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
    edit: Edit | None
    parent: Kin | None
    children: list[Kin]
    has_more_children: bool
    console: str
    """Where its last attempt had come in the console when it gave the item back; empty if nothing was printed."""
    console_line: int | None
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
    found = await resolve(*request.reading, WORK_ITEM, named)
    item = await store.get(*request.reading, found)
    around = await item_views.around(*request.reading, found)
    edit = await store.last_edit(*request.reading, found) if around.tries else None
    kin = await store.kin(*request.reading, item, worked=_worked(request, item, around), limit=_MOST_KIN + 1)
    children = [each for each in kin if not each.is_parent]
    line, href = await _console(request, item, around)
    can_write = request.actor.may(Permission.WRITE_WORK_ITEMS, request.workspace)
    return ShownItem(
        item=item,
        around=around,
        tree=tree_of(item.payload, edit.payload if edit else None, is_compared=edit is not None),
        edit=edit,
        parent=next((each for each in kin if each.is_parent), None),
        children=children[:_MOST_KIN],
        has_more_children=len(children) > _MOST_KIN,
        console=href,
        console_line=line,
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


async def _console(request: Asking, item: WorkItem, around: Around) -> tuple[int | None, str]:
    """The line that the last attempt had printed before it gave the item back, and where it is shown."""
    tried = next((each for each in around.tries if each.step_run_number is not None), None)
    if (
        tried is None
        or tried.step_run_id is None
        or not request.actor.may(Permission.READ_RUN_OUTPUTS, request.workspace)
    ):
        return None, ""
    attempt = tried.step_run_attempt or 1
    until = tried.released_at or request.reader.now
    line = await console.last_line_until(*request.reading, tried.step_run_id, attempt, until)
    if line is None:
        return None, ""
    place = f"{request.base}/runs/{tried.run_number}/console?step={tried.step_run_number}"
    if item.state is ItemState.IN_PROGRESS:
        return None, place
    after = f"&after={attempt}.{line - _BEFORE}" if line > _BEFORE else ""
    return line, f"{place}{after}#L{attempt}-{line}"
