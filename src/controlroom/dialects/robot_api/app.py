"""Our own API for robots as one ASGI app, without a framework: `/robot/v1` (docs/dialects/robots.md).

The token of the step run says whose work it is: nothing of that stands in an address. Bodies and answers are JSON, and
what a body has that this release does not know is passed over: a robot's library may be younger than its room.
"""

from typing import Final

from controlroom.border.answers import JSON, answer, error_body
from controlroom.border.dispatcher import App, Receive, Scope, Send
from controlroom.border.failures import Failure
from controlroom.border.origin import Origins
from controlroom.border.verbs import Verbs
from controlroom.dialects.robot_api import assets, items, progress, secrets
from controlroom.engine.engine import Engine

PREFIX: Final = "/robot/v1"
_VERBS: Final = (*items.VERBS, *secrets.VERBS, *assets.VERBS, *progress.VERBS)


def application(engine: Engine, origins: Origins) -> App:
    """The app over an engine."""
    verbs = Verbs(engine, origins, _VERBS, tell=_as_it_is, schemes="Bearer")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        found = verbs.at(scope["path"])
        if found is None:
            await answer(send, 404, error_body("NOT_FOUND", "There is nothing at this address."), JSON)
        else:
            await verbs.serve(found, scope, receive, send)

    return app


def _as_it_is(failure: Failure) -> Failure:
    """The engine's words are ours."""
    return failure
