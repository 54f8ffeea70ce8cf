"""Links by which stored content may be fetched, and what they lead to."""

import time
from uuid import UUID

from controlroom.engine.access.scope import scope_of_signed
from controlroom.engine.downloads import store
from controlroom.engine.downloads.model import DownloadKind, Stored
from controlroom.engine.engine import Engine
from controlroom.errors import NotFound
from controlroom.file_names import shortened
from controlroom.ids import OrganizationId, WorkspaceId
from controlroom.objects.links import Link


class ContentGone(NotFound):
    """What the link led to has been deleted."""

    def __init__(self) -> None:
        super().__init__("what this link led to is gone", code="CONTENT_GONE")


def signed_link(
    engine: Engine,
    kind: DownloadKind,
    row: UUID,
    workspace: WorkspaceId,
    *,
    organization: OrganizationId,
    file_name: str,
) -> str:
    """The token of a link to a row's content, good for `limits.link_seconds`. The caller has seen to the right."""
    return engine.links.sign(
        Link(
            kind=kind.value,
            row=row,
            method="GET",
            expires=int(time.time()) + engine.limits.link_seconds,
            workspace=workspace,
            organization=organization,
            file_name=shortened(file_name),
        )
    )


async def open_link(engine: Engine, link: Link) -> Stored:
    """The blob that a verified link leads to now; raises NotFound."""
    try:
        kind = DownloadKind(link.kind)
    except ValueError:
        raise ContentGone from None
    organization = None if link.organization is None else OrganizationId(link.organization)
    scope = await scope_of_signed(engine.database, WorkspaceId(link.workspace), organization)
    found = None if scope is None else await store.blob_of(engine.database, scope, kind, link.row)
    if found is None:
        raise ContentGone
    return found
