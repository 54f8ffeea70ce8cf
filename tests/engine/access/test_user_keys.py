"""Users' keys: with one a program logs in, and what ends that."""

from datetime import timedelta

import pytest

from controlroom.engine.access import jwts, user_keys
from controlroom.engine.access.errors import SessionOver, UserKeyNotFound, WrongCredential
from controlroom.engine.access.users import actions as users
from controlroom.errors import Forbidden, Invalid, NotFound
from controlroom.ids import UserId


async def test_a_key_logs_its_user_in(engine, ada):
    """By name, whatever its case, and value; it is as long as clients expect, and not in the database."""
    key, value = await user_keys.make(engine, ada, UserId(ada.id))
    actor, used = await user_keys.log_in(engine, username=ada.name.upper(), value=value)

    assert (actor.id, actor.grants, used) == (ada.id, ada.grants, key.id)
    assert (len(value), value.isalnum(), key.expires_at is not None) == (40, True, True)
    assert await user_keys.reveal(engine, ada, UserId(ada.id)) == value
    for name, wrong in (("ben", value), (ada.name, value[:-1] + "x"), (ada.name, ""), (ada.name, value[:-1] + "é")):
        with pytest.raises(WrongCredential):
            await user_keys.log_in(engine, username=name, value=wrong)


async def test_a_further_key_takes_the_place_of_the_one_before(engine, ada):
    """Its sessions end with it; so they do when it is revoked."""
    old, value = await user_keys.make(engine, ada, UserId(ada.id))
    session = await jwts.issue(engine, ada, life=timedelta(minutes=20), terms=jwts.Terms(by_key=old.id))
    _, new = await user_keys.make(engine, ada, UserId(ada.id))

    with pytest.raises(WrongCredential):
        await user_keys.log_in(engine, username=ada.name, value=value)
    with pytest.raises(SessionOver):
        await jwts.authenticate(engine, session.token)
    await user_keys.revoke(engine, ada, UserId(ada.id))
    with pytest.raises(WrongCredential):
        await user_keys.log_in(engine, username=ada.name, value=new)
    for verb in (user_keys.revoke, user_keys.reveal, user_keys.get):
        with pytest.raises(UserKeyNotFound):
            await verb(engine, ada, UserId(ada.id))


async def test_a_key_expires_and_opens_nothing_for_the_disabled(engine, ada, ben, later):
    """After the time that it was made for; a disabled user's at once."""
    _, value = await user_keys.make(engine, ben, UserId(ben.id), life=timedelta(days=1))
    await users.disable_user(engine, ada, UserId(ben.id))
    with pytest.raises(WrongCredential):
        await user_keys.log_in(engine, username="ben", value=value)
    await users.enable_user(engine, ada, UserId(ben.id))
    await user_keys.log_in(engine, username="ben", value=value)
    await later(days=1, seconds=1)
    with pytest.raises(WrongCredential):
        await user_keys.log_in(engine, username="ben", value=value)
    with pytest.raises(Invalid):
        await user_keys.make(engine, ben, UserId(ben.id), life=timedelta())


async def test_a_key_is_made_and_seen_by_who_governs_the_user(engine, ada, ben, cleo):
    """An owner for those of the workspace; not the other way round; to an outsider nobody is there."""
    _, value = await user_keys.make(engine, ada, UserId(ben.id))
    assert await user_keys.reveal(engine, ada, UserId(ben.id)) == value
    for verb in (user_keys.make, user_keys.reveal, user_keys.revoke, user_keys.get):
        with pytest.raises(Forbidden):
            await verb(engine, ben, UserId(ada.id))
        with pytest.raises(NotFound):
            await verb(engine, cleo, UserId(ada.id))
