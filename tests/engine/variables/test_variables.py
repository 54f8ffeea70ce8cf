"""Variables: by which scope a run finds a value, and what nobody is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.engine.processes import actions as processes
from controlroom.engine.processes.model import ProcessDefinition
from controlroom.engine.targets import actions as targets
from controlroom.engine.targets.model import TargetDefinition
from controlroom.engine.variables import actions, store
from controlroom.engine.variables.actions import VariableChange
from controlroom.engine.variables.errors import (
    VariableExists,
    VariableInvalid,
    VariableNameInvalid,
    VariableNotFound,
)
from controlroom.engine.variables.model import OF_WORKSPACE, VariableScope, Where
from controlroom.engine.variables.rules import MASK, checked_name, is_secret
from controlroom.errors import NotFound
from controlroom.ids import TargetId, UserId, uuid7


@pytest.mark.parametrize(
    "name",
    [
        *("DBT_TARGET_PATH", "DBT_PROFILES_DIR", "DBT_ENGINE_ANYTHING", "DBT_LOG_FORMAT", "DBT_WRITE_JSON"),
        *("DBT_CLOUD_RUN_ID", "PATH", "LD_PRELOAD", "PYTHONPATH", "CONTROLROOM_DATA"),
        *("", "1ST", "lower", "WITH SPACE", "A=B", "X" * 256),
    ],
)
def test_flags_and_the_rooms_own_names_are_refused(name):
    """Nobody changes how the tool or a robot's interpreter works by a variable."""
    with pytest.raises(VariableNameInvalid):
        checked_name(name)


@given(st.from_regex(r"DBT_ENV_CUSTOM_ENV_[A-Z]{1,20}|DBT_X_[A-Z0-9_]{0,30}|API_[A-Z]{1,9}", fullmatch=True))
def test_other_names_are_taken(name):
    """Also those that tell no secret."""
    assert checked_name(name) == name
    assert not is_secret(name)


@pytest.fixture
async def target(engine, ada, workspace):
    return (await targets.create(engine, ada, workspace, TargetDefinition(name="Production"))).id


@pytest.fixture
async def process(engine, ada, workspace):
    return (await processes.create(engine, ada, workspace, ProcessDefinition(name="Nightly", steps=[]))).id


async def _found(engine, seen, workspace, **of):
    rows = await store.resolved(engine.database, engine.keys, seen, workspace=workspace, **of)
    return {row.name: (row.value, row.scope) for row in rows}


async def test_the_nearest_scope_says(engine, ada, workspace, seen, target, process):
    """A process's or user's value goes before a target's, and that before the workspace's; others' do not count."""
    user = UserId(ada.id)
    for value, where in {
        "workspace": OF_WORKSPACE,
        "target": Where(target_id=target),
        "process": Where(process_id=process),
        "user": Where(user_id=user),
    }.items():
        await actions.create(engine, ada, workspace, "DBT_COLOR", value, where)
    await actions.create(engine, ada, workspace, "DBT_SIZE", "all")

    async def color(**of):
        return (await _found(engine, seen, workspace, **of))["DBT_COLOR"]

    assert await color() == ("workspace", VariableScope.WORKSPACE)
    assert await color(target=target) == ("target", VariableScope.TARGET)
    assert await color(target=target, process=process) == ("process", VariableScope.PROCESS)
    assert await color(target=target, user=user) == ("user", VariableScope.USER)
    assert (await _found(engine, seen, workspace, process=process))["DBT_SIZE"][0] == "all"


async def test_a_secret_value_goes_in_and_comes_out_for_runs_alone(engine, ada, workspace, seen):
    """It is sealed, shown as nothing, kept for a mask, and clear where a run finds it."""
    made = await actions.create(engine, ada, workspace, "DBT_ENV_SECRET_TOKEN", "hunter22")

    assert made.is_secret
    assert made.value is None
    assert "hunter22" not in repr(await store.of_workspace(engine.database, seen))
    await actions.edit(engine, ada, workspace, made.id, VariableChange(value=MASK))
    assert (await _found(engine, seen, workspace))["DBT_ENV_SECRET_TOKEN"][0] == "hunter22"
    with pytest.raises(VariableInvalid):
        await actions.edit(engine, ada, workspace, made.id, VariableChange(name="DBT_TOKEN"))


async def test_one_scope_has_a_name_once(engine, ada, workspace):
    """`create` refuses a second one, `put` gives it another value."""
    await actions.create(engine, ada, workspace, "DBT_COLOR", "red")

    with pytest.raises(VariableExists):
        await actions.create(engine, ada, workspace, "DBT_COLOR", "blue")
    assert (await actions.put(engine, ada, workspace, "DBT_COLOR", "blue")).value == "blue"


async def test_several_scopes_change_together_or_not_at_all(engine, ada, workspace, seen, target):
    """A wrong value of one changes none; a new name is that of all."""
    in_target = Where(target_id=target)
    await actions.put_all(engine, ada, workspace, "DBT_COLOR", {OF_WORKSPACE: "red", in_target: "blue"})

    with pytest.raises(VariableInvalid):
        await actions.edit_all(engine, ada, workspace, "DBT_COLOR", values={OF_WORKSPACE: "green", in_target: "\0"})
    changed = await actions.edit_all(engine, ada, workspace, "DBT_COLOR", new_name="DBT_SHADE", values={in_target: "x"})
    assert {each.scope: (each.name, each.value) for each in changed} == {
        VariableScope.WORKSPACE: ("DBT_SHADE", "red"),
        VariableScope.TARGET: ("DBT_SHADE", "x"),
    }
    left = await actions.edit_all(engine, ada, workspace, "DBT_SHADE", values={OF_WORKSPACE: "y"}, without=[in_target])
    assert [(each.scope, each.value) for each in left] == [(VariableScope.WORKSPACE, "y")]
    assert len(await actions.delete_all(engine, ada, workspace, "DBT_SHADE")) == 1
    with pytest.raises(VariableNotFound):
        await actions.delete_all(engine, ada, workspace, "DBT_SHADE")


async def test_scopes_are_of_the_workspace(engine, ada, cleo, workspace, team, target):
    """Nobody writes a variable for another workspace's target, nor an outsider one here."""
    with pytest.raises(VariableInvalid):
        await actions.create(engine, ada, workspace, "DBT_COLOR", "red", Where(target_id=TargetId(uuid7())))
    with pytest.raises(VariableInvalid):
        await actions.create(engine, cleo, team.other_workspace, "DBT_COLOR", "red", Where(target_id=target))
    with pytest.raises(NotFound):
        await actions.create(engine, cleo, workspace, "DBT_COLOR", "red")


async def test_a_targets_variables_go_with_it(engine, ada, workspace, seen, target):
    """Nobody finds them any more."""
    await actions.create(engine, ada, workspace, "DBT_COLOR", "red", Where(target_id=target))

    await targets.delete(engine, ada, workspace, target)

    assert await store.of_workspace(engine.database, seen) == []
