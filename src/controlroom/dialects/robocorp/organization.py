"""What lies above the workspaces: logging in, the list of workspaces, the audit log of accounts."""

from litestar import Router

from controlroom.dialects.robocorp import audit_log, auth, openapi, sessions, workspace
from controlroom.dialects.robocorp.paging import PAGED

_PATH = "/api/v1"


def routers() -> list[Router]:
    """Its routes: one without a credential, the others with."""
    handlers = [*sessions.handlers, *workspace.organization_handlers, *audit_log.organization_handlers]
    return [
        Router(_PATH, route_handlers=openapi.with_failures(sessions.open_handlers)),
        Router(_PATH, route_handlers=openapi.with_failures(handlers), middleware=[auth.somebody], dependencies=PAGED),
    ]
