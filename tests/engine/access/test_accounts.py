"""Users and roles as a directory has them: with who holds what in the organization."""

from datetime import timedelta

import pytest

from controlroom.engine.access import jwts, user_keys
from controlroom.engine.access.errors import (
    BeyondOwnRights,
    LastAdmin,
    LastOwner,
    NotOfOrganization,
    OwnAccount,
    RoleInUse,
    RoleNotFound,
    RoleOfSystem,
    UsernameTaken,
    UserNotFound,
    WrongCredential,
)
from controlroom.engine.access.grants.actions import grant
from controlroom.engine.access.grants.holding import RuntimeMissing, ensure_runtime
from controlroom.engine.access.grants.model import Principal, PrincipalKind
from controlroom.engine.access.logins import log_in
from controlroom.engine.access.model import OF_ORGANIZATION, Permission, Role
from controlroom.engine.access.roles import holders
from controlroom.engine.access.roles.model import ADMIN, BASIC, OF_MEMBERS, RUNNER
from controlroom.engine.access.scope import Of, throughout
from controlroom.engine.access.users import accounts
from controlroom.engine.access.users.accounts import Profile, Standing
from controlroom.engine.access.users.actors import actor_of_user
from controlroom.engine.access.users.people import PEOPLE, Person, person
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import AllOf, Asked, Compare, Contains, Operator
from controlroom.errors import Forbidden, Invalid
from controlroom.ids import RoleId, UserId, uuid7

PASSWORD = "correct horse battery"


async def made(engine, actor, name, *, roles=(BASIC,), runs_robots=None, password=None) -> UserId:
    return await accounts.create(
        engine,
        actor,
        profile=Profile(username=name, words=["automation360:licence=DEVELOPMENT"]),
        password=password,
        standing=Standing(roles=roles, runs_robots=runs_robots),
    )


async def test_a_user_of_the_organization_has_a_place_only_where_one_is_given(engine, root, workspace):
    """A basic role shows the workers and nothing else; as whom robots run is shown apart, and is no place at all."""
    nora = await made(engine, root, "Nora", runs_robots=True, password=PASSWORD)

    actor = await log_in(engine, username="nora", password=PASSWORD, place="here", organization=root.organization_id)
    assert actor.grants == {workspace: {Permission.READ_WORKERS, Permission.RUNTIME}}
    assert actor.throughout - OF_ORGANIZATION == {Permission.READ_WORKERS, Permission.RUNTIME}
    bare = await actor_of_user(engine.database, await made(engine, root, "Bert", roles=[], runs_robots=True))
    assert (bare.grants, bare.throughout) == ({}, {Permission.RUNTIME})
    assert "automation360:repositorymanager.view" in actor.words
    shown = await person(engine, root, nora)
    assert ([role.id for role in shown.roles], shown.words) == ([BASIC], ["automation360:licence=DEVELOPMENT"])
    root_number = (await person(engine, root, UserId(root.id))).number
    assert (shown.created_by, shown.revision, shown.has_password) == (root_number, 1, True)
    await ensure_runtime(engine.database, Of(root.organization_id, (workspace,)), [nora])
    with pytest.raises(UsernameTaken):
        await made(engine, root, "NORA")
    with pytest.raises(Invalid):
        await accounts.create(engine, root, profile=Profile(username=""), password=None, standing=Standing())


async def test_what_is_told_of_a_user_is_changed_and_the_rest_stays(engine, root, ada, workspace):
    """Roles in the organization as a whole; who may not say how somebody stands may still change their own profile."""
    nora = await made(engine, root, "Nora", runs_robots=True)
    await accounts.edit(
        engine, root, nora, profile=Profile(email="n@example.com"), password=None, standing=Standing(runs_robots=False)
    )
    shown = await person(engine, root, nora)
    assert (shown.email, shown.username, shown.revision) == ("n@example.com", "Nora", 2)
    assert [role.id for role in shown.roles] == [BASIC]
    with pytest.raises(RuntimeMissing):
        await ensure_runtime(engine.database, Of(root.organization_id, (workspace,)), [nora])
    herself = await actor_of_user(engine.database, nora)
    await accounts.edit(engine, herself, nora, profile=Profile(first_name="N"), password=None, standing=Standing())
    assert (await person(engine, herself, nora)).first_name == "N"
    with pytest.raises(NotOfOrganization):
        await accounts.edit(engine, herself, nora, profile=Profile(), password=None, standing=Standing(roles=[ADMIN]))
    with pytest.raises(NotOfOrganization):
        await person(engine, herself, UserId(ada.id))
    with pytest.raises(RoleNotFound):
        await made(engine, root, "Olga", roles=[RoleId(uuid7())])


