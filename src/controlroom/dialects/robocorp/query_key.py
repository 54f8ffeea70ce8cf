"""Who asks when the caller can send no header: the API key is in the query (§1.7, §2.1).

The dispatcher keeps it out of the log.
"""

from urllib.parse import parse_qs

from litestar.types import Scope

from controlroom.border.asking import entrance, welcome
from controlroom.engine.access.model import Actor
from controlroom.engine.callers import Door, Kind, resolve
from controlroom.engine.engine import Engine
from controlroom.errors import Unauthenticated

_KEYS = Door[Actor](frozenset({Kind.API_KEY}), Kind.API_KEY)


async def _key_in_query(engine: Engine, scope: Scope) -> Actor:
    given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [])
    if len(given) != 1:
        raise Unauthenticated("Send an API key as `?token=<key>`.")
    return welcome(scope, await resolve(engine, given[0], _KEYS))


key_in_query = entrance(_key_in_query)
"""Let in who has an API key in `?token=`; an Authorization header beside it is not looked at."""
