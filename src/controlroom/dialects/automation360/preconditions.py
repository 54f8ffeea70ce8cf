"""Statuses of the repository: what does not go with the state of a thing is 412, where other modules say 409."""

from collections.abc import Iterator
from contextlib import contextmanager

from controlroom.dialects.automation360.errors import Precondition
from controlroom.errors import Conflict


@contextmanager
def preconditions() -> Iterator[None]:
    """What is done in here fails by 412 where the engine has a conflict."""
    try:
        yield
    except Conflict as conflict:
        raise Precondition(conflict.message, code=conflict.code, **conflict.fields) from conflict
