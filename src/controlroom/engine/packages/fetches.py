"""Fetches that a server has claimed: one lease, whether a package's source wants the fetch or who asks for a ref."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Final
from uuid import UUID

from msgspec import Struct

from controlroom.engine.access.scope import Of, Room, Scope, ScopedTx
from controlroom.ids import OrganizationId, PackageId, WorkspaceId
from controlroom.postgres.database import Statements

LEASE: Final = timedelta(minutes=1)
"""For how long a fetch is a server's, which renews it meanwhile: so long a fetch waits whose server was killed."""


class RefKind(StrEnum):
    """What of a repository is fetched."""

    BRANCH = "branch"
    TAG = "tag"
    COMMIT = "commit"


class Fetch(Struct, frozen=True, kw_only=True):
    """A fetch that a server has claimed."""

    table: ClassVar[str] = "package_source"
    """Where it is wanted, and leased."""

    package_id: PackageId
    workspace_id: WorkspaceId
    organization_id: OrganizationId
    url: str
    ref_kind: RefKind
    ref: str
    folder: str
    """All that the package takes of its repository; empty for the whole."""
    within: str
    """Where in it robot.yaml or dbt_project.yml lies, as whoever wants it says; empty where it is to be found."""
    secret_name: str | None
    wanted_at: datetime
    lease_id: UUID

    @property
    def scope(self) -> Scope:
        """Whose package it is."""
        return Of(self.organization_id, (self.workspace_id,))


async def renew(tx: Statements, _room: Room, fetch: Fetch) -> bool:
    """Keep a claimed fetch for another while; whether it is still the claimer's."""
    renewed = await tx.execute(
        f"""
        update {fetch.table} set lease_until = clock_now() + %(lease)s::interval
         where package_id = %(package)s and lease_id = %(id)s
        """,
        lease=LEASE,
        package=fetch.package_id,
        id=fetch.lease_id,
    )
    return renewed > 0


async def let_go(tx: Statements, _room: Room, fetch: Fetch) -> None:
    """Give a claimed fetch to whoever claims it next."""
    await tx.execute(
        f"""
        update {fetch.table} set lease_until = null, lease_id = null
         where package_id = %(package)s and lease_id = %(id)s
        """,
        package=fetch.package_id,
        id=fetch.lease_id,
    )


async def hold(tx: ScopedTx, fetch: Fetch) -> bool:
    """Hold a claimed fetch until the transaction ends; whether it is still the claimer's."""
    found = await tx.value(
        f"select package_id from {fetch.table} where package_id = %(package)s and lease_id = %(id)s for update",
        package=fetch.package_id,
        id=fetch.lease_id,
    )
    return found is not None
