"""What a process was: kept with each change, told as a difference, and taken back."""

from datetime import timedelta

import pytest
from msgspec import Raw
from msgspec.structs import replace
from tests.engine.conftest import new_user

from controlroom.engine.access.model import Role
from controlroom.engine.access.scope import Of
from controlroom.engine.processes import actions, changes, store, versions
from controlroom.engine.processes.errors import ProcessNotFound, VersionNotFound
from controlroom.engine.processes.forms import FieldKind, Form, FormField
from controlroom.engine.processes.model import (
    Group,
    NamedTask,
    Placement,
    ProcessChange,
    ProcessDefinition,
    StepDefinition,
)
from controlroom.engine.work_items.rules import RetryPolicy
from controlroom.engine.workers import actions as workers
from controlroom.errors import Forbidden, NotFound

PRODUCE = StepDefinition(name="produce", work=NamedTask("robots", "Produce"), environment={"LEVEL": "1", "OLD": "x"})
CONSUME = StepDefinition(name="consume", work=NamedTask("robots", "Consume"))


@pytest.fixture
def seen(ada, workspace):
    """The workspace as ada sees it."""
    return Of(ada.organization_id, (workspace,))


async def told(engine, seen, process):
    """The differences of each version of a process to the one before, the latest first."""
    kept = await versions.list_versions(engine.database, seen, process.id, limit=10)
    befores = [*(each.definition for each in kept[1:]), None]
    return [
        [(each.step, each.what, each.was, each.now) for each in changes.differences(before, after.definition)]
        for before, after in zip(befores, kept, strict=True)
    ]


async def test_a_change_is_told_as_a_difference_and_taken_back(engine, ada, workspace, package, seen):
    """By setting and step; what is taken back is as it was, and that is a change itself."""
    process = await actions.create(
        engine, ada, workspace, ProcessDefinition(name="Invoices", steps=(PRODUCE, CONSUME), default_item=Raw(b"[1]"))
    )
    before = await store.list_steps(engine.database, seen, process.id)
    other = StepDefinition(
        name="produce", work=NamedTask("robots", "Produce"), max_parallel=4, environment={"LEVEL": "2"}
    )
    await actions.update(engine, ada, workspace, process.id, ProcessChange(name="Bills", steps=(other,)))

    assert (await told(engine, seen, process))[0] == [
        ("", "name", "Invoices", "Bills"),
        ("produce", "max_parallel", "1", "4"),
        ("produce", "environment.OLD", "x", None),
        ("produce", "environment.LEVEL", "1", "2"),
        ("consume", "step", "Consume of robots", None),
    ]

    back = await changes.take_back(engine, ada, workspace, process.id, 2)

    after = await store.list_steps(engine.database, seen, process.id)
    assert (back.name, bytes(back.default_item)) == ("Invoices", b"[1]")
    assert [changes.definition_of(step) for step in after] == [changes.definition_of(step) for step in before]
    [latest, *_] = await versions.list_versions(engine.database, seen, process.id, limit=10)
    assert (latest.version, latest.made_by) == (3, ada.name)


async def test_places_forms_limits_and_retries_are_told_by_field(engine, ada, workspace, package, seen):
    """A form by the names of its fields, a place in words; all of it is taken back at once."""
    process = await actions.create(engine, ada, workspace, ProcessDefinition(name="Invoices", steps=(PRODUCE,)))
    group = await workers.create_group(engine, ada, workspace, "linux-fin")
    other = replace(
        PRODUCE,
        timeout=timedelta(minutes=90),
        retry=RetryPolicy(max_attempts=3, delay_seconds=30),
        placement=Placement((Group(group.id),)),
        starts_after_previous=True,
    )
    fields = (FormField(name="month", kind=FieldKind.TEXT, label="Month"), FormField(name="n", kind=FieldKind.NUMBER))
    await actions.update(
        engine, ada, workspace, process.id, ProcessChange(steps=(other,), form=Form(fields=fields), is_enabled=False)
    )

    [changed, _] = await told(engine, seen, process)
    assert {
        ("", "is_enabled", "true", "false"),
        ("", "form.fields, in order", None, "month, n"),
        ("", "form.fields.month.label", None, "Month"),
        ("produce", "timeout", None, "5400 s"),
        ("produce", "retry.max_attempts", "1", "3"),
        ("produce", "retry.delay_seconds", "0", "30"),
        ("produce", "where", "any worker", f"group {group.id}"),
        ("produce", "starts_after_previous", "false", "true"),
    } <= set(changed)
    assert not [each for each in changed if each[1].startswith("placement")]
    await changes.take_back(engine, ada, workspace, process.id, 2)
    reversed_ = [(step, what, now, was) for step, what, was, now in changed]
    assert set((await told(engine, seen, process))[0]) == set(reversed_)


async def test_a_change_that_changes_nothing_is_no_version(engine, ada, workspace, package, seen):
    """Nor is there anything before the first version that could be taken back."""
    process = await actions.create(engine, ada, workspace, ProcessDefinition(name="Invoices", steps=(PRODUCE,)))
    await actions.update(engine, ada, workspace, process.id, ProcessChange(steps=(PRODUCE,)))

    assert await told(engine, seen, process) == [[]]
    for version in (-1, 0, 1, 2, 2**31, 2**70):
        with pytest.raises(VersionNotFound):
            await changes.take_back(engine, ada, workspace, process.id, version)


async def test_what_was_there_before_versions_were_kept_is_the_first(engine, ada, workspace, package, seen):
    """So that the first change of an old process can be taken back, too."""
    process = await actions.create(engine, ada, workspace, ProcessDefinition(name="Old", steps=(PRODUCE,)))
    await engine.database.execute("delete from process_version where process_id = %(id)s", id=process.id)
    await actions.update(engine, ada, workspace, process.id, ProcessChange(name="New"))

    kept = await versions.list_versions(engine.database, seen, process.id, limit=10)
    assert [(each.version, each.made_by, each.definition.name) for each in kept] == [
        (2, ada.name, "New"),
        (1, "", "Old"),
    ]
    assert kept[1].at == process.created_at


async def test_old_versions_go(engine, ada, workspace, seen, monkeypatch):
    """Those of one process that are kept are a hundred."""
    process = await actions.create(engine, ada, workspace, ProcessDefinition(name="0"))
    for n in range(versions.MOST_KEPT + 2):
        await actions.update(engine, ada, workspace, process.id, ProcessChange(name=f"{n + 1}"))

    kept = await versions.list_versions(engine.database, seen, process.id, limit=1000)
    assert len(kept) == versions.MOST_KEPT
    assert kept[-1].version == kept[0].version - versions.MOST_KEPT + 1


async def test_only_who_may_write_takes_back(engine, ada, cleo, team, workspace, package, seen):
    """A viewer may not, and an outsider finds nothing."""
    vera = await new_user(engine, "vera", team.organization, team.workspace, Role.VIEWER)
    process = await actions.create(engine, ada, workspace, ProcessDefinition(name="Invoices"))
    await actions.update(engine, ada, workspace, process.id, ProcessChange(name="Bills"))

    with pytest.raises(Forbidden):
        await changes.take_back(engine, vera, workspace, process.id, 2)
    with pytest.raises(NotFound):
        await changes.take_back(engine, cleo, workspace, process.id, 2)
    theirs = Of(cleo.organization_id, tuple(cleo.grants))
    assert await versions.list_versions(engine.database, theirs, process.id, limit=1) == []
    with pytest.raises(ProcessNotFound):
        await store.get(engine.database, theirs, process.id)
