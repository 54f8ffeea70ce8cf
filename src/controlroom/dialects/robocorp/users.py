"""Users of the organization, as far as the caller may see them, and their access credentials (our management API)."""

from datetime import datetime

from msgspec.structs import asdict

from controlroom.border.asking import Asking, Body, Path, Permission
from controlroom.dialects.robocorp.answers import Deleted, Identified, OwnBody, Reference, Shape, shown_as
from controlroom.dialects.robocorp.routing import Page, Pages, delete, get, post
from controlroom.engine.access.model import Role, User
from controlroom.engine.access.users import accounts, model
from controlroom.engine.access.users import actions as users
from controlroom.engine.access.users.accounts import Profile, Standing
from controlroom.engine.access.users.holding import holding
from controlroom.ids import RoleId, UserCredentialId, UserGroupId, UserId, WorkspaceId


class UserAnswer(Shape, frozen=True, kw_only=True):
    """A user."""

    id: UserId
    username: str
    first_name: str
    last_name: str
    email: str
    is_admin: bool
    created_at: datetime
    disabled_at: datetime | None


class RoleHeldAnswer(Shape, frozen=True, kw_only=True):
    """A role that a user holds: in a workspace, or without one in the organization; by themselves, or by a group."""

    role_id: RoleId
    role: str
    workspace_id: WorkspaceId | None
    workspace: str | None
    group_id: UserGroupId | None
    group: str | None
    is_here: bool
    """In the workspace of the request."""


class HoldingAnswer(Shape, frozen=True, kw_only=True):
    """What a user holds, as far as the caller may know of it."""

    roles: list[RoleHeldAnswer]
    groups: list[str]
    words: list[str]
    """Of grammars, with the grammar before each: licences, say."""
    runs_robots: bool


class CreateUser(OwnBody, frozen=True, kw_only=True):
    """A new user with a place in this workspace, or roles in its organization; without a password no log-in by one."""

    username: str
    role: Role | None = None
    """In this workspace."""
    roles: list[Reference] | None = None
    """In the organization: for who governs its members."""
    runs_robots: bool | None = None
    """Whether robots run as them, anywhere: likewise."""
    password: str | None = None
    first_name: str = ""
    last_name: str = ""
    email: str = ""


class SetPassword(OwnBody, frozen=True):
    """A new password."""

    password: str


class CredentialAnswer(Shape, frozen=True, kw_only=True):
    """A pair of identifier and secret, without the secret."""

    id: UserCredentialId
    name: str
    identifier: str
    created_at: datetime
    last_used_at: datetime | None


class NewCredential(CredentialAnswer, frozen=True, kw_only=True):
    """A pair with its secret, shown this once, in the form that rcc takes."""

    credentials: str


class CreateCredential(OwnBody, frozen=True):
    """What to call the pair: the machine that it is for, say."""

    name: str


@get("/users", needs=Permission.READ_MEMBERS)
async def list_users(request: Asking, paging: Pages) -> Page[UserAnswer]:
    """List the users that the caller may see, oldest first."""
    return paging.page(await users.list_users(*request.governing, **paging.after(UserId)), _show)


@post("/users")
async def create_user(request: Asking, data: Body[CreateUser]) -> UserAnswer:
    """Create a user with a role in this workspace."""
    asked = {name: value for name, value in asdict(data).items() if name not in {"roles", "runs_robots"}}
    if data.role is not None and data.roles is None and data.runs_robots is None:
        return _show(await users.create_user(*request.acting, **asked))
    made = await accounts.create(
        *request.governing,
        profile=Profile(username=data.username, first_name=data.first_name, last_name=data.last_name, email=data.email),
        password=data.password,
        standing=Standing(roles=[RoleId(role.id) for role in data.roles or []], runs_robots=data.runs_robots),
        member_of=None if data.role is None else (request.workspace, data.role),
    )
    return _show(await users.get_user(*request.governing, made))


@delete("/users/{user_id:uuid}", needs=Permission.READ_MEMBERS)
async def delete_user(request: Asking, user_id: Path[UserId]) -> Deleted:
    """Delete a user of the organization, with their places, keys and sessions; what they did stays written."""
    return await Deleted.after(user_id, accounts.delete(*request.governing, user_id))


@get("/users/{user_id:uuid}/holding", needs=Permission.READ_MEMBERS)
async def get_user_holding(request: Asking, user_id: Path[UserId]) -> HoldingAnswer:
    """Get what a user holds: roles by themselves and by groups, and what grammars have given to them."""
    found, here = await holding(*request.governing, user_id), request.workspace
    roles = [RoleHeldAnswer(**asdict(each), is_here=each.workspace_id == here) for each in found.roles]
    return HoldingAnswer(roles=roles, groups=found.groups, words=found.words, runs_robots=found.runs_robots)


@post("/users/{user_id:uuid}/password", needs=Permission.READ_MEMBERS)
async def set_user_password(request: Asking, user_id: Path[UserId], data: Body[SetPassword]) -> Identified:
    """Give a member of the workspace a new password."""
    await users.set_password(*request.governing, user_id, data.password, within=request.workspace)
    return Identified(user_id)


@post("/users/{user_id:uuid}/disable", needs=Permission.READ_MEMBERS)
async def disable_user(request: Asking, user_id: Path[UserId]) -> Identified:
    """Let a member of the workspace in no more, anywhere."""
    await users.disable_user(*request.governing, user_id, within=request.workspace)
    return Identified(user_id)


@post("/users/{user_id:uuid}/enable", needs=Permission.READ_MEMBERS)
async def enable_user(request: Asking, user_id: Path[UserId]) -> Identified:
    """Let a disabled member of the workspace in again."""
    await users.enable_user(*request.governing, user_id, within=request.workspace)
    return Identified(user_id)


@get("/users/{user_id:uuid}/credentials", needs=Permission.READ_MEMBERS)
async def list_user_credentials(request: Asking, paging: Pages, user_id: Path[UserId]) -> Page[CredentialAnswer]:
    """List the access credentials of a member of the workspace, without their secrets."""
    rows = await users.list_credentials(
        *request.governing, user_id, **paging.after(UserCredentialId), within=request.workspace
    )
    return paging.page(rows, _show_credential)


@post("/users/{user_id:uuid}/credentials", needs=Permission.READ_MEMBERS)
async def create_user_credentials(
    request: Asking, user_id: Path[UserId], data: Body[CreateCredential]
) -> NewCredential:
    """Make access credentials for a member of the workspace, to be given to `rcc configure credentials`."""
    credential, pair = await users.create_credential(
        *request.governing, user_id, name=data.name, within=request.workspace
    )
    return _show_credential(credential).widened(NewCredential, credentials=pair)


@delete("/users/{user_id:uuid}/credentials/{credential_id:uuid}", needs=Permission.READ_MEMBERS)
async def revoke_user_credentials(
    request: Asking, user_id: Path[UserId], credential_id: Path[UserCredentialId]
) -> Deleted:
    """Revoke access credentials: nothing that they sign is accepted any more."""
    await users.revoke_credential(*request.governing, user_id, credential_id, within=request.workspace)
    return Deleted(credential_id)


_show = shown_as(UserAnswer, User)
_show_credential = shown_as(CredentialAnswer, model.UserCredential)
