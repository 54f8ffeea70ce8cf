"""Who asks (§1.1): a token as `Authorization: Token …` or `Authorization: Bearer …`, which are the same.

Any credential of the room that stands for somebody will do: a service token, a user's token, a key of a workspace, a
session. The account of the address must be the caller's organization, and one organization's callers may together ask
`limits.organization_requests_per_minute` times a minute of each process of a server.
"""

from typing import Final
from weakref import WeakKeyDictionary

from litestar.types import Scope

from controlroom.border.asking import entrance, welcome
from controlroom.border.credentials import credential_under
from controlroom.dialects.dbt_cloud.errors import NotSupported
from controlroom.dialects.dbt_cloud.routing import NOT_HAD
from controlroom.engine.access.model import Actor
from controlroom.engine.access.rates import Buckets, Rate
from controlroom.engine.callers import Door, Kind, resolve
from controlroom.engine.engine import Engine
from controlroom.engine.workspaces import store as workspaces
from controlroom.errors import NotFound
from controlroom.ids import OrganizationId
from controlroom.keys import Keys

ACCOUNT: Final = "account"
"""Where the state of a request has the number of the caller's organization."""

_SAID: Final = "Send a token as `Authorization: Token <token>` or `Authorization: Bearer <token>`."
_DOOR: Final = Door[Actor](
    frozenset({Kind.SERVICE_TOKEN, Kind.PERSONAL_TOKEN, Kind.API_KEY, Kind.SESSION, Kind.JWT}), Kind.SERVICE_TOKEN
)
_TOO_OFTEN: Final = "this account asks too often"


class _Process:
    """What this process knows of one room's organizations."""

    def __init__(self) -> None:
        self.numbers: dict[OrganizationId, int] = {}
        self.rates = Buckets()


# Why by the keys: they are the control room's own, one object a process; tests have several rooms in one process.
_processes: WeakKeyDictionary[Keys, _Process] = WeakKeyDictionary()


@entrance
async def somebody(engine: Engine, scope: Scope) -> Actor:
    """Let in who shows a token, to the account that is theirs."""
    token = credential_under(scope, "token", "bearer", said=_SAID)
    actor = welcome(scope, await resolve(engine, token, _DOOR))
    process = _processes.setdefault(engine.keys, _Process())
    most = engine.limits.organization_requests_per_minute
    process.rates.take(actor.organization_id, Rate(most / 60, most, _TOO_OFTEN))
    number = process.numbers.get(actor.organization_id)
    if number is None:
        number = await workspaces.organization_number(engine.database, actor.organization_id)
        process.numbers[actor.organization_id] = number
    scope["state"][ACCOUNT] = number
    named = scope["path_params"].get("account")
    if named is not None and str(named) != str(number):
        raise NotFound(f"there is no account {named}")
    if (why := scope["route_handler"].opt.get(NOT_HAD)) is not None:
        raise NotSupported(f"Not supported: {why}.")
    return actor
