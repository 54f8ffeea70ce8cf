"""Keys by which programs log in as a user (our own management API).

Whoever governs the organization does so for all of its users; others for the members of the workspace.
"""

from datetime import datetime, timedelta

from controlroom.border.asking import Asking, Body, Path, Permission
from controlroom.dialects.robocorp.answers import Deleted, OwnBody, Shape, shown_as
from controlroom.dialects.robocorp.routing import delete, get, post
from controlroom.engine.access import user_keys
from controlroom.ids import UserId, UserKeyId, WorkspaceId


class UserKeyAnswer(Shape, frozen=True, kw_only=True):
    """A user's key, without its value."""

    id: UserKeyId
    name: str
    created_at: datetime
    last_used_at: datetime | None
    use_count: int
    expires_at: datetime | None


class NewUserKey(UserKeyAnswer, frozen=True, kw_only=True):
    """A user's key with its value: 40 characters, to log in by with the user's name."""

    value: str


class RevealedUserKey(Shape, frozen=True):
    """The value of a user's key."""

    id: UserKeyId
    value: str


class UserKeys(Shape, frozen=True):
    """All keys of a user."""

    data: list[UserKeyAnswer]


class CreateUserKey(OwnBody, frozen=True):
    """What to call a key, and for how many days it is; without, as the room is set."""

    name: str = "API key"
    days: int | None = None


@get("/users/{user_id:uuid}/keys", needs=Permission.READ_MEMBERS)
async def list_user_keys(request: Asking, user_id: Path[UserId]) -> UserKeys:
    """List the keys by which programs log in as a user, without their values."""
    keys = await user_keys.list_keys(*request.governing, user_id, within=_within(request))
    return UserKeys([_show(key) for key in keys])


@post("/users/{user_id:uuid}/keys", needs=Permission.READ_MEMBERS)
async def create_user_key(request: Asking, user_id: Path[UserId], data: Body[CreateUserKey]) -> NewUserKey:
    """Make a key by which a program logs in as a user, and tell its value."""
    life = None if data.days is None else timedelta(days=data.days)
    key, value = await user_keys.make(*request.governing, user_id, name=data.name, life=life, within=_within(request))
    return _show(key).widened(NewUserKey, value=value)


@post("/users/{user_id:uuid}/keys/{key_id:uuid}/reveal", needs=Permission.READ_MEMBERS)
async def reveal_user_key(request: Asking, user_id: Path[UserId], key_id: Path[UserKeyId]) -> RevealedUserKey:
    """Show the value of a user's key again. This is written down in the audit log."""
    return RevealedUserKey(key_id, await user_keys.reveal(*request.governing, user_id, key_id, within=_within(request)))


@delete("/users/{user_id:uuid}/keys/{key_id:uuid}", needs=Permission.READ_MEMBERS)
async def revoke_user_key(request: Asking, user_id: Path[UserId], key_id: Path[UserKeyId]) -> Deleted:
    """Revoke a user's key, and end what was begun by it."""
    return await Deleted.after(key_id, user_keys.revoke(*request.governing, user_id, key_id, within=_within(request)))


def _within(request: Asking) -> WorkspaceId | None:
    return None if request.actor.may(Permission.READ_MEMBERS, None) else request.workspace


_show = shown_as(UserKeyAnswer, user_keys.UserKey)
