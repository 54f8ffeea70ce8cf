"""Pure decisions about who may do what, and who may give what to whom."""

from collections.abc import Collection, Iterable

from controlroom.engine.access.errors import BeyondOwnRights, LastAdmin, LastOwner
from controlroom.engine.access.model import (
    ALL_OF_A_WORKSPACE,
    EVERYTHING,
    OF_ORGANIZATION,
    Actor,
    Granted,
    Held,
    Permission,
)
from controlroom.ids import WorkspaceId

_KNOWN = {permission.value: permission for permission in Permission}


def permissions_of(names: Iterable[str], workspace: WorkspaceId | None) -> frozenset[Permission]:
    """What a role of these names allows in a workspace, or (None) in the organization.

    Names that mean nothing here allow nothing: a grammar's own, those of a newer release, and in a workspace those of
    the organization.
    """
    named = set(names)
    allowed = frozenset(_KNOWN[name] for name in named & _KNOWN.keys())
    if ALL_OF_A_WORKSPACE in named:
        allowed |= EVERYTHING
    return allowed if workspace is None else allowed - OF_ORGANIZATION


def union(grants: Iterable[Granted], workspaces: Collection[WorkspaceId]) -> Held:
    """What all the grants give together; `workspaces` are the living ones of the organization that they may be about.

    A grant in the organization holds in each of them, if it gives anything there: who may only edit roles, say, or be
    one as whom robots run, has no place in a workspace by that. One in a workspace that is gone gives nothing.
    """
    held: dict[WorkspaceId, frozenset[Permission]] = {}
    throughout: frozenset[Permission] = frozenset()
    words: set[str] = set()
    for grant in grants:
        words.update(name for name in grant.permissions if ":" in name)
        allowed = permissions_of(grant.permissions, grant.workspace)
        if grant.workspace is None:
            throughout |= allowed
        elif grant.workspace in workspaces:
            held[grant.workspace] = held.get(grant.workspace, frozenset()) | allowed
    everywhere = throughout - OF_ORGANIZATION
    places = workspaces if everywhere - {Permission.RUNTIME} else list(held)
    held = {workspace: held.get(workspace, frozenset()) | everywhere for workspace in places}
    return Held(held, throughout, frozenset(words))


def ensure_may_give(actor: Actor, given: Iterable[Permission], workspace: WorkspaceId | None) -> None:
    """Raise BeyondOwnRights for permissions that the actor does not have in the workspace (None: the organization)."""
    missing = frozenset(given) - actor.permissions_in(workspace)
    if Permission.READ_RUNS in missing:  # which includes the other one, where something is given by name
        missing -= {Permission.DELETE_RUNS}
    if missing:
        raise BeyondOwnRights(sorted(permission.value for permission in missing))


def may_govern(actor: Actor, held: Held) -> bool:
    """Whether the actor may change the account of a user who holds this: password, credentials, being enabled.

    Whoever can log in as somebody has what they have. So it takes all that the user may do, wherever they may, and the
    writing of members: in the organization, or in every workspace that the user is in, if those are all.
    """
    if not held.throughout <= actor.throughout:
        return False
    if not all(permissions <= actor.permissions_in(workspace) for workspace, permissions in held.workspaces.items()):
        return False
    return actor.may(Permission.WRITE_MEMBERS, None) or (
        not held.throughout
        and bool(held.workspaces)
        and all(actor.may(Permission.WRITE_MEMBERS, workspace) for workspace in held.workspaces)
    )


def ensure_kept(workspace: WorkspaceId | None, *, before: int, after: int) -> None:
    """What had people who may do everything keeps one of them. Raises LastOwner, for an organization LastAdmin."""
    if before > 0 and after == 0:
        raise LastAdmin if workspace is None else LastOwner
