"""What a run's tool is given of a target. Only plans ask for it."""

from controlroom.engine.access.scope import Scope
from controlroom.engine.connections import profiles
from controlroom.engine.connections.model import Opened, Overrides
from controlroom.engine.targets.model import Target
from controlroom.ids import ConnectionId
from controlroom.keys import Keys
from controlroom.postgres.database import Statements


async def profile_of(
    db: Statements,
    keys: Keys,
    scope: Scope,
    target: Target,
    *,
    of_project: ConnectionId | None = None,
    overrides: Overrides = Overrides(),  # noqa: B008 - frozen
) -> Opened:
    """The profile's output for a run on a target; where that names no connection, to the project's.

    Raises ConnectionMissing, ConnectionNotFound, LoginNotFound, LoginUnfit, ProfileNotFound.
    """
    return await profiles.profile_of(
        db,
        keys,
        scope,
        connection=target.connection_id or of_project,
        login=target.login_id,
        profile=target.profile_id,
        attributes=target.extended_attributes_id,
        overrides=overrides,
    )
