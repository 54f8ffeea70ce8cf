"""Pure decisions about who may give what to whom."""

from collections.abc import Iterable, Mapping

from controlroom.engine.access.errors import BeyondOwnRights
from controlroom.engine.access.model import PERMISSIONS_OF_ROLE, Actor, Permission, Role
from controlroom.ids import WorkspaceId


def ensure_may_give(actor: Actor, given: Iterable[Permission], workspace: WorkspaceId) -> None:
    """Raise BeyondOwnRights for permissions that the actor does not have in the workspace."""
    missing = frozenset(given) - actor.permissions_in(workspace)
    if Permission.READ_RUNS in missing:  # which includes the other one, where something is given by name
        missing -= {Permission.DELETE_RUNS}
    if missing:
        raise BeyondOwnRights(sorted(permission.value for permission in missing))


def may_govern(actor: Actor, *, is_admin: bool, roles: Mapping[WorkspaceId, Role]) -> bool:
    """Whether the actor may change the account of a user with these roles: password, credentials, being enabled.

    Whoever can log in as somebody has what they have. So it takes the writing of members, and all that the user may do,
    in every workspace that the user is in; and an admin for an admin.
    """
    if actor.is_admin:
        return True
    return (
        not is_admin
        and bool(roles)
        and all(
            actor.may(Permission.WRITE_MEMBERS, workspace)
            and PERMISSIONS_OF_ROLE[role] <= actor.permissions_in(workspace)
            for workspace, role in roles.items()
        )
    )
