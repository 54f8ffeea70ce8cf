"""What a run's tool is given of a connection: the profile's output with its secrets. Only plans ask for it."""

from controlroom.engine.access.scope import Scope
from controlroom.engine.connections import attributes as extended
from controlroom.engine.connections import logins, named_profiles, store
from controlroom.engine.connections.errors import ConnectionMissing, ConnectionNotFound
from controlroom.engine.connections.model import Opened, Overrides
from controlroom.engine.connections.rules import output_of, secrets_of, target_name_of
from controlroom.ids import ConnectionId, ExtendedAttributesId, LoginId, ProfileId
from controlroom.keys import Keys
from controlroom.postgres.database import Statements


async def profile_of(
    db: Statements,
    keys: Keys,
    scope: Scope,
    *,
    connection: ConnectionId | None,
    login: LoginId | None = None,
    profile: ProfileId | None = None,
    attributes: ExtendedAttributesId | None = None,
    overrides: Overrides = Overrides(),  # noqa: B008 - frozen
) -> Opened:
    """The output for a run of the scope's workspace: a named profile goes before connection and log-in.

    Raises ConnectionMissing, ConnectionNotFound, LoginNotFound, LoginUnfit, ProfileNotFound.
    """
    if profile is not None:
        named = await named_profiles.get(db, scope, profile)
        connection, login = named.connection_id, named.login_id
        attributes = attributes or named.extended_attributes_id
    if connection is None:
        raise ConnectionMissing("connection")
    to = await store.get(db, scope.organization, connection)
    if to is None:
        raise ConnectionNotFound
    opened = None if login is None else await logins.opened(db, keys, scope, login)
    over = {} if attributes is None else await extended.opened(db, keys, scope, attributes)
    output = output_of(to.settings, opened, over, overrides)
    return Opened(
        connection=to,
        output=output,
        secrets=secrets_of(opened, over),
        schema=str(output["schema"]),
        threads=int(output["threads"]),
        target_name=target_name_of(opened, overrides),
    )
