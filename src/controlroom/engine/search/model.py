"""What is found when somebody seeks a text in a workspace."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from msgspec import Struct

from controlroom.engine.access.model import Permission
from controlroom.engine.assets.store import ASSET
from controlroom.engine.assistants.store import ASSISTANT
from controlroom.engine.nouns import Noun
from controlroom.engine.packages.store import PACKAGE
from controlroom.engine.processes.store import PROCESS
from controlroom.engine.queues.store import QUEUE
from controlroom.engine.schedules.store import SCHEDULE
from controlroom.engine.targets.store import TARGET
from controlroom.engine.vault.store import SECRET
from controlroom.engine.webhooks.store import WEBHOOK
from controlroom.engine.workers.store import WORKER, WORKER_GROUP

NAMED: Final[tuple[tuple[Noun[Any], Permission], ...]] = (
    (PROCESS, Permission.READ_PROCESSES),
    (QUEUE, Permission.READ_WORK_ITEMS),
    (WORKER, Permission.READ_WORKERS),
    (WORKER_GROUP, Permission.READ_WORKERS),
    (PACKAGE, Permission.READ_PACKAGES),
    (ASSET, Permission.READ_ASSETS),
    (SECRET, Permission.READ_SECRETS),
    (ASSISTANT, Permission.READ_ASSISTANTS),
    (SCHEDULE, Permission.READ_SCHEDULES),
    (WEBHOOK, Permission.READ_WEBHOOKS),
    (TARGET, Permission.READ_TARGETS),
)
"""What is found by its name, a part of it, its number or its id; and who may."""


class Hit(Struct, frozen=True, kw_only=True):
    """Something that was found."""

    noun: str
    """The engine's word: `process`, `run`, `work item` …"""
    id: UUID
    number: int
    name: str
    """What it is called, or what it belongs to."""
    said: str = ""
    """The text in which it was found, if that is not its name."""
    at: datetime | None = None
    run: int | None = None
    """The number of its run, of a step run."""


class Slice(Struct, frozen=True, kw_only=True):
    """What one look at a few rows has found, and from where the next one goes on."""

    hits: list[Hit]
    looked: int
    """How many rows were looked at."""
    in_part: int = 0
    """Of how many of them only the beginning, because they are longer than one look may be at."""
    until: datetime | None
    """How far back it has come."""
    before: UUID | None
    """The next look is at what is older than this; None: there is nothing more of the period."""
