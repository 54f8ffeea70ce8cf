"""API keys: what they open, who may make them, and how their use is counted."""

import asyncio

import pytest

from controlroom.engine.access import store
from controlroom.engine.access.actions import (
    create_api_key,
    delete_api_key,
    edit_api_key,
    get_api_key,
    reveal_api_key,
)
from controlroom.engine.access.credentials import Memory, authenticate_api_key, flush_uses
from controlroom.engine.access.model import EVERYTHING, Permission
from controlroom.engine.access.scope import scope_of
from controlroom.errors import Forbidden, NotFound, Unauthenticated
from controlroom.keys import mint


async def listed(engine, actor, workspace, **asked):
    scope = scope_of(actor, Permission.READ_API_KEYS, workspace)
    return await store.list_api_keys(engine.database, scope, **({"after": None} | asked))


async def got(engine, actor, workspace, key):
    return await get_api_key(engine.database, scope_of(actor, Permission.READ_API_KEYS, workspace), key)


async def test_a_key_opens_its_workspace_with_its_permissions(engine, ada, workspace):
    """Whoever shows the value acts in the key's workspace alone, with the permissions it names."""
    key, value = await create_api_key(engine, ada, workspace, name="ci", permissions=[Permission.START_RUNS])

    actor = await authenticate_api_key(engine, value)

    assert actor.id == key.id
    assert actor.grants == {workspace: frozenset({Permission.START_RUNS})}
    assert value.isalnum()


async def test_what_is_no_key_opens_nothing(engine):
    """Guesses are refused, with or without the right form, the first time and again."""
    guess = mint("crk", length=96)

    for value in ("", "nonsense", "ä" * 100, guess[:-1] + "!", guess, guess):
        with pytest.raises(Unauthenticated):
            await authenticate_api_key(engine, value)


async def test_a_deleted_key_opens_nothing_more(engine, ada, workspace):
    """On the server that deletes it, a key is refused at once, although it was used a moment ago."""
    key, value = await create_api_key(engine, ada, workspace, name="ci", permissions=[])
    await authenticate_api_key(engine, value)

    await delete_api_key(engine, ada, workspace, key.id)

    with pytest.raises(Unauthenticated):
        await authenticate_api_key(engine, value)
    with pytest.raises(NotFound):
        await delete_api_key(engine, ada, workspace, key.id)


async def test_an_expired_key_opens_nothing(engine, ada, workspace):
    """A key past its time is refused."""
    key, value = await create_api_key(engine, ada, workspace, name="ci", permissions=[])
    await engine.database.execute(
        "update credential set expires_at = clock_now() - interval '1 second' where id = %(id)s", id=key.id
    )

    with pytest.raises(Unauthenticated):
        await authenticate_api_key(engine, value)


async def test_changed_permissions_hold_at_once(engine, ada, workspace):
    """On the server that changes a key, the next request has the new permissions."""
    key, value = await create_api_key(engine, ada, workspace, name="ci", permissions=[Permission.READ_RUNS])
    await authenticate_api_key(engine, value)

    edited = await edit_api_key(engine, ada, workspace, key.id, permissions=[Permission.READ_ASSETS])

    assert (edited.name, edited.permissions) == ("ci", [Permission.READ_ASSETS])
    actor = await authenticate_api_key(engine, value)
    assert actor.permissions_in(workspace) == {Permission.READ_ASSETS}


async def test_uses_are_counted(engine, ada, workspace):
    """Every authentication is a use; counts are written in one go, and not twice."""
    key, value = await create_api_key(engine, ada, workspace, name="ci", permissions=[])
    for _ in range(3):
        await authenticate_api_key(engine, value)

    await flush_uses(engine)
    await flush_uses(engine)

    used = await got(engine, ada, workspace, key.id)
    assert used.use_count == 3
    assert used.used_at is not None


