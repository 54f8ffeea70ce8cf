"""The list of lockers: what a row shows, and by which fields they are found and sorted."""

from typing import Final

from controlroom.engine.lists.model import Field, Kind, Listing, Within
from controlroom.engine.vault.lockers.model import Asker
from controlroom.engine.vault.lockers.store import COLUMNS, JOINS, VISIBLE

_AUTHOR: Final = "left join app_user as author on author.id = locker.created_by"
_EDITOR: Final = "left join app_user as editor on editor.id = locker.updated_by"

LOCKERS: Final = Listing(
    noun="lockers",
    table="locker",
    columns=COLUMNS,
    joins=JOINS,
    tenant="locker.id",
    fields=(
        Field("id", Kind.ID, is_sortable=True),
        Field("number", Kind.INTEGER, is_sortable=True),
        Field("name", Kind.TEXT, is_sortable=True),
        Field("description", Kind.TEXT, is_sortable=True),
        Field("revision", Kind.INTEGER, is_sortable=True),
        Field(
            "secret_count",
            Kind.INTEGER,
            column="(select count(*) from shared_secret where shared_secret.locker_id = locker.id)",
            is_sortable=True,
        ),
        Field("created_at", Kind.INSTANT, is_sortable=True),
        Field("updated_at", Kind.INSTANT, is_sortable=True),
        Field("created_by_number", Kind.INTEGER, column="author.number", is_nullable=True, join=_AUTHOR),
        Field("updated_by_number", Kind.INTEGER, column="editor.number", is_nullable=True, join=_EDITOR),
    ),
)
"""Its rows are handed out one by one: whose they are depends on who asks, not on a column."""


def seen_by(asker: Asker) -> Within:
    """The lockers that somebody may know of. There are hundreds: nothing grows with them that matters."""
    return Within.several(VISIBLE, organization=asker.organization, user=asker.user, governs=asker.governs)
