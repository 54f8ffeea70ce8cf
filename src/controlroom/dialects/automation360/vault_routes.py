"""What the modules of the credential vault have in common (§2.12): each route has an older twin below `/v1`."""

from collections.abc import Callable
from typing import Any, Final

from litestar.handlers import HTTPRouteHandler

from controlroom.border.routing import operation_id
from controlroom.dialects.automation360.asking import Asking, Permission
from controlroom.dialects.automation360.routing import Pair, Superseded
from controlroom.engine.access.model import Actor
from controlroom.engine.access.scope import Of
from controlroom.engine.engine import Engine
from controlroom.errors import Forbidden, Invalid

BASE: Final = "/v2/credentialvault"
_OLDER: Final = "/v1/credentialvault"
_PAIR: Final = Pair("credentials", "managecredentials")
_LONGEST_NAME: Final = 50
_LONGEST_DESCRIPTION: Final = 255
"""Characters (§2.12.2)."""

Declare = Callable[..., Callable[[Any], HTTPRouteHandler]]


class Routes:
    """The routes of a module, each twice."""

    def __init__(self) -> None:
        self.handlers: list[HTTPRouteHandler] = []

    def route(self, declare: Declare, path: str, **options: Any) -> Callable[[Any], Any]:
        """A route below the vault, and its twin, which it supersedes."""

        def declared(function: Any) -> Any:
            handler = declare(f"{BASE}{path}", pair=_PAIR, **options)(function)
            twin = declare(
                f"{_OLDER}{path}",
                pair=_PAIR,
                deprecated=Superseded(f"{BASE}{path}"),
                operation_id=lambda each, method, at: f"{operation_id(each, method, at)}V1",
                **options,
            )(function)
            self.handlers += [handler, twin]
            return function

        return declared


def keeping(request: Asking) -> tuple[Engine, Actor]:
    """What the verbs of the vault begin with, for who may keep credentials. Raises Forbidden for others."""
    actor = request.actor
    if not (actor.may(Permission.OWN_SECRETS, None) or actor.may(Permission.GOVERN_LOCKERS, None)):
        needed = Permission.OWN_SECRETS
        raise Forbidden(f"this needs the permission {needed.value}", code="PERMISSION_MISSING", permission=needed)
    return request.engine, actor


def everywhere(request: Asking) -> Of:
    """Where the organization's things are looked up by number; whether the caller may see them the verb says."""
    return Of(request.actor.organization_id, tuple(request.actor.grants))


def checked(name: str, description: str) -> None:
    """Raise Invalid for what the vendor has no room for."""
    if len(name) > _LONGEST_NAME:
        raise Invalid(f"A name has at most {_LONGEST_NAME} characters.", code="NAME_INVALID")
    if len(description) > _LONGEST_DESCRIPTION:
        raise Invalid(f"A description has at most {_LONGEST_DESCRIPTION} characters.", code="TEXT_TOO_LONG")
