"""A token of any kind is resolved in one place, and each door takes those that are meant for it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.engine.access import jwts
from controlroom.engine.access.actions import create_api_key
from controlroom.engine.access.credentials import forget
from controlroom.engine.access.model import Actor, ActorKind, Permission, StepRunActor, WorkerActor
from controlroom.engine.access.passwords import hash_password
from controlroom.engine.access.sessions import begin
from controlroom.engine.access.tokens import mint_step_run_token
from controlroom.engine.callers import Caller, Door, Kind, kind_of, resolve
from controlroom.engine.processes import actions as processes
from controlroom.engine.processes.model import ProcessDefinition, StepDefinition
from controlroom.engine.triggers import process_secrets
from controlroom.engine.workers import linking
from controlroom.errors import Unauthenticated
from controlroom.protocol import Link

EVERYBODY = Door[Caller](frozenset(Kind), Kind.API_KEY)


@pytest.fixture
async def tokens(engine, ada, workspace, robot):
    """One of each kind that the engine makes by itself, and whose it is."""
    await engine.database.execute(
        "update app_user set password_hash = %(hash)s where id = %(id)s",
        hash=await hash_password("correct horse"),
        id=ada.id,
    )
    key, value = await create_api_key(engine, ada, workspace, name="ci", permissions=[Permission.READ_RUNS])
    link = await linking.create_link_token(engine, ada, workspace)
    worker = await linking.link(engine, Link(link.value, "walt"))
    process = await processes.create(
        engine, ada, workspace, ProcessDefinition(name="p", steps=(StepDefinition(name="s"),))
    )
    return {
        Kind.API_KEY: (value, ActorKind.API_KEY, key.id),
        Kind.SESSION: (
            (await begin(engine, username="ada", password="correct horse", place="here")).token,
            ActorKind.USER,
            None,
        ),
        Kind.JWT: ((await jwts.issue(engine, ada, life=timedelta(minutes=1))).token, ActorKind.USER, ada.id),
        Kind.STEP_RUN: (mint_step_run_token(engine.keys, robot), ActorKind.STEP_RUN, robot.step_run_id),
        Kind.WORKER: (worker.token, ActorKind.WORKER, worker.worker_id),
        Kind.PROCESS_SECRET: (
            await process_secrets.switch_on(engine, ada, workspace, process.id),
            ActorKind.TRIGGER,
            process.id,
        ),
    }


def who(caller):
    match caller:
        case Actor():
            return caller.kind, caller.id
        case StepRunActor():
            return ActorKind.STEP_RUN, caller.step_run_id
        case WorkerActor():
            return ActorKind.WORKER, caller.worker_id


async def test_every_kind_is_resolved_to_whose_it_is(engine, tokens):
    """By one function, whatever it is; what is none is refused in the words of what the door is for."""
    for kind, (token, actor_kind, id_) in tokens.items():
        found = who(await resolve(engine, token, EVERYBODY))
        assert (kind_of(token), found[0]) == (kind, actor_kind)
        assert id_ in {None, found[1]}

    for nothing in ("", "nonsense", "crk", "eyJ.x.y", "0" * 32, "crc_x", "cra_x", "ä"):
        with pytest.raises(Unauthenticated):
            await resolve(engine, nothing, EVERYBODY)
    with pytest.raises(Unauthenticated, match="the API key is not valid"):
        await resolve(engine, "nonsense", EVERYBODY)


async def test_a_door_takes_only_what_is_meant_for_it(engine, tokens):
    """Any other credential, however valid elsewhere, opens nothing there."""
    for meant in tokens:
        door = Door[Caller](frozenset({meant}), meant)
        for kind, (token, actor_kind, _) in tokens.items():
            if kind is meant:
                assert who(await resolve(engine, token, door))[0] is actor_kind
            else:
                with pytest.raises(Unauthenticated):
                    await resolve(engine, token, door)


class Counted:
    """The database, and how many statements it was asked for."""

    def __init__(self, database):
        self._database = database
        self.statements = 0

    def __getattr__(self, name):
        self.statements += name in {"one", "one_or_none", "all", "value", "execute"}
        return getattr(self._database, name)


async def test_nobody_costs_more_than_one_round_trip(engine, tokens):
    """The first time; keys and workers none at all for a few seconds after, robots never any."""
    first, again = {}, {}
    forget(engine)
    for costs in (first, again):
        for kind, (token, _, _) in tokens.items():
            counted = Counted(engine.database)
            await resolve(replace(engine, database=counted), token, EVERYBODY)
            costs[kind] = counted.statements

    signed = first.pop(Kind.JWT)  # and its key, which is remembered then
    assert first == dict.fromkeys(tokens.keys() - {Kind.JWT, Kind.STEP_RUN}, 1) | {Kind.STEP_RUN: 0}
    assert signed <= 2
    lasting = {Kind.SESSION, Kind.JWT, Kind.PROCESS_SECRET}
    assert again == {kind: int(kind in lasting) for kind in tokens}


@given(st.text())
def test_any_text_is_of_one_kind_or_none(text):
    """The form alone tells."""
    assert kind_of(text) in {None, *Kind}
