"""A user's login of machines, kept as a secret of theirs: robots that run as them read it by its name."""

import re
from typing import Final

from controlroom.engine.access.errors import NameTaken, UserNotFound
from controlroom.engine.access.model import Actor
from controlroom.engine.access.record import record
from controlroom.engine.access.rules import may_govern
from controlroom.engine.access.scope import scoped
from controlroom.engine.access.users import actors
from controlroom.engine.engine import Engine
from controlroom.engine.vault.lockers.rules import asker_of
from controlroom.engine.vault.shared import store, values
from controlroom.engine.vault.shared.giving import fitting
from controlroom.engine.vault.shared.model import AttributeDefinition
from controlroom.errors import Forbidden
from controlroom.ids import SharedSecretId, UserId, uuid7

_UNADDRESSABLE: Final = re.compile(r"[/:?#\\]")
_ATTRIBUTES: Final = (
    AttributeDefinition(name="username"),
    AttributeDefinition(name="password", is_masked=True, is_password=True),
)


def name_of(username: str) -> str:
    """What the secret is called, so that vault clients can ask for it."""
    return f"device-login-{_UNADDRESSABLE.sub('-', username)}"


async def keep(engine: Engine, actor: Actor, user: UserId, *, login: str, password: str) -> None:
    """Keep a user's login in the place of the one before: the actor's own, or of whom they may govern.

    Raises UserNotFound, Forbidden, SecretTooLarge; NameTaken where somebody else has a secret of that name.
    """
    asker = asker_of(actor)
    async with scoped(engine.database, asker.organization) as tx:
        account = await actors.account(tx, asker.organization, user)  # locks them: one after the other
        if account is None:
            raise UserNotFound
        if account.id != actor.id and not may_govern(actor, account.held):
            raise Forbidden("this user's login is not yours to change", code="NOT_YOURS_TO_GOVERN")
        name = name_of(account.username)
        secret = await store.owned(tx, asker.organization, name, user)
        if secret is None:
            secret = SharedSecretId(uuid7())
            if not await store.add(tx, asker, secret, name=name, description="Login of machines", owner=user):
                raise NameTaken("secret", name)
            await store.add_attributes(tx, asker, secret, list(enumerate(_ATTRIBUTES)))
        shown = await store.get(tx, asker.organization, secret)
        ids = {attribute.name: attribute.id for attribute in shown.attributes} if shown else {}
        for attribute, value in (("username", login), ("password", password)):
            if attribute in ids:
                sealed = values.seal(engine.keys, ids[attribute], None, fitting(engine, value))
                await values.put(tx, asker, ids[attribute], None, sealed)
        await record(engine, tx, actor, asker.organization, "user.device_login_set", user, username=account.username)
