"""The verbs of identities: to log in by one, and to link it with a user."""

from controlroom.engine.access import sessions
from controlroom.engine.access.errors import WrongCredential
from controlroom.engine.access.identities import rules
from controlroom.engine.access.identities.model import Candidate, Found, Identity, Known, ToLink, ToProve
from controlroom.engine.access.invitations import actions as invitations
from controlroom.engine.access.logins import log_in
from controlroom.engine.access.model import Actor, ActorKind
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import ScopedTx, scoped
from controlroom.engine.access.users import store as users
from controlroom.engine.access.users.actors import actor_of_user
from controlroom.engine.engine import Engine
from controlroom.engine.events.store import By
from controlroom.errors import NotFound
from controlroom.ids import OrganizationId, UserId, uuid7
from controlroom.postgres.database import Statements


async def organization_of_room(engine: Engine) -> OrganizationId:
    """Whose users come by the room's provider: those of the organization that was here first."""
    found: OrganizationId = await engine.database.value("select id from organization order by id limit 1")
    return found


async def who(engine: Engine, organization: OrganizationId, identity: Identity) -> Found:
    """Who is meant. Raises WrongCredential for a user who is disabled."""
    return rules.found(identity, await _candidates(engine.database, organization, identity))


async def enter(engine: Engine, organization: OrganizationId, identity: Identity) -> sessions.Session:
    """Begin a session for who is known by the identity, or was made to come by it. Raises WrongCredential."""
    match await who(engine, organization, identity):
        case Known(user):
            await _note(engine.database, organization, identity)
        case ToLink(user):
            await _link(engine, organization, identity, user)
        case _:
            raise WrongCredential("identity")
    return await sessions.begin_of(engine, user)


async def prove(
    engine: Engine, organization: OrganizationId, identity: Identity, *, password: str, place: str
) -> sessions.Session:
    """Link the identity with the user whose address it has, who shows their password once; and begin a session.

    Raises Unauthenticated, TooManyLogins as any log-in by password does.
    """
    match await who(engine, organization, identity):
        case ToProve(user, username):
            actor = await log_in(engine, username=username, password=password, place=place, organization=organization)
        case _:
            raise WrongCredential("identity")
    if actor.id != user:
        raise WrongCredential("identity")
    await _link(engine, organization, identity, user)
    return await sessions.begin_of(engine, user)


async def come(
    engine: Engine, organization: OrganizationId, identity: Identity, *, token: str | None
) -> sessions.Session:
    """Somebody new: with the place that an invitation gives, or, where the operator lets in whoever the provider knows,
    with none.

    Raises InvitationNotFound.
    """  # noqa: D205
    username = await _free_name(engine.database, organization, identity)
    if token is not None:
        if (await invitations.look_at(engine, token)).organization_id != organization:
            raise NotFound("this invitation is of another organization", code="INVITATION_NOT_FOUND")
        user = await invitations.come(
            engine,
            token,
            username=username,
            password=None,
            first_name=identity.first_name[:255],
            last_name=identity.last_name[:255],
            email=identity.email if identity.is_email_verified else "",
        )
    else:
        user = await _add(engine, organization, identity, username)
    await _link(engine, organization, identity, user)
    return await sessions.begin_of(engine, user)


async def _add(engine: Engine, organization: OrganizationId, identity: Identity, username: str) -> UserId:
    user = UserId(uuid7())
    async with scoped(engine.database, organization) as tx:
        await users.add_user(
            tx,
            user=user,
            organization=organization,
            username=username,
            first_name=identity.first_name[:255],
            last_name=identity.last_name[:255],
            email=identity.email if identity.is_email_verified else "",
            password_hash=None,
        )
        by = By(ActorKind.USER.value, user)
        await record(engine, tx, by, organization, "user.created", user, username=username, issuer=identity.issuer)
    return user


async def _link(engine: Engine, organization: OrganizationId, identity: Identity, user: UserId) -> None:
    actor: Actor = await actor_of_user(engine.database, user)
    async with scoped(engine.database, organization) as tx:
        await _write(tx, organization, identity, user)
        await record(
            engine,
            tx,
            actor,
            organization,
            "user.identity_linked",
            user,
            username=actor.name,
            issuer=identity.issuer,
            subject=identity.subject,
        )


async def _free_name(db: Statements, organization: OrganizationId, identity: Identity) -> str:
    """A user name that nobody has: the provider's, else the address, else one of those with a number behind it."""
    wanted = (identity.username or identity.email or identity.subject).strip()[:200]
    wanted = "".join(each for each in wanted if each.isprintable()) or "user"
    for number in range(1, 100):
        name = wanted if number == 1 else f"{wanted}-{number}"
        if await users.user_id_by_name(db, organization, name) is None:
            return name
    return f"{wanted}-{uuid7().hex[-12:]}"


async def _candidates(db: Statements, organization: OrganizationId, identity: Identity) -> list[Candidate]:
    return await db.all(
        Candidate,
        """
        select app_user.id, app_user.username, known.user_id is not null as is_known,
               app_user.password_hash is not null as has_password, app_user.disabled_at is not null as is_disabled,
               exists (select from user_identity as other
                        where other.user_id = app_user.id and other.issuer = %(issuer)s) as is_linked
          from app_user
          left join user_identity as known
                 on known.user_id = app_user.id and known.issuer = %(issuer)s and known.subject = %(subject)s
         where app_user.organization_id = %(organization)s and app_user.deleted_at is null
           and (known.user_id is not null or (%(email)s <> '' and lower(app_user.email) = lower(%(email)s)))
         order by app_user.id limit 10
        """,
        organization=organization,
        issuer=identity.issuer,
        subject=identity.subject,
        email=identity.email,
    )


async def _note(db: Statements, organization: OrganizationId, identity: Identity) -> None:
    await db.execute(
        """
        update user_identity set used_at = clock_now(), email = %(email)s
         where organization_id = %(organization)s and issuer = %(issuer)s and subject = %(subject)s
        """,
        organization=organization,
        issuer=identity.issuer,
        subject=identity.subject,
        email=identity.email,
    )


async def _write(tx: ScopedTx, organization: OrganizationId, identity: Identity, user: UserId) -> None:
    written = await tx.execute(
        """
        insert into user_identity (organization_id, issuer, subject, user_id, email)
        values (%(organization)s, %(issuer)s, %(subject)s, %(user)s, %(email)s)
            on conflict (organization_id, issuer, subject) do nothing
        """,
        organization=organization,
        issuer=identity.issuer,
        subject=identity.subject,
        user=user,
        email=identity.email,
    )
    if not written:  # somebody else was linked with it meanwhile
        raise WrongCredential("identity")
