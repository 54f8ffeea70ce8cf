"""A package's code is read: by a worker, which is waited for.

Nothing of the package runs. Where the policy of a folder or workspace refuses packages, what is brought is read before
it is taken (`ensure_admitted`); what was taken once is never refused again, and never at a start.
"""

from contextlib import AbstractAsyncContextManager
from typing import Final, Protocol, Self
from uuid import UUID

from msgspec.structs import replace

from controlroom.engine.access.errors import WorkspaceNotFound
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import Scope, scope_of_signed, scoped
from controlroom.engine.analyses import store
from controlroom.engine.analyses.errors import NotAnalysed, PackageRefused
from controlroom.engine.analyses.model import Analysis, AnalysisState, Content, Judged, Rules
from controlroom.engine.analyses.rules import DEFAULT, refused_for
from controlroom.engine.engine import Engine
from controlroom.engine.events.store import By
from controlroom.engine.wakes import Topic, Watch
from controlroom.ids import CodeAnalysisId, WorkspaceId, uuid7

DOOR_SECONDS: Final = 25.0
"""So long who brings a package waits for a worker to read it. Why no longer: our own clients wait for 30."""
_ENDED: Final = frozenset({AnalysisState.DONE, AnalysisState.FAILED})
_LOOK_SECONDS: Final = 5.0


class Patience(Protocol):
    """How long somebody waits."""

    async def goes_on(self) -> bool:
        """Wait for the next moment to look; False when there is none."""


class Waiting(Protocol):
    """What makes somebody wait for a wake-up."""

    def __call__(self, watch: Watch, /) -> AbstractAsyncContextManager[Patience]:
        """Wait for it, for as long as they will."""


async def policy_of(engine: Engine, scope: Scope, place: UUID | None = None) -> Rules:
    """The rules that hold for a package or in a folder of a workspace, or (without a place) directly in it."""
    return await store.policy_of(engine.database, scope, place) or DEFAULT


async def analyse(
    engine: Engine, scope: Scope, content: Content, place: UUID | None, by: By, *, waiting: Waiting
) -> Analysis:
    """What is found in a package by the policy of its place (`policy_of`); by the same rules it is read once.

    Raises NotAnalysed when nobody has read it in time.
    """
    return await _analyse(engine, scope, content, await policy_of(engine, scope, place), by, waiting=waiting)


async def _analyse(
    engine: Engine, scope: Scope, content: Content, policy: Rules, by: By, *, waiting: Waiting
) -> Analysis:
    found = await store.known(engine.database, scope, content, policy)
    if found is not None:
        return replace(found, policy=policy)
    which = CodeAnalysisId(uuid7())
    with engine.wakes.watch(Topic.ANALYSIS_ENDED, which) as watch:
        async with scoped(engine.database, scope) as tx:
            if not await store.ask(tx, scope, which, content, policy, by.id):
                raise WorkspaceNotFound
            tx.after_commit(lambda: engine.wakes.wake(Topic.ANALYSES, scope.organization, scope.workspace))
        async with waiting(watch) as patience:
            found = await store.get(engine.database, scope, which)
            while found.state not in _ENDED and await patience.goes_on():
                found = await store.get(engine.database, scope, which)
    if found.state is not AnalysisState.DONE:
        raise NotAnalysed(found.message or "no worker has read the package's code in time: is one at work?")
    return found


async def ensure_admitted(engine: Engine, workspace: WorkspaceId, content: Content, place: UUID | None = None) -> None:
    """Refuse a package that is brought where the policy of its place (`policy_of`) minds its code.

    Costs a look where the policy refuses nothing. Raises PackageRefused, NotAnalysed.
    """
    scope = await scope_of_signed(engine.database, workspace)
    if scope is None:
        raise WorkspaceNotFound
    policy = await store.policy_of(engine.database, scope, place)
    if policy is None or policy.refuses is None:
        return
    found = await _analyse(engine, scope, content, policy, By("system"), waiting=_at_the_door)
    if refused := refused_for(policy, found.findings):
        async with scoped(engine.database, scope) as tx:
            await record(
                engine, tx, By("system"), scope, "package.refused", None, name=content.name, policy=policy.name
            )
        raise PackageRefused(policy.name, [told(each) for each in refused])


def told(found: Judged) -> str:
    """A finding as a line for people."""
    finding = found.finding
    return f"{finding.path}:{finding.line}: {finding.rule} {finding.message}"


class _AtTheDoor:
    """Waits without a request that can be held: until the door's time is over."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._left = DOOR_SECONDS

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def goes_on(self) -> bool:
        if self._left <= 0:
            return False
        if not await self._watch.wait(_LOOK_SECONDS):
            self._left -= _LOOK_SECONDS
        return True


def _at_the_door(watch: Watch, /) -> _AtTheDoor:
    return _AtTheDoor(watch)
