"""The list of provisioners: what a row shows, and by which fields they are found and sorted."""

from typing import Final

from controlroom.engine.lists.model import Field, Kind, Listing
from controlroom.engine.provisioners.store import COLUMNS, PROVISIONER
from controlroom.engine.workers.serving import serves

PROVISIONERS: Final = Listing(
    noun="provisioners",
    table="provisioner",
    columns=COLUMNS,
    tenant="provisioner.organization_id",
    always=f"provisioner.deleted_at is null and {serves(PROVISIONER)}",
    fields=(
        Field("id", Kind.ID, is_sortable=True),
        Field("number", Kind.INTEGER, is_sortable=True),
        Field("name", Kind.TEXT, is_sortable=True),
        Field("endpoint", Kind.TEXT, is_sortable=True),
        Field("created_at", Kind.INSTANT, is_sortable=True),
    ),
)
"""Those that serve a workspace, `within=in_service(scope)`."""
