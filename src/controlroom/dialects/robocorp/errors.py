"""Failures in this dialect's words (§1.3)."""

from typing import Any, Final

from litestar import Request
from msgspec.structs import replace

from controlroom.border.failures import Failure, handlers
from controlroom.dialects.robocorp.codes import told
from controlroom.dialects.robocorp.permissions import name_for
from controlroom.engine.access.model import Permission

SCHEMES: Final = "RC-WSKEY, Bearer"


def renamed(failure: Failure) -> Failure:
    """The failure in this dialect's codes and words."""
    code, message = told(failure.code, failure.message)
    return replace(failure, code=code, message=message)


def _told(request: Request[Any, Any, Any], failure: Failure) -> Failure:
    failure = renamed(failure)
    if isinstance(permission := failure.fields.get("permission"), Permission):
        name = name_for(permission, request.scope["state"].get("caller"))
        fields = {**failure.fields, "permission": name}
        failure = replace(failure, message=f"This needs the permission {name}.", fields=fields)
    return failure


HANDLERS = handlers(_told, schemes=SCHEMES)
