"""People: logging in, places in workspaces, and who may change whose account."""

import base64
import hmac
from functools import partial

import msgspec
import pytest

from controlroom.engine.access.credentials import authenticate_user, flush_uses
from controlroom.engine.access.errors import BeyondOwnRights, LastOwner, MemberExists, UsernameTaken, UserNotFound
from controlroom.engine.access.logins import log_in
from controlroom.engine.access.model import PERMISSIONS_OF_ROLE, Permission, Role
from controlroom.engine.access.scope import scope_of
from controlroom.engine.access.users import actions as users
from controlroom.engine.access.users import memberships
from controlroom.engine.workspaces import actions as workspaces
from controlroom.errors import Forbidden, Invalid, NotFound, Unauthenticated
from controlroom.ids import UserId

PASSWORD = "correct horse battery"


@pytest.fixture
async def dora(engine, ada, workspace):
    """A user that ada has made: an operator with a password."""
    return await users.create_user(
        engine, ada, workspace, username="Dora", password=PASSWORD, role=Role.OPERATOR, first_name="Dora"
    )


def reading(actor, workspace):
    return scope_of(actor, Permission.READ_MEMBERS, workspace)


async def test_a_user_logs_in_with_their_grants(engine, dora, workspace, team):
    """Name (in any case) and password give an actor with the rights of every role that the user has."""
    actor = await log_in(engine, username="dora", password=PASSWORD, organization=team.organization, place="here")

    assert (actor.id, actor.name) == (dora.id, "Dora")
    assert actor.grants == {workspace: PERMISSIONS_OF_ROLE[Role.OPERATOR]}


@pytest.mark.parametrize(("username", "password"), [("dora", "wrong"), ("nobody", PASSWORD), ("dora", "x" * 2000)])
async def test_a_wrong_name_or_password_is_refused(engine, dora, team, username, password):
    """Nothing tells which of the two was wrong."""
    with pytest.raises(Unauthenticated) as refused:
        await log_in(engine, username=username, password=password, organization=team.organization, place="here")

    assert refused.value.message == "the user name or password is not valid"


async def test_a_disabled_user_is_let_in_no_more_until_enabled(engine, ada, dora, team):
    """Disabling shuts out, enabling lets in again."""
    await users.disable_user(engine, ada, dora.id)
    with pytest.raises(Unauthenticated):
        await log_in(engine, username="dora", password=PASSWORD, organization=team.organization, place="here")

    await users.enable_user(engine, ada, dora.id)
    await log_in(engine, username="dora", password=PASSWORD, organization=team.organization, place="here")


async def test_users_change_their_own_password(engine, dora, team):
    """The new password counts at once, the old one no more; a weak one is refused."""
    actor = await log_in(engine, username="dora", password=PASSWORD, organization=team.organization, place="here")

    await users.set_password(engine, actor, dora.id, "a better password")

    await log_in(engine, username="dora", password="a better password", organization=team.organization, place="here")
    with pytest.raises(Unauthenticated):
        await log_in(engine, username="dora", password=PASSWORD, organization=team.organization, place="here")
    with pytest.raises(Invalid):
        await users.set_password(engine, actor, dora.id, "short")


async def test_names_are_unique_in_an_organization(engine, ada, cleo, dora, workspace, team):
    """A second dora is refused, whatever the case; another organization may have one."""
    with pytest.raises(UsernameTaken):
        await users.create_user(engine, ada, workspace, username="DORA", password=None, role=Role.VIEWER)

    await users.create_user(engine, cleo, team.other_workspace, username="dora", password=None, role=Role.VIEWER)


async def test_nobody_governs_those_who_can_do_more(engine, ada, ben, root, cleo, workspace):
    """Ben cannot take ada's account by giving it a password, nor ada the admin's; to cleo they do not exist."""
    for actor, user in ((ben, ada.id), (ada, root.id)):
        with pytest.raises(Forbidden):
            await users.set_password(engine, actor, UserId(user), PASSWORD)
    with pytest.raises(UserNotFound):
        await users.set_password(engine, cleo, UserId(ada.id), PASSWORD)


