"""Uses that are counted in memory, and written every few seconds: of credentials by permission, and of assets.

Writing each as it happens would have all requests of a key wait for one row. What a server has not written when it is
killed, some seconds of uses, is not counted.
"""

from collections import Counter
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID
from weakref import WeakKeyDictionary

from msgspec.structs import replace

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.engine import Engine
from controlroom.ids import OrganizationId, ProcessId, WorkspaceId
from controlroom.keys import Keys
from controlroom.postgres.database import Statements


class Used(StrEnum):
    """What is used."""

    CREDENTIAL = "credential"
    """An API key, a key or pair of a user, a link token: what has a row of its own."""
    SESSION = "session"
    """Of a user, by their id: log-ins by password, and what stands for them for a while."""
    PROCESS_SECRET = "process_secret"  # noqa: S105 - likewise
    """By its process."""
    WORKER = "worker"
    """Its lasting token, by the worker."""
    SECRET = "secret"  # noqa: S105 - a noun
    ASSET = "asset"


class Use(NamedTuple):
    """What is used by whom; uses that agree in all of it are one row a day."""

    organization: OrganizationId
    workspace: WorkspaceId | None
    noun: Used
    subject: UUID
    permission: str = ""
    process: ProcessId | None = None
    """Whose robot it was."""


class Uses:
    """Uses that are not written yet."""

    def __init__(self) -> None:
        self._counted: Counter[Use] = Counter()

    def count(self, use: Use, times: int = 1) -> None:
        """It was used."""
        self._counted[use] += times

    def take(self) -> Counter[Use]:
        """All uses until now; the caller writes them, or gives them back by `count`."""
        taken, self._counted = self._counted, Counter()
        return taken


class Noted:
    """Counts for which permissions one credential is used."""

    __slots__ = ("_noun", "_subject", "_uses")

    def __init__(self, uses: Uses, subject: UUID, noun: Used) -> None:
        self._uses = uses
        self._subject = subject
        self._noun = noun

    def asked(self, actor: Actor, permission: Permission, workspace: WorkspaceId | None) -> None:
        """Count it."""
        self._uses.count(Use(actor.organization_id, workspace, self._noun, self._subject, permission.value))


def noted(engine: Engine, actor: Actor, subject: UUID, noun: Used = Used.CREDENTIAL) -> Actor:
    """The actor, whose uses of permissions are counted as uses of the credential by which they came."""
    return replace(actor, noting=Noted(uses_of(engine), subject, noun))


def of_user(engine: Engine, actor: Actor) -> Actor:
    """A user who has come by their own log-in, or by what stands for it: counted with the user's sessions."""
    return actor if actor.id is None else noted(engine, actor, actor.id, Used.SESSION)


# Why by the keys: they are the control room's own, one object a process; tests have several rooms in one process.
_uses: WeakKeyDictionary[Keys, Uses] = WeakKeyDictionary()


def uses_of(engine: Engine) -> Uses:
    """What this process has counted and not written."""
    known = _uses.get(engine.keys)
    if known is None:
        known = _uses[engine.keys] = Uses()
    return known


async def flush_days(engine: Engine) -> int:
    """Write the counted uses to the day's rows; how many rows. What cannot be written now is kept for the next time."""
    counter = uses_of(engine)
    uses = counter.take()
    try:
        if uses:
            await add_days(engine.database, uses)
    except BaseException:
        for use, times in uses.items():
            counter.count(use, times)
        raise
    return len(uses)


async def add_days(db: Statements, uses: Counter[Use]) -> None:
    """Add to the days' rows; they are locked in one order, so that two servers never wait for each other."""
    ordered = sorted(uses, key=lambda use: (use.subject, use.permission, str(use.process), str(use.workspace)))
    await db.execute(
        """
        insert into day_of_use as known (organization_id, workspace_id, noun, subject_id, day, permission, process_id,
                                         count)
        select organization, workspace, noun, subject, (clock_now() at time zone 'UTC')::date, permission, process,
               times
          from unnest(%(organizations)s::uuid[], %(workspaces)s::uuid[], %(nouns)s::text[], %(subjects)s::uuid[],
                      %(permissions)s::text[], %(processes)s::uuid[], %(times)s::bigint[])
               as used (organization, workspace, noun, subject, permission, process, times)
            on conflict (subject_id, day, permission, process_id, workspace_id) do update
           set count = known.count + excluded.count, last_at = excluded.last_at
        """,
        organizations=[use.organization for use in ordered],
        workspaces=[use.workspace for use in ordered],
        nouns=[use.noun for use in ordered],
        subjects=[use.subject for use in ordered],
        permissions=[use.permission for use in ordered],
        processes=[use.process for use in ordered],
        times=[uses[use] for use in ordered],
    )
