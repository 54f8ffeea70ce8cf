"""Whose rows a statement may touch: one tenant's part of the database, or the whole of it (DESIGN §4.13, §13.9).

How a Scope is made of who asks is in `access/scope.py`; this is what it is, for all who stand below.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NewType, TypeAlias

from msgspec import Struct

from controlroom.ids import OrganizationId, StepRunId, WorkspaceId
from controlroom.postgres.database import Database, Tx

_WORKSPACE = """select workspace.id from workspace
     where workspace.id = %(workspace)s
       and (workspace.organization_id = %(organization)s) is true
       and workspace.deleted_at is null"""

ITS_WORKSPACE = f"({_WORKSPACE})"
"""The workspace of the scope, for a statement that looks itself whether the robot's attempt lives."""

SEEN = f"""(
    {_WORKSPACE}
       /*given*/ and exists (
               select from step_run
                where step_run.id = %(step_run)s
                  and step_run.workspace_id = workspace.id
                  and step_run.attempt = %(attempt)s
                  and step_run.state = 'in_progress') /*end*/)"""
"""The workspace of the scope, if it exists and the actor has not lost it meanwhile; else null, which equals nothing.

`is true` keeps PostgreSQL at the primary key: before it has counted the workspaces it took the organization's index
for as good, and read all workspaces of the organization in each statement.
"""


EACH = """(
    select workspace.id from workspace
     where workspace.id = any(%(workspaces)s::uuid[])
       and workspace.organization_id = %(organization)s
       and workspace.deleted_at is null
       and (%(step_run)s::uuid is null or exists (
               select from step_run
                where step_run.id = %(step_run)s
                  and step_run.workspace_id = workspace.id
                  and step_run.attempt = %(attempt)s
                  and step_run.state = 'in_progress')))"""
"""As `SEEN`, for statements that a scope of several workspaces may make, too: those of them that exist."""


class Of(Struct, frozen=True):
    """Workspaces as one actor sees them: those in which they have the permission that was asked for."""

    organization: OrganizationId
    workspaces: tuple[WorkspaceId, ...]

    @property
    def workspace(self) -> WorkspaceId:
        """The only one. A scope of several is for lists, which ask each of them, and for statements that say `EACH`."""
        [only] = self.workspaces
        return only

    @property
    def params(self) -> dict[str, Any]:
        """The parameters that `SEEN` names: an actor that is no robot has no attempt that must live."""
        return {"workspace": self.workspace, "organization": self.organization}

    @property
    def each(self) -> dict[str, Any]:
        """The parameters that `EACH` names."""
        return {
            "workspaces": list(self.workspaces),
            "organization": self.organization,
            "step_run": None,
            "attempt": None,
        }


class Robot(Struct, frozen=True):
    """A workspace as one attempt of a step run sees it, while it lives."""

    organization: OrganizationId
    workspace: WorkspaceId
    step_run: StepRunId
    attempt: int

    @property
    def params(self) -> dict[str, Any]:
        """The parameters that `SEEN` names."""
        return {
            "workspace": self.workspace,
            "organization": self.organization,
            "step_run": self.step_run,
            "attempt": self.attempt,
        }

    @property
    def each(self) -> dict[str, Any]:
        """The parameters that `EACH` names."""
        return {
            "workspaces": [self.workspace],
            "organization": self.organization,
            "step_run": self.step_run,
            "attempt": self.attempt,
        }


class Room(Struct, frozen=True):
    """Every tenant, for what a server does by itself. Made only in `maintenance/`, `host/` and the composition root."""


Scope: TypeAlias = Of | Robot
"""A tenant's part of the database."""

ScopedTx = NewType("ScopedTx", Tx)
"""A transaction whose statements have found, and mostly locked, the rows that they write by a Scope or as the Room."""


@asynccontextmanager
async def scoped(database: Database, scope: Scope | Room | OrganizationId) -> AsyncIterator[ScopedTx]:  # noqa: ARG001 - see below
    """A transaction of one scope; of an organization, for what belongs to none of its workspaces.

    The scope is asked for so that nobody begins one without; the statements name it themselves.
    """
    async with database.transaction() as tx:
        yield ScopedTx(tx)
