"""The engine as its parts: what every verb gets as its first argument."""

from dataclasses import dataclass, field
from datetime import datetime

from controlroom.aside.pool import Aside
from controlroom.engine.lost_answers import LostAnswers
from controlroom.engine.messages import Grammars
from controlroom.engine.remarks import Remarks
from controlroom.engine.wakes import Wakes
from controlroom.keys import Keys
from controlroom.objects.links import Links
from controlroom.objects.store import ObjectStore
from controlroom.postgres.database import Database
from controlroom.scratch import Scratch
from controlroom.settings import Limits


@dataclass(frozen=True, slots=True)
class Engine:
    """Database, objects, keys, wake-ups, remarks, limits, folders for work in hand, the pool for what may take long.

    Made once by `app.py`; verbs are functions over it.
    """

    database: Database
    objects: ObjectStore
    keys: Keys
    links: Links
    wakes: Wakes
    remarks: Remarks
    limits: Limits
    scratch: Scratch
    exclude_newer: datetime | None = None
    """How new packages of the world may be, for robots whose package says nothing."""
    aside: Aside = field(default_factory=Aside)
    answers: LostAnswers = field(default_factory=LostAnswers)
    own_worker_token: str | None = field(default=None, repr=False)
    """What the worker of this machine brings to be linked, told by the program that has started both."""
    grammars: Grammars = field(default_factory=dict)
    """In whose words the world is told, by name."""
