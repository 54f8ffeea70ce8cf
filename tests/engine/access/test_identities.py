"""Who is meant by an identity of a provider: never taken over in silence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.engine.access.errors import WrongCredential
from controlroom.engine.access.identities import actions
from controlroom.engine.access.identities.model import Candidate, Identity, Known, ToLink, ToProve, Unknown
from controlroom.engine.access.identities.rules import found
from controlroom.engine.access.invitations.actions import invite
from controlroom.engine.access.model import Permission, Role
from controlroom.engine.access.users.actions import create_user, disable_user
from controlroom.errors import Unauthenticated
from controlroom.ids import UserId, uuid7

PASSWORD = "a long password of a test"


def identity(**more):
    return Identity(**{"issuer": "https://id.example", "subject": uuid7().hex, "is_email_verified": True, **more})


candidates = st.lists(
    st.builds(
        Candidate,
        id=st.builds(lambda: UserId(uuid7())),
        username=st.just("u"),
        is_known=st.booleans(),
        has_password=st.booleans(),
        is_linked=st.booleans(),
        is_disabled=st.booleans(),
    ),
    max_size=3,
)


@given(candidates, st.booleans())
def test_an_account_is_reached_by_its_subject_or_a_verified_address_alone(among, is_verified):
    """With a password it is asked for; of several none is meant, nor one that comes by another identity."""
    told = identity(email="a@b.example", is_email_verified=is_verified)
    try:
        meant = found(told, among)
    except WrongCredential:
        assert any(each.is_known and each.is_disabled for each in among)
        return
    of = {each.id: each for each in among}
    match meant:
        case Known(user):
            assert of[user].is_known
            assert not of[user].is_disabled
        case ToProve(user, _):
            assert is_verified
            assert of[user].has_password
            assert not of[user].is_linked
        case ToLink(user, _):
            assert is_verified
            assert not of[user].has_password
            assert not of[user].is_linked
        case Unknown():
            assert not any(each.is_known for each in among)


async def test_who_has_a_password_shows_it_once(engine, ada, workspace):
    """After that the subject is enough, whatever the address is then; a wrong password links nothing."""
    name = f"dora-{uuid7().hex[-12:]}"
    email, organization = f"{name}@example.com", ada.organization_id
    make = {"username": name, "password": PASSWORD, "role": Role.VIEWER, "email": email}
    user = await create_user(engine, ada, workspace, **make)
    told = identity(email=email.upper())

    assert await actions.who(engine, organization, told) == ToProve(user.id, name)
    with pytest.raises(WrongCredential):
        await actions.enter(engine, organization, told)
    with pytest.raises(Unauthenticated):
        await actions.prove(engine, organization, told, password="a wrong one", place="here")
    assert isinstance(await actions.who(engine, organization, told), ToProve)
    session = await actions.prove(engine, organization, told, password=PASSWORD, place="here")
    assert session.actor.id == user.id
    assert await actions.who(engine, organization, identity(subject=told.subject)) == Known(user.id)
    assert await actions.who(engine, organization, identity(email=email)) == Unknown()
    assert await actions.who(engine, organization, identity(issuer="https://other.example", email=email)) == ToProve(
        user.id, name
    )
    await disable_user(engine, ada, user.id)
    with pytest.raises(WrongCredential):
        await actions.enter(engine, organization, told)


async def test_who_was_made_to_come_this_way_comes(engine, ada, workspace):
    """Without a password; by a verified address alone."""
    name = f"emil-{uuid7().hex[-12:]}"
    email, organization = f"{name}@example.com", ada.organization_id
    user = await create_user(engine, ada, workspace, username=name, password=None, role=Role.OPERATOR, email=email)
    assert isinstance(await actions.who(engine, organization, identity(email=email, is_email_verified=False)), Unknown)
    session = await actions.enter(engine, organization, identity(email=email))
    assert session.actor.id == user.id
    assert session.actor.may(Permission.START_RUNS, workspace)
    linked = await engine.database.value(
        "select count(*) from event where kind = 'user.identity_linked' and subject_id = %(user)s", user=user.id
    )
    assert linked == 1


async def test_somebody_new_comes_by_an_invitation_or_as_nobodys_member(engine, ada, workspace, cleo):
    """With a name that is free; an invitation of another organization is none."""
    organization = ada.organization_id
    _, token = await invite(engine, ada, workspace, role=Role.VIEWER)
    name = f"finn-{uuid7().hex[-12:]}"
    session = await actions.come(engine, organization, identity(username=name), token=token)
    assert session.actor.may(Permission.READ_RUNS, workspace)
    again = await actions.come(engine, organization, identity(username=name), token=None)
    assert (again.actor.name, again.actor.grants) == (f"{name}-2", {})
