"""Secrets are changed key by key: what is not named stays, and a new one takes no other's place."""

import asyncio

import pytest

from controlroom.engine.vault import actions, edits
from controlroom.engine.vault.edits import SecretNameTaken
from controlroom.engine.vault.errors import SecretNotFound, SecretTooLarge
from controlroom.errors import Forbidden, NotFound


async def test_two_who_edit_at_once_lose_nothing(engine, ada, workspace):
    """Each writes a key of their own; both are there."""
    await edits.create(engine, ada, workspace, "erp", values={"user": "ida"}, description="")
    await asyncio.gather(
        *(edits.edit(engine, ada, workspace, "erp", values={f"k{n}": str(n)}) for n in range(5)),
    )
    told = await actions.read(engine, ada, workspace, "erp")
    assert told.values == {"user": "ida", **{f"k{n}": str(n) for n in range(5)}}


async def test_of_two_who_make_one_the_second_is_refused(engine, ada, workspace):
    """Nothing of the first is touched."""
    answers = await asyncio.gather(
        *(edits.create(engine, ada, workspace, "bank", values={"n": n}, description="") for n in range(4)),
        return_exceptions=True,
    )
    refused = [each for each in answers if isinstance(each, SecretNameTaken)]
    assert len(refused) == 3
    assert len((await actions.read(engine, ada, workspace, "bank")).values) == 1


async def test_what_cannot_be_written_is_refused(engine, ada, ben, cleo, workspace):
    """A secret that is not there, one that grows too large, and who may not."""
    with pytest.raises(SecretNotFound):
        await edits.edit(engine, ada, workspace, "none", values={"a": "b"})
    await edits.create(engine, ada, workspace, "large", values={}, description="")
    with pytest.raises(SecretTooLarge):
        await edits.edit(engine, ada, workspace, "large", values={"a": "x" * (engine.limits.secret_bytes + 1)})
    with pytest.raises(Forbidden):
        await edits.edit(engine, ben, workspace, "large", values={"a": "b"})
    with pytest.raises(NotFound):
        await edits.edit(engine, cleo, workspace, "large", values={"a": "b"})
