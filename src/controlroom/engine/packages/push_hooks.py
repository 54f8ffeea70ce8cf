"""Pushes that GitHub and GitLab tell us of: each package that is fetched from git has a hook with its own secret."""

import hashlib
import hmac
from collections.abc import AsyncIterable

from controlroom.engine.access.errors import WrongCredential
from controlroom.engine.engine import Engine
from controlroom.engine.packages import source_store
from controlroom.engine.packages.source_store import Source
from controlroom.engine.packages.sources import SourceNotFound, hook_secret
from controlroom.ids import PackageId


class PushHook:
    """The hook of one package, and whether a call of it is genuine."""

    def __init__(self, engine: Engine, source: Source, secret: bytes) -> None:
        self._engine = engine
        self._source = source
        self._secret = secret

    def check_token(self, given: str) -> None:
        """GitLab sends the secret itself (`X-Gitlab-Token`). Raises Unauthenticated."""
        _check(self._secret, given)

    async def check_signature(self, given: str, body: AsyncIterable[bytes]) -> None:
        """GitHub signs the body (`X-Hub-Signature-256: sha256=…`), which is read, not kept. Raises Unauthenticated."""
        mac = hmac.new(self._secret, digestmod=hashlib.sha256)
        async for piece in body:
            mac.update(piece)
        _check(f"sha256={mac.hexdigest()}".encode(), given)

    async def want_fetch(self) -> None:
        """Ask for a fetch, which some server does soon; several that wait are one."""
        await source_store.want(self._engine.database, self._source.scope, self._source.package_id)


async def find(engine: Engine, package: PackageId) -> PushHook:
    """The hook of a package. Raises SourceNotFound.

    Why an unknown one is told so, to strangers: nobody guesses an id, and nothing of the request need be read for it.
    """
    found = await source_store.by_package(engine.database, package)
    if found is None:
        raise SourceNotFound(package)
    return PushHook(engine, found, hook_secret(engine, found))


def _check(wanted: bytes, given: str) -> None:
    if not hmac.compare_digest(wanted, given.encode("utf-8", "replace")):
        raise WrongCredential("signature of the hook")
