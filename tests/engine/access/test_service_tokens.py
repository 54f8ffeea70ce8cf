"""Service tokens: principals of their own, made by who has what they hold."""

import pytest

from controlroom.engine.access.credentials import authenticate_service_token, flush_uses
from controlroom.engine.access.errors import BeyondOwnRights, NotOfOrganization, ServiceTokenNotFound, WorkspaceNotFound
from controlroom.engine.access.grants.model import WantedGrant
from controlroom.engine.access.model import ActorKind, Permission, Role
from controlroom.engine.access.roles.model import ADMIN, OF_MEMBERS
from controlroom.engine.access.service_tokens import actions
from controlroom.errors import Forbidden, Invalid, NotFound, Unauthenticated
from controlroom.keys import mint

VIEWER, OWNER = OF_MEMBERS[Role.VIEWER], OF_MEMBERS[Role.OWNER]


async def token(engine, root, *wanted, **more):
    return await actions.create(engine, root, name="airflow", wanted=[WantedGrant(*each) for each in wanted], **more)


async def test_a_token_may_what_its_roles_allow_and_nowhere_else(engine, root, workspace):
    """In the workspaces of its grants alone; one of the organization's in all of them."""
    made, value = await token(engine, root, (VIEWER, workspace))
    _, wide = await token(engine, root, (VIEWER, None))

    actor = await authenticate_service_token(engine, value)

    assert value.startswith("dbtc_")
    assert (actor.kind, actor.id, actor.throughout) == (ActorKind.SERVICE_TOKEN, made.id, frozenset())
    assert actor.grants.keys() == {workspace}
    assert actor.may(Permission.READ_RUNS, workspace)
    assert not actor.may(Permission.START_RUNS, workspace)
    assert Permission.READ_RUNS in (await authenticate_service_token(engine, wide)).throughout


async def test_who_lacks_a_right_gives_it_to_no_token(engine, ada, ben, cleo, root, workspace, team):
    """It takes the writing of keys in the organization, and all that the token shall do; nothing is made otherwise."""
    for actor in (ada, ben, cleo):
        with pytest.raises(NotOfOrganization, match=r"api_keys\.write"):
            await token(engine, actor)
    with pytest.raises(WorkspaceNotFound):
        await token(engine, root, (VIEWER, team.other_workspace))
    with pytest.raises(Invalid):
        await token(engine, root, days=0)
    made, value = await token(engine, root, (OWNER, workspace))
    owner = await authenticate_service_token(engine, value)
    with pytest.raises(Forbidden):
        await token(engine, owner, (VIEWER, workspace))
    _, wide = await token(engine, root, (OWNER, None))
    with pytest.raises(BeyondOwnRights):
        await token(engine, await authenticate_service_token(engine, wide), (ADMIN, None))
    for verb in (actions.get, actions.delete, actions.edit):
        with pytest.raises(Forbidden):
            await verb(engine, ada, made.id)
        with pytest.raises(NotFound):
            await verb(engine, root, made.grants[0].id)


async def test_a_token_is_switched_off_changed_and_deleted(engine, root, workspace, later):
    """At once on this server; its uses are counted; what it holds is replaced as a whole."""
    made, value = await token(engine, root, (VIEWER, workspace), days=2)
    await authenticate_service_token(engine, value)
    await flush_uses(engine)
    changed = await actions.edit(engine, root, made.id, name="dagster", wanted=[WantedGrant(OWNER, None)])
    assert (changed.name, changed.use_count, changed.used_at is not None) == ("dagster", 1, True)
    assert [(each.role_name, each.workspace_id) for each in changed.grants] == [("owner", None)]
    assert (await authenticate_service_token(engine, value)).may(Permission.START_RUNS, workspace)
    assert (await actions.edit(engine, root, made.id, is_disabled=True)).disabled_at is not None
    with pytest.raises(Unauthenticated):
        await authenticate_service_token(engine, value)
    await actions.edit(engine, root, made.id, is_disabled=False)
    await authenticate_service_token(engine, value)
    await actions.delete(engine, root, made.id)
    with pytest.raises(Unauthenticated):
        await authenticate_service_token(engine, value)
    with pytest.raises(ServiceTokenNotFound):
        await actions.get(engine, root, made.id)
    _, short = await token(engine, root, days=2)
    await later(days=2, seconds=1)
    for guess in (short, "", mint("dbtc_", length=36), value[:-1]):
        with pytest.raises(Unauthenticated):
            await authenticate_service_token(engine, guess)