async def test_nobody_gives_a_user_more_than_they_have(engine, root):
    """Who manages users gives what they have themselves, changes nobody who may do more, and an admin stays."""
    manager = await holders.create(
        engine, root, name="managers", permissions=["members.read", "members.write"], description="", holders=[]
    )
    mia = await actor_of_user(engine.database, await made(engine, root, "Mia", roles=[manager, BASIC]))
    nora = await made(engine, mia, "Nora", roles=[BASIC])

    for roles, runs_robots in (([ADMIN], None), ([OF_MEMBERS[Role.VIEWER]], None), ([BASIC], True)):
        with pytest.raises(BeyondOwnRights):
            await accounts.edit(
                engine,
                mia,
                nora,
                profile=Profile(),
                password=None,
                standing=Standing(roles=roles, runs_robots=runs_robots),
            )
    with pytest.raises(Forbidden):
        await accounts.delete(engine, mia, UserId(root.id))
    with pytest.raises(LastAdmin):
        await accounts.edit(
            engine, root, UserId(root.id), profile=Profile(), password=None, standing=Standing(roles=[])
        )
    with pytest.raises(OwnAccount):
        await accounts.delete(engine, root, UserId(root.id))
    with pytest.raises(OwnAccount):
        await accounts.edit(
            engine, root, UserId(root.id), profile=Profile(), password=None, standing=Standing(is_disabled=True)
        )
    other = await actor_of_user(engine.database, await made(engine, root, "Otto", roles=[ADMIN]))
    with pytest.raises(LastOwner):
        await accounts.delete(engine, other, UserId(root.id))


async def test_a_deleted_user_is_gone_and_their_name_is_free(engine, root, workspace):
    """With grants, keys and sessions; what they did stays written."""
    nora = await made(engine, root, "Nora", password=PASSWORD)
    actor = await actor_of_user(engine.database, nora)
    await grant(engine, root, Principal(PrincipalKind.USER, nora), OF_MEMBERS[Role.VIEWER], workspace)
    _, value = await user_keys.make(engine, actor, nora)
    token = (await jwts.issue(engine, actor, life=timedelta(minutes=20))).token

    await accounts.delete(engine, root, nora)

    for refused in (
        jwts.authenticate(engine, token),
        user_keys.log_in(engine, username="Nora", value=value),
        log_in(engine, username="Nora", password=PASSWORD, place="there", organization=root.organization_id),
        actor_of_user(engine.database, nora),
    ):
        with pytest.raises(WrongCredential):
            await refused
    for gone in (person(engine, root, nora), accounts.delete(engine, root, nora)):
        with pytest.raises(UserNotFound):
            await gone
    assert await made(engine, root, "Nora") != nora


async def test_the_directory_is_listed_by_its_fields(engine, root, ada):
    """With a total; for who reads members in the organization."""
    for name in ("Nora", "Nils", "Olga"):
        await made(engine, root, name)
    asked = Asked(
        filter=AllOf((Contains("username", "n"), Compare("is_disabled", Operator.EQ, value=False))),
        length=10,
        with_total=True,
    )

    page = await pages.page(engine.database, Person, PEOPLE, throughout(root, Permission.READ_MEMBERS), asked)

    assert {each.username for each in page.rows} >= {"Nora", "Nils"}
    assert "Olga" not in {each.username for each in page.rows}
    assert page.total.rows == len(page.rows)
    with pytest.raises(NotOfOrganization):
        throughout(ada, Permission.READ_MEMBERS)


async def test_a_role_is_made_with_its_holders_and_deleted_from_them(engine, root):
    """The system's stay as they are; one that a group holds must be taken from it first."""
    nora, olga = [await made(engine, root, name, roles=()) for name in ("Nora", "Olga")]
    numbers = {each: (await person(engine, root, each)).number for each in (nora, olga)}
    clerk = await holders.create(
        engine, root, name="clerk", permissions=["roles.write"], description="d", holders=[numbers[nora]]
    )
    assert (await holders.get_held(engine, root, clerk)).holders == [numbers[nora]]
    assert (await actor_of_user(engine.database, nora)).throughout <= OF_ORGANIZATION

    await holders.edit(engine, root, clerk, name=None, permissions=None, description="e", holders=[numbers[olga]])
    shown = await holders.get_held(engine, root, clerk)
    assert (shown.holders, shown.description, shown.name, shown.revision) == ([numbers[olga]], "e", "clerk", 2)
    assert (await actor_of_user(engine.database, nora)).throughout == frozenset()
    with pytest.raises(UserNotFound):
        await holders.edit(engine, root, clerk, name=None, permissions=None, description=None, holders=[1])

    await holders.delete(engine, root, clerk)
    for missing in (holders.get_held(engine, root, clerk), holders.get_held(engine, root, RUNNER)):
        with pytest.raises(RoleNotFound):
            await missing
    for verb in (
        holders.delete(engine, root, BASIC),
        holders.edit(engine, root, BASIC, name="x", permissions=None, description=None, holders=None),
    ):
        with pytest.raises(RoleOfSystem):
            await verb
    kept = await holders.create(engine, root, name="kept", permissions=[], description="", holders=[])
    await grant(engine, root, Principal(PrincipalKind.ROLE, BASIC), kept, None)
    with pytest.raises(RoleInUse):
        await holders.delete(engine, root, kept)
    seen = throughout(root, Permission.READ_MEMBERS)
    listed = await pages.rows(engine.database, holders.HeldRole, holders.ROLES, seen, Asked(length=100))
    assert {"admin", "basic", "kept"} <= {role.name for role in listed}
