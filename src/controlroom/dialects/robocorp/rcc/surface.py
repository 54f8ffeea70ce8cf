"""What rcc and editors speak with a user's credentials (§8), as routers."""

from litestar import Router

from controlroom.dialects.robocorp.rcc import assistants, robots, tokens, workspaces


def routers() -> list[Router]:
    """All of it. No OpenAPI document describes it: its clients are fixed."""
    return [tokens.router(), workspaces.router(), robots.router(), *assistants.routers()]
