"""Invitations, sessions of users, and passwords for once."""

import pytest

from controlroom.engine.access import sessions
from controlroom.engine.access.errors import InvitationNotFound, MemberExists, PasswordTemporary, SessionNotFound
from controlroom.engine.access.invitations import actions, store
from controlroom.engine.access.model import Permission, Role
from controlroom.engine.access.scope import scope_of
from controlroom.engine.access.users import log_ins, memberships
from controlroom.engine.access.users.actions import create_user, disable_user, set_password
from controlroom.engine.access.users.actors import actor_of_user
from controlroom.engine.callers import Door, Kind, resolve
from controlroom.errors import Forbidden, NotFound
from controlroom.ids import SessionId, uuid7

PASSWORD = "a long password of a test"


def named():
    return f"user-{uuid7().hex[-12:]}"


async def test_somebody_new_comes_by_an_invitation_once(engine, ada, workspace):
    """They are a member with the role that was given, and log in; the link leads nowhere after that."""
    made, token = await actions.invite(engine, ada, workspace, role=Role.OPERATOR, email="dan@example.com")
    username = named()

    seen = await actions.look_at(engine, token)
    user = await actions.come(engine, token, username=username, password=PASSWORD, first_name="Dan")

    assert (seen.role, seen.email, seen.id) == (Role.OPERATOR, "dan@example.com", made.id)
    session = await sessions.begin(engine, username=username, password=PASSWORD, place="here")
    assert session.actor.may(Permission.START_RUNS, workspace)
    member = await memberships.member(engine.database, scope_of(ada, Permission.READ_MEMBERS, workspace), user)
    assert (member.role, member.email) == (Role.OPERATOR, "dan@example.com")
    with pytest.raises(InvitationNotFound):
        await actions.come(engine, token, username=named(), password=PASSWORD)


async def test_who_is_here_joins_by_an_invitation(engine, ada, ben, workspace, cleo):
    """Once; and nobody of another organization does."""
    user = await create_user(engine, ada, workspace, username=named(), password=None, role=Role.VIEWER)
    actor = await actor_of_user(engine.database, user.id)
    _, token = await actions.invite(engine, ada, workspace, role=Role.OPERATOR)
    with pytest.raises(MemberExists):
        await actions.join(engine, actor, token)
    with pytest.raises(InvitationNotFound):
        await actions.join(engine, cleo, token)


async def test_an_invitation_ends(engine, ada, ben, workspace, cleo):
    """By its time, by being taken back, and with whoever has invited; guesses and outsiders find none."""
    scope = scope_of(ada, Permission.READ_MEMBERS, workspace)
    made, token = await actions.invite(engine, ada, workspace, role=Role.VIEWER)
    with pytest.raises(NotFound):
        await actions.withdraw(engine, cleo, workspace, made.id)
    with pytest.raises(Forbidden):
        await actions.withdraw(engine, ben, workspace, made.id)
    assert [each.id for each in await store.list_invitations(engine.database, scope, limit=10)] == [made.id]
    await actions.withdraw(engine, ada, workspace, made.id)
    for wrong in (token, "cri_nonsense", ""):
        with pytest.raises(InvitationNotFound):
            await actions.look_at(engine, wrong)

    owner = await create_user(engine, ada, workspace, username=named(), password=None, role=Role.OWNER)
    _, token = await actions.invite(
        engine, await actor_of_user(engine.database, owner.id), workspace, role=Role.OWNER, days=2
    )
    await actions.look_at(engine, token)
    await disable_user(engine, ada, owner.id)
    with pytest.raises(InvitationNotFound):
        await actions.look_at(engine, token)


async def test_nobody_invites_to_more_than_they_have(engine, ada, ben, workspace):
    """Who may not write members invites nobody."""
    with pytest.raises(Forbidden):
        await actions.invite(engine, ben, workspace, role=Role.VIEWER)


async def test_sessions_of_a_user_are_ended(engine, ada, ben, workspace):
    """One, or all; who does not govern the account sees none."""
    username = named()
    user = await create_user(engine, ada, workspace, username=username, password=PASSWORD, role=Role.OWNER)
    begun = [await sessions.begin(engine, username=username, password=PASSWORD, place="here") for _ in range(2)]
    listed = await log_ins.list_sessions(engine, ada, user.id)
    assert {each.id for each in listed} == {each.id for each in begun}
    with pytest.raises(Forbidden):
        await log_ins.list_sessions(engine, ben, user.id)
    await log_ins.end_session(engine, ada, user.id, begun[0].id)
    assert [each.id for each in await log_ins.list_sessions(engine, ada, user.id)] == [begun[1].id]
    with pytest.raises(SessionNotFound):
        await log_ins.end_session(engine, ada, user.id, SessionId(uuid7()))
    await log_ins.end_sessions(engine, ada, user.id)
    assert await log_ins.list_sessions(engine, ada, user.id) == []


async def test_a_password_for_once_opens_nothing_but_its_change(engine, ada, workspace):
    """The session it begins is refused by every door that does not let passwords be changed, until it is."""
    username = named()
    user = await create_user(engine, ada, workspace, username=username, password=PASSWORD, role=Role.OWNER)
    await set_password(engine, ada, user.id, "given for once", is_temporary=True)
    session = await sessions.begin(engine, username=username, password="given for once", place="here")
    door = Door(frozenset({Kind.SESSION}), Kind.SESSION)
    with pytest.raises(PasswordTemporary):
        await resolve(engine, session.token, door)
    opened = Door(frozenset({Kind.SESSION}), Kind.SESSION, lets_choose_password=True)
    actor = await resolve(engine, session.token, opened)
    assert actor.has_temporary_password

    await set_password(engine, actor, user.id, "chosen by oneself", is_temporary=True)
    session = await sessions.begin(engine, username=username, password="chosen by oneself", place="here")
    assert (await resolve(engine, session.token, door)).id == user.id
