"""How topics and places in the record of events are written, and who may hear of what."""

import re
from collections.abc import Iterable
from itertools import pairwise
from typing import Final

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.nudges.model import CONSOLE, NEEDS, Topic
from controlroom.ids import WorkspaceId, as_uuid

MOST_TOPICS: Final = 200
_NOUN: Final = re.compile(r"[a-z_]{1,40}")
_SNAPSHOT: Final = re.compile(r"([0-9]{1,18}):([0-9]{1,18}):((?:[0-9]{1,18}(?:,[0-9]{1,18})*)?)")
_LONGEST: Final = 4000


def topics_of(text: str) -> list[Topic]:
    """The topics of a list with commas, each once, `MOST_TOPICS` at most; what names none is left out."""
    found: dict[Topic, None] = {}
    for word in text.split(",")[: 2 * MOST_TOPICS]:
        noun, _, named = word.partition("-")
        one = as_uuid(named) if named else None
        if _NOUN.fullmatch(noun) and (one is not None) == bool(named):
            found[Topic(noun, one)] = None
    return list(found)[:MOST_TOPICS]


def audible(actor: Actor, workspace: WorkspaceId, topics: Iterable[Topic]) -> list[Topic]:
    """Those of which somebody may hear in a workspace."""
    return [
        topic
        for topic in topics
        if (needed := NEEDS.get(topic.noun, Permission.READ_AUDIT)) is None or actor.may(needed, workspace)
        if topic.noun != CONSOLE or topic.id is not None
    ]


def is_place(text: str) -> bool:
    """Whether a text is a place in the record: a snapshot as PostgreSQL writes it, and takes it back."""
    if len(text) > _LONGEST or (found := _SNAPSHOT.fullmatch(text)) is None:
        return False
    lowest, next_one = int(found[1]), int(found[2])
    running = [int(each) for each in found[3].split(",") if each]
    in_order = all(one < other for one, other in pairwise(running))
    return 1 <= lowest <= next_one and in_order and all(lowest <= each < next_one for each in running)
