"""Workers come by link tokens."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from controlroom.engine.access.credentials import authenticate_worker
from controlroom.engine.access.model import Permission
from controlroom.engine.access.scope import scope_of
from controlroom.engine.workers import actions, link_tokens, linking, store
from controlroom.engine.workers.errors import LinkTokenForAnother, LinkTokenInvalid, LinkTokenNotFound
from controlroom.engine.workers.model import WorkerState
from controlroom.errors import Forbidden, Invalid, NotFound, Unauthenticated
from controlroom.ids import WorkerId, uuid7
from controlroom.keys import mint
from controlroom.protocol import Link

LATER = datetime(2999, 1, 1, tzinfo=UTC)


def seen(actor, workspace):
    """What somebody may read of the workers there."""
    return scope_of(actor, Permission.READ_WORKERS, workspace)


async def test_a_worker_is_linked_by_a_one_time_token(engine, ada, workspace):
    """A worker that brings a token is there, offline at first, and its own token is known from then on."""
    made = await linking.create_link_token(engine, ada, workspace, expires_at=LATER)

    linked = await linking.link(engine, Link(made.value, "walt", slots=4))

    worker = await store.get(engine.database, seen(ada, workspace), linked.worker_id)
    assert (worker.name, worker.slots, worker.state) == ("walt", 4, WorkerState.OFFLINE)
    actor = await authenticate_worker(engine, linked.token)
    assert (actor.worker_id, actor.workspaces, actor.name) == (linked.worker_id, (workspace,), "walt")


async def test_of_many_workers_with_one_token_one_is_linked(engine, ada, workspace):
    """A one-time token links one worker, however many come with it at the same moment."""
    made = await linking.create_link_token(engine, ada, workspace)

    answers = await asyncio.gather(
        *(linking.link(engine, Link(made.value, f"worker {n}")) for n in range(5)), return_exceptions=True
    )

    assert sum(isinstance(answer, LinkTokenInvalid) for answer in answers) == 4
    assert len(await store.list_workers(engine.database, seen(ada, workspace), limit=10)) == 1


async def test_a_groups_token_links_any_number_into_the_group(engine, ada, workspace):
    """A reusable token puts every worker that comes with it into its group."""
    group = await actions.create_group(engine, ada, workspace, "fast ones")
    made = await linking.create_group_link_token(engine, ada, workspace, group.id, name="rack 4")

    linked = [await linking.link(engine, Link(made.value, f"worker {n}")) for n in range(3)]

    members = await store.list_members(engine.database, seen(ada, workspace), group.id, limit=10)
    assert [worker.id for worker in members] == [one.worker_id for one in linked]
    assert (await link_tokens.get(engine.database, seen(ada, workspace), made.token.id)).used_at is not None


async def test_tokens_that_are_over_deleted_or_made_up_link_nobody(engine, ada, workspace):
    """A token that has expired, was deleted, or is none of ours is refused alike."""
    over = await linking.create_link_token(engine, ada, workspace, expires_at=datetime.now(UTC) - timedelta(seconds=1))
    deleted = await linking.create_link_token(engine, ada, workspace)
    await linking.delete_link_token(engine, ada, workspace, deleted.token.id)

    for value in (over.value, deleted.value, mint("crl_"), "crl_nonsense", "", over.value.replace("crl_", "crw_")):
        with pytest.raises(LinkTokenInvalid):
            await linking.link(engine, Link(value, "walt"))


async def test_a_promised_id_is_given_to_its_worker_alone(engine, ada, workspace):
    """A token for an on-demand worker gives it the id that was promised, and is refused for another one."""
    promised = WorkerId(uuid7())
    made = await linking.create_link_token(engine, ada, workspace, worker=promised)

    with pytest.raises(LinkTokenForAnother):
        await linking.link(engine, Link(made.value, "walt", worker_id=uuid7()))
    linked = await linking.link(engine, Link(made.value, "walt", worker_id=promised))

    assert linked.worker_id == promised


async def test_nobody_chooses_an_id_that_was_not_promised(engine, ada, workspace):
    """A worker cannot take an id that its token does not name; the token stays usable."""
    made = await linking.create_link_token(engine, ada, workspace)

    with pytest.raises(LinkTokenForAnother):
        await linking.link(engine, Link(made.value, "walt", worker_id=uuid7()))

    await linking.link(engine, Link(made.value, "walt"))


@pytest.mark.parametrize("link", [{"name": ""}, {"name": "w", "slots": 0}, {"name": "w", "slots": 10**9}])
async def test_a_worker_that_cannot_be_does_not_use_up_its_token(engine, ada, workspace, link):
    """A wrong name or number of slots is refused before the token is used."""
    made = await linking.create_link_token(engine, ada, workspace)

    with pytest.raises(Invalid):
        await linking.link(engine, Link(made.value, **link))

    await linking.link(engine, Link(made.value, "walt"))


async def test_a_tokens_value_is_shown_once_and_by_reveal(engine, ada, ben, workspace):
    """Lists never have the value; revealing needs its permission and is recorded."""
    made = await linking.create_link_token(engine, ada, workspace, name="laptop")

    assert await link_tokens.list_tokens(engine.database, seen(ada, workspace), limit=10) == [made.token]
    assert await linking.reveal_link_token(engine, ada, workspace, made.token.id) == made.value
    with pytest.raises(Forbidden):
        await linking.reveal_link_token(engine, ben, workspace, made.token.id)
    told = "select count(*) from event where kind = 'link_token.revealed' and subject_id = %(id)s"
    assert await engine.database.value(told, id=made.token.id) == 1


async def test_a_token_is_renamed_and_prolonged(engine, ada, workspace):
    """An update gives a token another name and another end."""
    made = await linking.create_link_token(engine, ada, workspace, expires_at=datetime.now(UTC) - timedelta(seconds=1))

    updated = await linking.update_link_token(engine, ada, workspace, made.token.id, name="laptop", expires_at=LATER)

    assert (updated.name, updated.expires_at) == ("laptop", LATER)
    await linking.link(engine, Link(made.value, "walt"))


async def test_an_unlinked_worker_is_refused(engine, ada, workspace):
    """After a worker was deleted its token opens nothing."""
    made = await linking.create_link_token(engine, ada, workspace)
    linked = await linking.link(engine, Link(made.value, "walt"))
    await authenticate_worker(engine, linked.token)

    await actions.delete(engine, ada, workspace, linked.worker_id)

    with pytest.raises(Unauthenticated):
        await authenticate_worker(engine, linked.token)


async def test_outsiders_see_no_tokens(engine, ada, cleo, root, workspace, team):
    """Another organization's user or admin can neither find, change, show nor make a token."""
    made = await linking.create_link_token(engine, ada, workspace)

    for attempt in (
        linking.create_link_token(engine, cleo, workspace),
        linking.create_link_token(engine, root, team.other_workspace),
        linking.reveal_link_token(engine, cleo, team.other_workspace, made.token.id),
        linking.delete_link_token(engine, cleo, team.other_workspace, made.token.id),
        linking.update_link_token(engine, cleo, team.other_workspace, made.token.id, name="x", expires_at=None),
    ):
        with pytest.raises(NotFound):
            await attempt
    with pytest.raises(LinkTokenNotFound):
        await link_tokens.get(engine.database, seen(cleo, team.other_workspace), made.token.id)