async def test_nobody_gives_more_than_they_have(engine, ada, ben, workspace, team):
    """A key that may write keys can neither make, nor edit, nor reveal one that can do more than itself."""
    _, value = await create_api_key(
        engine, ada, workspace, name="keeper", permissions=[Permission.WRITE_API_KEYS, Permission.REVEAL]
    )
    strong, _ = await create_api_key(engine, ada, workspace, name="strong", permissions=EVERYTHING)
    keeper = await authenticate_api_key(engine, value)

    with pytest.raises(Forbidden) as refused:
        await create_api_key(engine, keeper, workspace, name="more", permissions=[Permission.READ_RUNS])
    with pytest.raises(Forbidden):
        await reveal_api_key(engine, keeper, workspace, strong.id)
    weak = await edit_api_key(engine, keeper, workspace, strong.id, permissions=[Permission.READ_RUNS])
    with pytest.raises(Forbidden):
        await edit_api_key(engine, keeper, workspace, strong.id, permissions=EVERYTHING)

    assert refused.value.fields["permissions"] == ["runs.read"]
    assert weak.permissions == [Permission.READ_RUNS]


async def test_revealing_a_key_is_audited(engine, ada, workspace):
    """The value is shown again to those who may, and it is recorded who saw it."""
    key, value = await create_api_key(engine, ada, workspace, name="ci", permissions=[])

    assert await reveal_api_key(engine, ada, workspace, key.id) == value

    seen_by = await engine.database.value(
        "select actor_id from event where kind = 'api_key.revealed' and subject_id = %(key)s", key=key.id
    )
    assert seen_by == ada.id


async def test_keys_are_listed_without_values_in_pages(engine, ada, workspace):
    """Pages follow each other without gap or repetition."""
    keys = [(await create_api_key(engine, ada, workspace, name=f"key {n}", permissions=[]))[0] for n in range(5)]

    first = await listed(engine, ada, workspace, limit=3)
    second = await listed(engine, ada, workspace, after=first[-1].id, limit=3)

    assert [*first, *second] == keys


async def test_outsiders_see_no_keys(engine, ada, ben, cleo, root, workspace, team):
    """Cleo is told that there is no such workspace, ben which right he lacks, an admin nothing of strangers."""
    key, _ = await create_api_key(engine, ada, workspace, name="ci", permissions=[])

    for verb in (got, delete_api_key, reveal_api_key):
        with pytest.raises(NotFound):
            await verb(engine, cleo, workspace, key.id)
        with pytest.raises(NotFound):
            await verb(engine, cleo, team.other_workspace, key.id)
        with pytest.raises(Forbidden):
            await verb(engine, ben, workspace, key.id)
    with pytest.raises(NotFound):
        await create_api_key(engine, root, team.other_workspace, name="mine", permissions=[])
    with pytest.raises(NotFound):
        await listed(engine, root, team.other_workspace, limit=10)


def test_what_was_looked_up_is_forgotten_in_time():
    """Results, also missing ones, are kept for five seconds; the longest unused goes first when there are too many."""
    now = 0.0
    memory = Memory(lambda: now, at_most=2)

    memory.put(b"a", "ada", generation=memory.generation)
    memory.put(b"n", None, generation=memory.generation)
    assert (memory.get(b"a"), memory.get(b"n"), memory.get(b"x")) == (("ada",), (None,), None)
    memory.get(b"a")
    memory.put(b"b", "ben", generation=memory.generation)
    assert (memory.get(b"n"), memory.get(b"a")) == (None, ("ada",))
    now = 5.0
    assert (memory.get(b"a"), memory.get(b"b")) == (None, None)


def test_what_was_looked_up_before_rights_changed_is_not_remembered():
    """A look-up that was under way when a key was deleted does not bring it back."""
    memory = Memory()
    before = memory.generation

    memory.forget()
    memory.put(b"a", "ada", generation=before)

    assert memory.get(b"a") is None


async def test_servers_count_uses_together(engine, ada, workspace):
    """Counts written at the same time add up."""
    keys = [await create_api_key(engine, ada, workspace, name=f"key {n}", permissions=[]) for n in range(4)]
    for _, value in keys:
        await authenticate_api_key(engine, value)
    await asyncio.gather(flush_uses(engine), flush_uses(engine))

    assert [key.use_count for key in await listed(engine, ada, workspace, limit=9)] == [1, 1, 1, 1]
