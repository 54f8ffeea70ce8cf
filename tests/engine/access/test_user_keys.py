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
    assert await user_keys.reveal(engine, ada, UserId(ada.id), key.id) == value
    for name, wrong in (("ben", value), (ada.name, value[:-1] + "x"), (ada.name, ""), (ada.name, value[:-1] + "é")):
        with pytest.raises(WrongCredential):
            await user_keys.log_in(engine, username=name, value=wrong)


async def test_what_was_begun_by_a_key_ends_with_it(engine, ada):
    """Not with another one's: each program has its own, and of too many the oldest makes room."""
    first, value = await user_keys.make(engine, ada, UserId(ada.id), name="first")
    second, _ = await user_keys.make(engine, ada, UserId(ada.id))
    by_first, by_second = [
        await jwts.issue(engine, ada, life=timedelta(minutes=20), terms=jwts.Terms(by_key=key.id))
        for key in (first, second)
    ]

    await user_keys.revoke(engine, ada, UserId(ada.id), first.id)

    with pytest.raises(WrongCredential):
        await user_keys.log_in(engine, username=ada.name, value=value)
    with pytest.raises(SessionOver):
        await jwts.authenticate(engine, by_first.token)
    await jwts.authenticate(engine, by_second.token)
    for verb in (user_keys.revoke, user_keys.reveal):
        with pytest.raises(UserKeyNotFound):
            await verb(engine, ada, UserId(ada.id), first.id)
    made = [(await user_keys.make(engine, ada, UserId(ada.id)))[0] for _ in range(user_keys.MOST)]
    assert await user_keys.list_keys(engine, ada, UserId(ada.id)) == made


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
    key, value = await user_keys.make(engine, ada, UserId(ben.id))
    assert await user_keys.reveal(engine, ada, UserId(ben.id), key.id) == value
    for verb in (user_keys.make, user_keys.list_keys):
        with pytest.raises(Forbidden):
            await verb(engine, ben, UserId(ada.id))
        with pytest.raises(NotFound):
            await verb(engine, cleo, UserId(ada.id))
    for verb in (user_keys.reveal, user_keys.revoke):
        with pytest.raises(UserKeyNotFound):
            await verb(engine, ada, UserId(ada.id), key.id)
        with pytest.raises(NotFound):
            await verb(engine, cleo, UserId(ben.id), key.id)
