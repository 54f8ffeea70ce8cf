"""The list of the organization's secrets: what a row shows, and by which fields they are found and sorted."""

from typing import Final

from controlroom.engine.lists.model import Field, Kind, Listing, Within
from controlroom.engine.vault.lockers.model import Asker
from controlroom.engine.vault.shared.store import COLUMNS, IS_COMPLETED, JOINS, VISIBLE

_OWNER: Final = "join app_user as owner on owner.id = shared_secret.owner_id"
_LOCKER: Final = "left join locker on locker.id = shared_secret.locker_id"
_AUTHOR: Final = "left join app_user as author on author.id = shared_secret.created_by"
_EDITOR: Final = "left join app_user as editor on editor.id = shared_secret.updated_by"

SHARED_SECRETS: Final = Listing(
    noun="secrets",
    table="shared_secret",
    columns=COLUMNS,
    joins=JOINS,
    tenant="shared_secret.id",
    fields=(
        Field("id", Kind.ID, is_sortable=True),
        Field("number", Kind.INTEGER, is_sortable=True),
        Field("name", Kind.TEXT, is_sortable=True),
        Field("description", Kind.TEXT, is_sortable=True),
        Field("owner_number", Kind.INTEGER, column="owner.number", is_sortable=True, join=_OWNER),
        Field("locker_id", Kind.ID, is_nullable=True),
        Field("locker_number", Kind.INTEGER, column="locker.number", is_nullable=True, join=_LOCKER),
        Field("locker_name", Kind.TEXT, column="locker.name", is_nullable=True, join=_LOCKER),
        Field("revision", Kind.INTEGER, is_sortable=True),
        Field("is_completed", Kind.TRUTH, column=f"({IS_COMPLETED})", is_sortable=True),
        Field("created_at", Kind.INSTANT, is_sortable=True),
        Field("updated_at", Kind.INSTANT, is_sortable=True),
        Field("created_by_number", Kind.INTEGER, column="author.number", is_nullable=True, join=_AUTHOR),
        Field("updated_by_number", Kind.INTEGER, column="editor.number", is_nullable=True, join=_EDITOR),
    ),
)
"""Its rows are handed out one by one: whose they are depends on who asks, not on a column."""

_WHOSE: Final = "join shared_secret on shared_secret.id = secret_attribute.shared_secret_id"

SECRET_ATTRIBUTES: Final = Listing(
    noun="attributes of secrets",
    table="secret_attribute",
    columns="secret_attribute.id, secret_attribute.number, secret_attribute.name, shared_secret.name as secret_name",
    joins=_WHOSE,
    tenant="secret_attribute.shared_secret_id",
    fields=(
        Field("id", Kind.ID, is_sortable=True),
        Field("number", Kind.INTEGER, is_sortable=True),
        Field("name", Kind.TEXT, is_sortable=True),
        Field("title", Kind.TEXT, column="(shared_secret.name || ': ' || secret_attribute.name)", join=_WHOSE),
    ),
)
"""Of what secrets have values, never the values; whose they are is told as for their secrets."""


def seen_by(asker: Asker, *, consumed: bool | None = None) -> Within:
    """The secrets that somebody may know of; `consumed`: those only that they consume, or do not."""
    return Within.several(
        VISIBLE, organization=asker.organization, user=asker.user, governs=asker.governs, consumed=consumed
    )
