"""Secrets: who sees values, who sees keys, and what is recorded."""

import asyncio

import pytest

from controlroom.engine.access.model import Permission
from controlroom.engine.access.scope import scope_of
from controlroom.engine.vault import actions as vault
from controlroom.engine.vault import store
from controlroom.engine.vault.errors import SecretNameInvalid, SecretNotFound, SecretTooLarge
from controlroom.errors import Forbidden, NotFound, Unauthenticated
from controlroom.keys import Unsealable

VALUES = {"user": "ada", "password": "swordfish", "ports": [80, 443], "nothing": None}


def seen(actor, workspace):
    """What somebody may read of the secrets there."""
    return scope_of(actor, Permission.READ_SECRETS, workspace)


async def test_a_robot_reads_what_an_owner_has_put(engine, ada, robot, workspace):
    """Values come back as they were, whatever JSON they are, and it is recorded which step run read them."""
    put = await vault.put(engine, ada, workspace, "bank", values=VALUES, description="The bank")

    read = await vault.read(engine, robot, workspace, "bank")

    assert (read.name, read.description, read.values) == ("bank", "The bank", VALUES)
    assert "swordfish" not in repr(read)
    recorded = await engine.database.value(
        "select array[step_run_id, run_id] from event where kind = 'secret.read' and subject_id = %(id)s", id=put.id
    )
    assert recorded == [robot.step_run_id, robot.run_id]


async def test_values_are_not_in_the_database(engine, ada, workspace):
    """What is stored tells nothing, and cannot be moved to another name."""
    await vault.put(engine, ada, workspace, "bank", values=VALUES)
    await vault.put(engine, ada, workspace, "shop", values={"user": "eve"})
    stored = await engine.database.value("select string_agg(sealed, '') from secret")
    assert b"swordfish" not in stored

    await engine.database.execute(
        """
        update secret set sealed = (select sealed from secret where name = 'bank' and workspace_id = %(workspace)s)
         where name = 'shop' and workspace_id = %(workspace)s
        """,
        workspace=workspace,
    )
    with pytest.raises(Unsealable):
        await vault.show(engine, seen(ada, workspace), "shop")


async def test_an_ended_step_run_reads_nothing(engine, ada, robot, workspace, end):
    """A robot's right to secrets, in both directions, ends with its step run."""
    await vault.put(engine, ada, workspace, "bank", values=VALUES)
    await end(robot)

    with pytest.raises(Unauthenticated):
        await vault.read(engine, robot, workspace, "bank")
    with pytest.raises(Unauthenticated):
        await vault.put(engine, robot, workspace, "bank", values={})

    assert (await vault.read(engine, ada, workspace, "bank")).values == VALUES


async def test_an_overtaken_attempt_reads_nothing(engine, ada, robot, workspace, overtake):
    """A robot that was thought lost, and goes on, gets no secret any more."""
    await vault.put(engine, ada, workspace, "bank", values=VALUES)
    await overtake(robot)

    with pytest.raises(Unauthenticated):
        await vault.read(engine, robot, workspace, "bank")


async def test_putting_replaces_all_values(engine, ada, robot, workspace):
    """No value of before is left; the description stays unless another is given; the secret stays the same one."""
    first = await vault.put(engine, ada, workspace, "bank", values=VALUES, description="The bank")

    second = await vault.put(engine, robot, workspace, "bank", values={"token": "x"})

    assert (second.id, second.description) == (first.id, "The bank")
    assert (await vault.show(engine, seen(ada, workspace), "bank")).keys == ["token"]
    kinds = await engine.database.value(
        "select array_agg(kind order by id) from event where subject_id = %(id)s", id=first.id
    )
    assert kinds == ["secret.created", "secret.updated"]


async def test_of_two_who_put_at_once_one_stays_whole(engine, ada, workspace):
    """The secret has the values of one of them, and is one."""
    await asyncio.gather(*(vault.put(engine, ada, workspace, "bank", values={"a": n, "b": n}) for n in range(8)))

    values = (await vault.read(engine, ada, workspace, "bank")).values
    assert values["a"] == values["b"]


async def test_operators_see_keys_never_values(engine, ada, ben, workspace):
    """Ben sees that there is a secret and the names of its values, and can neither read nor write nor delete it."""
    await vault.put(engine, ada, workspace, "bank", values=VALUES)

    assert (await vault.show(engine, seen(ben, workspace), "bank")).keys == list(VALUES)
    listed = await store.list_secrets(engine.database, seen(ben, workspace), after=None, limit=9)
    assert [secret.name for secret in listed] == ["bank"]
    for refused in (
        vault.read(engine, ben, workspace, "bank"),
        vault.put(engine, ben, workspace, "bank", values={}),
        vault.delete(engine, ben, workspace, "bank"),
    ):
        with pytest.raises(Forbidden):
            await refused


async def test_outsiders_see_no_secret(engine, ada, cleo, robot, root, team, workspace):
    """To cleo the workspace does not exist, to a robot no other one, to an admin no other organization's."""
    await vault.put(engine, ada, workspace, "bank", values=VALUES)
    await vault.put(engine, cleo, team.other_workspace, "cleos", values=VALUES)

    for nothing in (
        vault.read(engine, cleo, workspace, "bank"),
        vault.put(engine, cleo, workspace, "bank", values={}),
        vault.delete(engine, cleo, workspace, "bank"),
        vault.read(engine, cleo, team.other_workspace, "bank"),
        vault.read(engine, robot, team.other_workspace, "cleos"),
        vault.read(engine, root, team.other_workspace, "cleos"),
        vault.put(engine, root, team.other_workspace, "mine", values={}),
    ):
        with pytest.raises(NotFound):
            await nothing
    with pytest.raises(NotFound):
        seen(cleo, workspace)


async def test_a_deleted_secret_is_gone(engine, ada, robot, workspace):
    """Whoever asks for it is told that there is none."""
    await vault.put(engine, ada, workspace, "bank", values=VALUES)

    await vault.delete(engine, ada, workspace, "bank")

    for gone in (vault.read(engine, robot, workspace, "bank"), vault.delete(engine, ada, workspace, "bank")):
        with pytest.raises(SecretNotFound):
            await gone


@pytest.mark.parametrize(
    "name", ["", " bank", "a/b", "a:b", "a?b", "a#b", "a\\b", "publicKey", "..", "x" * 256, "a\nb"]
)
async def test_names_that_clients_cannot_ask_for_are_refused(engine, ada, workspace, name):
    """A secret that nobody could address is not made."""
    with pytest.raises(SecretNameInvalid):
        await vault.put(engine, ada, workspace, name, values={})


async def test_a_secret_has_a_size(engine, ada, workspace):
    """More than the limit is refused, and what was there stays."""
    await vault.put(engine, ada, workspace, "bank", values=VALUES)

    with pytest.raises(SecretTooLarge):
        await vault.put(engine, ada, workspace, "bank", values={"x": "y" * engine.limits.secret_bytes})

    assert (await vault.read(engine, ada, workspace, "bank")).values == VALUES


async def test_secrets_are_listed_by_name_in_pages(engine, ada, workspace):
    """Pages follow each other without gap or repetition."""
    for name in ("delta", "alpha", "charlie", "bravo"):
        await vault.put(engine, ada, workspace, name, values={})

    first = await store.list_secrets(engine.database, seen(ada, workspace), after=None, limit=3)
    second = await store.list_secrets(engine.database, seen(ada, workspace), after=first[-1].name, limit=3)

    assert [secret.name for secret in [*first, *second]] == ["alpha", "bravo", "charlie", "delta"]