async def test_within_a_workspace_only_its_members_are_governed(engine, root, dora, workspace):
    """Whoever governs the organization may govern a user of it by the workspace that the user has a place in."""
    bare = (await workspaces.create(engine, root, "Bare")).id
    root = msgspec.structs.replace(root, grants={**root.grants, bare: PERMISSIONS_OF_ROLE[Role.OWNER]})
    for verb in (users.disable_user, users.enable_user, partial(users.set_password, password="a new password")):
        with pytest.raises(UserNotFound):
            await verb(engine, root, dora.id, within=bare)
        await verb(engine, root, dora.id, within=workspace)

    made, _ = await users.create_credential(engine, root, dora.id, name="laptop", within=workspace)
    with pytest.raises(UserNotFound):
        await users.revoke_credential(engine, root, dora.id, made.id, within=bare)
    assert await users.list_credentials(engine, root, dora.id, limit=9, within=workspace) == [made]


async def test_members_come_change_and_go(engine, ada, dora, workspace):
    """A user is given another role, and is out again; they stay a user."""
    changed = await users.change_role(engine, ada, workspace, dora.id, Role.VIEWER)
    assert changed.role is Role.VIEWER

    with pytest.raises(MemberExists):
        await users.add_member(engine, ada, workspace, username="dora", role=Role.VIEWER)
    await users.remove_member(engine, ada, workspace, dora.id)
    with pytest.raises(NotFound):
        await users.get_member(engine.database, reading(ada, workspace), dora.id)

    again = await users.add_member(engine, ada, workspace, username="dora", role=Role.OPERATOR)
    assert (again.username, again.role) == ("Dora", Role.OPERATOR)


async def test_a_workspace_keeps_an_owner(engine, ada, workspace):
    """The last owner can neither leave nor step down."""
    with pytest.raises(LastOwner):
        await users.remove_member(engine, ada, workspace, UserId(ada.id))
    with pytest.raises(LastOwner):
        await users.change_role(engine, ada, workspace, UserId(ada.id), Role.VIEWER)

    assert (await users.get_member(engine.database, reading(ada, workspace), UserId(ada.id))).role is Role.OWNER


async def test_nobody_gives_a_role_above_their_own(engine, ada, dora, workspace):
    """Somebody who may write members, and no more, can neither make nor unmake an operator."""
    clerk = type(ada)(
        kind=ada.kind,
        id=None,
        name="clerk",
        organization_id=ada.organization_id,
        grants={workspace: frozenset({Permission.WRITE_MEMBERS, Permission.READ_MEMBERS})},
    )

    with pytest.raises(BeyondOwnRights):
        await users.create_user(engine, clerk, workspace, username="eve", password=None, role=Role.OPERATOR)
    with pytest.raises(BeyondOwnRights):
        await users.change_role(engine, clerk, workspace, dora.id, Role.VIEWER)
    with pytest.raises(BeyondOwnRights):
        await users.remove_member(engine, clerk, workspace, dora.id)


async def test_people_are_seen_by_their_own_only(engine, ada, ben, cleo, root, workspace):
    """Ada sees the members of her workspace, cleo none of them."""
    members = await memberships.list_members(engine.database, reading(ada, workspace), after=None, limit=9)
    assert {member.username for member in members} == {
        "ada",
        "ben",
        "root",
    }
    assert {user.username for user in await users.list_users(engine, ada, limit=9)} == {"ada", "ben", "root"}
    assert {user.username for user in await users.list_users(engine, cleo, limit=9)} == {"cleo"}
    with pytest.raises(NotFound):
        await memberships.list_members(engine.database, reading(cleo, workspace), after=None, limit=9)


async def test_a_pair_signs_for_its_user(engine, ada, dora, workspace):
    """What the pair's secret has signed is accepted, as its user; another signature is not, nor a revoked pair."""
    credential, pair = await users.create_credential(engine, ada, dora.id, name="laptop")
    identifier, secret = pair.split(":")
    signature = base64.b64encode(hmac.digest(secret.encode(), b"message", "sha256"))

    def is_signed_by(key: bytes) -> bool:
        return hmac.compare_digest(base64.b64encode(hmac.digest(key, b"message", "sha256")), signature)

    actor = (await authenticate_user(engine, identifier, is_signed_by)).actor
    assert actor.id == dora.id
    with pytest.raises(Unauthenticated):
        await authenticate_user(engine, identifier, lambda _: False)

    await flush_uses(engine)
    (listed,) = await users.list_credentials(engine, ada, dora.id, limit=9)
    assert (listed.id, listed.name) == (credential.id, "laptop")
    assert listed.used_at is not None

    await users.revoke_credential(engine, ada, dora.id, credential.id)
    with pytest.raises(Unauthenticated):
        await authenticate_user(engine, identifier, is_signed_by)
