"""Push hooks of GitHub and GitLab, which tell that a repository has changed: its package is fetched soon.

They belong to no grammar. The hook's own signature or token is the credential; what is signed is the whole body, which
is read once it is known that there is such a hook, few at once, none kept.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litestar import post
from msgspec import Struct

from controlroom.border.arrivals import allow, known
from controlroom.border.asking import Asking, Path
from controlroom.border.sections import Section
from controlroom.engine.packages import push_hooks
from controlroom.errors import Unauthenticated, Unavailable
from controlroom.ids import PackageId

_PATH = "/api/v1/git-hooks"
_GITHUB = "x-hub-signature-256"
_GITLAB = "x-gitlab-token"
_TURN_SECONDS = 5.0  # Why: less than GitHub waits for an answer (10 s)


class Accepted(Struct, frozen=True):
    """Whether the push will be followed."""

    accepted: bool = True


def address(request: Asking, package: PackageId) -> str:
    """Where pushes of a package's repository are told."""
    return f"{request.origin}{_PATH}/{package}"


@post("/{package_id:uuid}", status_code=200, request_max_body_size=None)  # it allows so much itself
async def receive_git_push(request: Asking, package_id: Path[PackageId]) -> Accepted:
    """Fetch soon, if this is a push hook's call."""
    hook = await push_hooks.find(request.engine, package_id)
    if (signature := request.headers.get(_GITHUB)) is not None:
        async with _turn(request):
            now, most = asyncio.get_running_loop().time(), request.engine.limits.git_hook_bytes
            allow(request.scope, most=most, seconds=request.engine.limits.stall_seconds, now=now)
            await hook.check_signature(signature, request.stream())
    elif (token := request.headers.get(_GITLAB)) is not None:
        hook.check_token(token)
    else:
        raise Unauthenticated("A push hook signs itself: X-Hub-Signature-256 or X-Gitlab-Token.")
    known(request.scope, f"push_hook:{package_id}")
    await hook.want_fetch()
    return Accepted()


@asynccontextmanager
async def _turn(request: Asking) -> AsyncIterator[None]:
    """One of the few hooks whose bodies are read at once; raises Unavailable when none ends in time."""
    turns: asyncio.Semaphore = request.app.state.push_hooks
    try:
        async with asyncio.timeout(_TURN_SECONDS):
            await turns.acquire()
    except TimeoutError:
        raise Unavailable("too many push hooks are being read: try again", code="CROWDED") from None
    try:
        yield
    finally:
        turns.release()


def router() -> Section:
    """Where pushes are told: it takes no API key. Its app's state has `push_hooks`, a semaphore for as many at once."""
    return Section(_PATH, route_handlers=[receive_git_push], include_in_schema=False)
