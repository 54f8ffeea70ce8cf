"""Where somebody keeps things of a kind: of the organization, or of single workspaces.

Such rows have an `organization_id`, and a `workspace_id` where they are one workspace's. Who has the permission
throughout the organization has all of them; who has it in some workspaces has those of these.
"""

from msgspec import Struct

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.scope import Of, scope_of
from controlroom.engine.lists.model import EVERYTHING, Filter, OneOf, Within
from controlroom.ids import OrganizationId


class Place(Struct, frozen=True):
    """Where an actor has a permission: throughout the organization, or in some of its workspaces."""

    organization: OrganizationId
    scope: Of
    is_throughout: bool

    @property
    def within(self) -> Within:
        """The part of a list that may be theirs, of which they see `only` those."""
        return Within.one("%(organization)s", organization=self.organization)

    @property
    def only(self) -> Filter:
        """Theirs alone."""
        return EVERYTHING if self.is_throughout else OneOf("workspace_id", self.scope.workspaces)


def place_of(actor: Actor, permission: Permission) -> Place:
    """Where the actor has it. Raises Forbidden for who has it nowhere."""
    if actor.uses(permission, None):
        return Place(actor.organization_id, Of(actor.organization_id, tuple(actor.grants)), is_throughout=True)
    seen = scope_of(actor, permission)
    assert isinstance(seen, Of)  # noqa: S101 - an actor is no robot
    return Place(actor.organization_id, seen, is_throughout=False)
