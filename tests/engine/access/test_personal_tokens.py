"""Personal tokens: a program speaks as its user."""

import pytest

from controlroom.engine.access import personal_tokens
from controlroom.engine.access.errors import PersonalTokenNotFound
from controlroom.engine.access.users import actions as users
from controlroom.errors import Forbidden, Unauthenticated
from controlroom.ids import UserId


async def test_a_token_speaks_as_its_user(engine, ada, ben):
    """With what they may do now, as long as they are enabled; another value ends the one before."""
    made, value = await personal_tokens.make(engine, ben, UserId(ben.id), name="laptop")
    actor = await personal_tokens.authenticate(engine, value)
    assert (value[:5], actor.id, actor.grants) == ("dbtu_", ben.id, ben.grants)

    same, other = await personal_tokens.rotate(engine, ben, UserId(ben.id), made.id)
    assert same.id == made.id
    for wrong in (value, "", "dbtu_é" + "0" * 41):
        with pytest.raises(Unauthenticated):
            await personal_tokens.authenticate(engine, wrong)
    await users.disable_user(engine, ada, UserId(ben.id))
    with pytest.raises(Unauthenticated):
        await personal_tokens.authenticate(engine, other)


async def test_a_token_is_its_users_and_of_who_governs_them(engine, ada, ben):
    """An owner's for those of the workspace, not the other way round."""
    made, value = await personal_tokens.make(engine, ada, UserId(ben.id), name="laptop")
    for verb in (personal_tokens.get, personal_tokens.rotate, personal_tokens.delete):
        with pytest.raises(PersonalTokenNotFound):
            await verb(engine, ada, UserId(ada.id), made.id)
        with pytest.raises(Forbidden):
            await verb(engine, ben, UserId(ada.id), made.id)
    assert await personal_tokens.list_tokens(engine, ben, UserId(ben.id)) == [made]
    await personal_tokens.delete(engine, ben, UserId(ben.id), made.id)
    with pytest.raises(Unauthenticated):
        await personal_tokens.authenticate(engine, value)
