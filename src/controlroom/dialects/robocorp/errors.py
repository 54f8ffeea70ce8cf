"""Failures in this dialect's words (§1.3)."""

from typing import Any

from litestar import Request
from msgspec.structs import replace

from controlroom.border.failures import Failure, handlers
from controlroom.dialects.robocorp.permissions import name_for
from controlroom.engine.access.model import Permission

CODES = {"INTERNAL": "UNEXPECTED_ERROR"}
"""What the engine and the border call otherwise."""


def _told(request: Request[Any, Any, Any], failure: Failure) -> Failure:
    failure = replace(failure, code=CODES.get(failure.code, failure.code))
    if isinstance(permission := failure.fields.get("permission"), Permission):
        name = name_for(permission, request.scope["state"].get("caller"))
        fields = {**failure.fields, "permission": name}
        failure = replace(failure, message=f"This needs the permission {name}.", fields=fields)
    if failure.status == 401:  # noqa: PLR2004 - RFC 9110 §15.5.2: a 401 names the schemes
        failure = replace(failure, headers={**failure.headers, "www-authenticate": "RC-WSKEY, Bearer"})
    return failure


HANDLERS = handlers(_told)
