"""The console as one ASGI app.

To add pages: a folder `ui/<noun>/` with `pages.py` and its templates. Both are found where they lie.
"""

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Final

from litestar import Litestar
from litestar.datastructures import State
from litestar.types import ASGIApp, Receive, Scope, Send

from controlroom import ui
from controlroom.border.dispatcher import App
from controlroom.border.later import Later
from controlroom.border.long_polls import Holds
from controlroom.border.origin import Origins
from controlroom.border.routing import handlers_of
from controlroom.border.sections import Section
from controlroom.engine.engine import Engine
from controlroom.engine.nudges.feed import Feed
from controlroom.ui.around import Around
from controlroom.ui.asking import Asking
from controlroom.ui.entrance import ensure_ours, somebody
from controlroom.ui.failures import HANDLERS
from controlroom.ui.live.streams import Streams
from controlroom.ui.rendering import Templates
from controlroom.ui.rights import Rights
from controlroom.ui.routing import ABOVE, OPEN_TO_ALL, Place
from controlroom.ui.static_files import StaticFiles

PREFIXES: Final = ("/", "/w", "/login", "/logout", "/me", "/admin", "/search", "/invite", "/ui")
"""Where the dispatcher mounts it; `/static` is an app of its own."""


def modules() -> list[ModuleType]:
    """The modules of pages: `pages.py`, and others whose names begin so, in the folder of each noun."""
    folders = [import_module(f"{ui.__name__}.{found.name}") for found in iter_modules(ui.__path__) if found.ispkg]
    return [
        import_module(f"{folder.__name__}.{found.name}")
        for folder in folders
        for found in iter_modules(folder.__path__)
        if found.name.startswith("pages")
    ]


def places_of(pages: list[ModuleType]) -> list[Place]:
    """The entries of the side bar that modules declare as `PLACE` or `PLACES`."""
    declared = [each for module in pages for each in (getattr(module, "PLACE", None), *getattr(module, "PLACES", ()))]
    return [each for each in declared if each is not None]


def routes(
    engine: Engine,
    origins: Origins,
    assets: StaticFiles,
    feed: Feed,
    holds: Holds | None = None,
    around: Around | None = None,
) -> Litestar:
    """All pages."""
    found = modules()
    handlers = handlers_of(found)
    to_all = [each for each in handlers if OPEN_TO_ALL in each.opt]
    above = [each for each in handlers if ABOVE in each.opt and OPEN_TO_ALL not in each.opt]
    below = [each for each in handlers if ABOVE not in each.opt]
    state = State(
        {
            "engine": engine,
            "origins": origins,
            "holds": holds or Holds(),
            "feed": feed,
            "streams": Streams(),
            "around": around or Around(),
            "templates": Templates(assets),
            "rights": Rights(handlers),
            "places": places_of(found),
            "sections": frozenset(path.split("/")[1] for each in below for path in each.paths if path.count("/") > 0),
            "can_search": any("/search" in each.paths for each in above),
        }
    )
    return Litestar(
        [
            Section("/", route_handlers=to_all, middleware=[_from_ours]),
            Section("/", route_handlers=above, middleware=[_from_ours, somebody]),
            Section("/w/{workspace:str}", route_handlers=below, middleware=[_from_ours, somebody]),
        ],
        state=state,
        exception_handlers=HANDLERS,
        request_class=Asking,
        request_max_body_size=engine.limits.request_bytes,
        openapi_config=None,
        logging_config=None,
    )


def application(
    engine: Engine,
    origins: Origins,
    assets: StaticFiles,
    feed: Feed,
    holds: Holds | None = None,
    around: Around | None = None,
) -> App:
    """The console over an engine."""
    return Later(lambda: routes(engine, origins, assets, feed, holds, around))


def _from_ours(app: ASGIApp) -> ASGIApp:
    """Unsafe requests come from pages of ours, or are refused."""

    async def checking(scope: Scope, receive: Receive, send: Send) -> None:
        ensure_ours(scope, scope["litestar_app"].state.origins)
        await app(scope, receive, send)

    return checking
