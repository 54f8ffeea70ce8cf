"""Who has the triggers of which tasks."""

import pytest

from controlroom.engine.access.errors import RoleNotFound
from controlroom.engine.access.grants.holding import RuntimeMissing
from controlroom.engine.access.roles.model import ADMIN
from controlroom.engine.processes import actions as processes
from controlroom.engine.triggers import mappings
from controlroom.engine.triggers.mappings import ForRoles, ForUsers, TriggerMappingNotFound
from controlroom.errors import Forbidden, Invalid, NotFound
from controlroom.ids import RoleId, TaskId, uuid7


@pytest.fixture
async def task(floor) -> TaskId:
    """A task of some package."""
    process = await floor.process({})
    await processes.delete(floor.engine, floor.ada, floor.workspace, process)
    return await floor.engine.database.value("select task_id from step where process_id = %(id)s", id=process)


async def test_triggers_are_given_to_users_or_to_holders_of_roles_once_each(floor, ada, root, task):
    """One mapping for each; given again, it has the label that is said now."""
    where = (floor.engine, ada, floor.workspace, task)
    first = await mappings.attach(*where, ForUsers((ada.id, root.id, ada.id)))
    of_role = await mappings.attach(*where, ForRoles((ADMIN,)), label="PRODUCTION")
    [again] = await mappings.attach(*where, ForUsers((ada.id,)), label="PRODUCTION")

    assert [(one.user_id, one.role_id, one.label) for one in [*first, *of_role]] == [
        (ada.id, None, None),
        (root.id, None, None),
        (None, ADMIN, "PRODUCTION"),
    ]
    assert (again.id, again.label, again.task_name) == (first[0].id, "PRODUCTION", "Do")
    listed = await mappings.list_mappings(floor.engine.database, floor.scope, limit=9)
    assert {one.id for one in listed} == {one.id for one in [*first, *of_role]}

    await mappings.detach(*where[:3], again.id)
    with pytest.raises(TriggerMappingNotFound):
        await mappings.detach(*where[:3], again.id)


async def test_who_gets_none(floor, ada, ben, cleo, task):
    """Users who may not be run as, roles that are nobody's, nobody at all; and outsiders give none."""
    where = (floor.engine, ada, floor.workspace, task)
    for whom, refusal in (
        (ForUsers((ben.id,)), RuntimeMissing),
        (ForRoles((RoleId(uuid7()),)), RoleNotFound),
        (ForUsers(()), Invalid),
    ):
        with pytest.raises(refusal):
            await mappings.attach(*where, whom)
    with pytest.raises(NotFound):
        await mappings.attach(floor.engine, cleo, floor.workspace, task, ForUsers((ada.id,)))
    limited = ben.__class__(
        kind=ben.kind, id=ben.id, name=ben.name, organization_id=ben.organization_id, grants={floor.workspace: set()}
    )
    with pytest.raises(Forbidden):
        await mappings.attach(floor.engine, limited, floor.workspace, task, ForUsers((ada.id,)))
