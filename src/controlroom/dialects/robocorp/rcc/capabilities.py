"""What rcc asks tokens for (§8.2), what each opens, and who asks with one (§8.3, §8.5)."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from litestar.types import Scope

from controlroom.border.asking import Entrance, entrance, welcome
from controlroom.border.credentials import credential_under
from controlroom.engine.access import user_tokens
from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.user_tokens import Purpose
from controlroom.engine.engine import Engine


class Capability(StrEnum):
    """What a token is for."""

    EDIT_ROBOT = "edit/robot"
    GET_ROBOT = "get/robot"
    RUN_ROBOT = "run/robot"
    RUN_ASSISTANT = "run/assistant"
    VIEW_WORKSPACES = "view/workspaces"


_OPENS: Final[Mapping[Capability, frozenset[Permission]]] = {
    Capability.EDIT_ROBOT: frozenset({Permission.READ_PACKAGES, Permission.WRITE_PACKAGES}),
    Capability.GET_ROBOT: frozenset({Permission.READ_PACKAGES}),
    Capability.RUN_ROBOT: frozenset(
        {Permission.USE_SECRETS, Permission.WRITE_SECRETS, Permission.READ_ASSETS, Permission.WRITE_ASSETS}
    ),
    Capability.RUN_ASSISTANT: frozenset({Permission.READ_ASSISTANTS, Permission.START_RUNS, Permission.READ_PACKAGES}),
    Capability.VIEW_WORKSPACES: frozenset({Permission.READ_PACKAGES}),
}

PURPOSES: Final[Mapping[Capability, Purpose]] = {
    capability: Purpose(
        name=capability.value, opens=opens, is_of_workspace=capability is not Capability.VIEW_WORKSPACES
    )
    for capability, opens in _OPENS.items()
}
"""The purpose of a token of each capability."""


def token_for(*capabilities: Capability, scheme: str = "Bearer") -> Entrance:
    """Let in who has a token of one of these capabilities, under the scheme: with what it opens and no more."""

    async def bearer(engine: Engine, scope: Scope) -> Actor:
        said = f"Send a token as `Authorization: {scheme} <token>`."
        token = credential_under(scope, scheme.lower(), said=said)
        return welcome(scope, await user_tokens.authenticate(engine, token, [PURPOSES[each] for each in capabilities]))

    return entrance(bearer)
