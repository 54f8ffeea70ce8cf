"""When an item may be worked on: how urgent it is, from when, until when, and by what name others know it."""

from datetime import datetime
from typing import Final

from msgspec import UNSET, Struct, UnsetType

from controlroom.engine.access.scope import ScopedTx
from controlroom.errors import Invalid
from controlroom.ids import WorkItemId

_MOST_PRIORITY: Final = 1_000_000
_LONGEST_REFERENCE: Final = 255


class Terms(Struct, frozen=True, kw_only=True):
    """The terms of an item."""

    priority: int = 0
    """Higher is more urgent."""
    due: datetime | None = None
    """It waits until then; None: it is due now."""
    deadline: datetime | None = None
    """It fails if nobody has begun it by then."""
    reference: str | None = None
    """Unique in its queue, among items that are not deleted."""


class TermsChange(Struct, frozen=True, kw_only=True):
    """What to change of the terms: whatever is set."""

    priority: int | UnsetType = UNSET
    due: datetime | UnsetType | None = UNSET
    deadline: datetime | UnsetType | None = UNSET
    reference: str | UnsetType | None = UNSET

    def applied_to(self, terms: Terms) -> Terms:
        """The terms after the change."""
        return Terms(
            priority=terms.priority if self.priority is UNSET else self.priority,
            due=terms.due if self.due is UNSET else self.due,
            deadline=terms.deadline if self.deadline is UNSET else self.deadline,
            reference=terms.reference if self.reference is UNSET else self.reference,
        )


def check_terms(terms: Terms) -> None:
    """Raise Invalid for terms that cannot be."""
    if not -_MOST_PRIORITY <= terms.priority <= _MOST_PRIORITY:
        raise Invalid(f"a priority is from -{_MOST_PRIORITY:,} to {_MOST_PRIORITY:,}", code="WORK_ITEM_TERMS")
    if terms.due is not None and terms.deadline is not None and terms.deadline <= terms.due:
        raise Invalid("the deadline lies before the due time", code="WORK_ITEM_TERMS")
    if terms.reference is not None and not (
        0 < len(terms.reference) <= _LONGEST_REFERENCE and terms.reference.isprintable()
    ):
        raise Invalid(f"a reference has 1 to {_LONGEST_REFERENCE} printable characters", code="WORK_ITEM_TERMS")


USUAL: Final = Terms()


async def set_terms_in(tx: ScopedTx, item: WorkItemId, terms: Terms) -> None:
    """Write the terms of an item that the caller has locked. Raises UniqueViolation if its reference is taken."""
    await tx.execute(
        """
        update work_item
           set priority = %(priority)s, due = coalesce(%(due)s::timestamptz, clock_now()),
               is_postponed = coalesce(%(due)s > clock_now(), false), deadline = %(deadline)s, reference = %(reference)s
         where id = %(item)s
        """,
        item=item,
        priority=terms.priority,
        due=terms.due,
        deadline=terms.deadline,
        reference=terms.reference,
    )
