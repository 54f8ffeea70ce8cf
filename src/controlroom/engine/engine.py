"""The engine as its parts: what every verb gets as its first argument."""

from dataclasses import dataclass

from controlroom.engine.wakes import Wakes
from controlroom.keys import Keys
from controlroom.objects.links import Links
from controlroom.objects.store import ObjectStore
from controlroom.postgres.database import Database
from controlroom.settings import Limits


@dataclass(frozen=True, slots=True)
class Engine:
    """Database, objects, keys, wake-ups and limits. Made once by `app.py`; verbs are functions over it."""

    database: Database
    objects: ObjectStore
    keys: Keys
    links: Links
    wakes: Wakes
    limits: Limits
