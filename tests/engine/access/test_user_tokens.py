"""Short-lived tokens of users: for one purpose, in one workspace, and never for more than their user may do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.engine.access.credentials import Signer
from controlroom.engine.access.model import Actor, ActorKind, Permission
from controlroom.engine.access.user_tokens import Purpose, authenticate, mint, narrowed
from controlroom.engine.access.users import actions as users
from controlroom.errors import Forbidden, Invalid, NotFound, Unauthenticated
from controlroom.ids import OrganizationId, WorkspaceId, uuid7

READ = Purpose(name="read", opens=frozenset({Permission.READ_PACKAGES}))
RUN = Purpose(name="run", opens=frozenset({Permission.USE_SECRETS, Permission.READ_ASSETS}))
LOOK = Purpose(name="look", opens=frozenset({Permission.READ_PACKAGES}), is_of_workspace=False)

HERE, THERE = WorkspaceId(uuid7()), WorkspaceId(uuid7())
rights = st.frozensets(st.sampled_from(Permission))


@given(rights, rights, rights)
def test_a_token_opens_what_both_allow(mine, elsewhere, opens):
    """In its workspace what the user may do and the purpose opens; in any other, and in the organization, nothing."""
    user = Actor(
        kind=ActorKind.USER,
        id=uuid7(),
        name="ada",
        organization_id=OrganizationId(uuid7()),
        grants={HERE: mine, THERE: elsewhere},
        throughout=frozenset(Permission),
    )

    bearer = narrowed(user, Purpose(name="x", opens=opens), HERE)

    assert bearer.grants == {HERE: mine & opens}
    assert bearer.throughout == frozenset()
    assert (bearer.id, bearer.kind) == (user.id, user.kind)


@pytest.fixture
async def signer(engine, ada) -> Signer:
    """Ada, who has signed a request with a pair of hers."""
    credential, _ = await users.create_credential(engine, ada, ada.id, name="laptop")
    return Signer(ada, credential.id)


async def test_a_token_is_for_its_purpose_and_its_user(engine, ada, signer, workspace):
    """It is read back as its user with what it opens, and is no good for anything else."""
    token = await mint(engine, signer, READ, workspace=workspace, seconds=60)

    bearer = await authenticate(engine, token, [RUN, READ])

    assert (bearer.id, bearer.grants) == (ada.id, {workspace: READ.opens})
    with pytest.raises(Forbidden) as wrong:
        await authenticate(engine, token, [RUN])
    assert wrong.value.code == "PURPOSE_WRONG"
    with pytest.raises(Unauthenticated):
        await authenticate(engine, token[:-1], [READ])


async def test_a_token_dies_with_its_pair(engine, ada, signer, workspace):
    """Whoever revokes a pair ends every token that was got by it."""
    token = await mint(engine, signer, READ, workspace=workspace, seconds=60)
    await users.revoke_credential(engine, ada, ada.id, signer.credential)

    with pytest.raises(Unauthenticated):
        await authenticate(engine, token, [READ])


async def test_only_some_purposes_are_for_all_workspaces(engine, ada, signer, team):
    """Others are asked for in one workspace, which the user must be in."""
    everywhere = await mint(engine, signer, LOOK, workspace=None, seconds=60)

    assert (await authenticate(engine, everywhere, [LOOK])).grants == ada.grants
    with pytest.raises(Invalid):
        await mint(engine, signer, READ, workspace=None, seconds=60)
    with pytest.raises(NotFound):
        await mint(engine, signer, READ, workspace=team.other_workspace, seconds=60)
