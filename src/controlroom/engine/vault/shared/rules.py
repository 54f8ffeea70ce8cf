"""What a secret of the organization may be, who may change it, and who gets which of its values."""

from collections.abc import Sequence
from enum import Enum, auto
from typing import Final

from controlroom.engine.access.names import checked_description, checked_name
from controlroom.engine.vault.errors import AttributeNotFound, AttributesInvalid, NotOwner
from controlroom.engine.vault.shared.model import Attribute, AttributeDefinition, SecretStanding
from controlroom.ids import UserId

MOST_ATTRIBUTES: Final = 50


class Sight(Enum):
    """How somebody sees a value."""

    NOT = auto()
    """They do not know that it is there."""
    HIDDEN = auto()
    CLEAR = auto()


def sight(
    standing: SecretStanding, asker: UserId | None, *, whose: UserId | None, is_masked: bool, is_alone: bool
) -> Sight:
    """How somebody sees a value: their own or everybody's, others' only who gets all values.

    What is masked shows only to its owner, to whose it is and to who gets all values, and only when they ask for this
    one alone. Consumers use it by their robots.
    """
    is_theirs = whose is not None and whose == asker
    if whose is not None and not is_theirs and not standing.reveals:
        return Sight.NOT
    if not is_masked:
        return Sight.CLEAR
    may = is_theirs or standing.reveals or (whose is None and standing.is_owner)
    return Sight.CLEAR if may and is_alone else Sight.HIDDEN


def may_edit(standing: SecretStanding) -> bool:
    """Whether somebody may change what a secret is, give it away and delete it."""
    return standing.is_owner or standing.locker.governs


def ensure_may_edit(standing: SecretStanding) -> None:
    """Raise NotOwner unless they may."""
    if not may_edit(standing):
        raise NotOwner


def ensure_may_give(standing: SecretStanding, asker: UserId | None, whose: UserId | None) -> None:
    """Raise NotOwner unless somebody may give, change or delete a value of everybody's (None), or of a user."""
    if not may_give(standing, asker, whose):
        raise NotOwner


def may_give(standing: SecretStanding, asker: UserId | None, whose: UserId | None) -> bool:
    """Whether somebody may give, change or delete a value of everybody's (None), or of a user."""
    is_theirs = whose is not None and whose == asker
    return is_theirs or standing.reveals or (whose is None and standing.is_owner)


def checked_attributes(attributes: Sequence[AttributeDefinition]) -> Sequence[AttributeDefinition]:
    """The attributes, if a secret may have them. Raises Invalid."""
    if len(attributes) > MOST_ATTRIBUTES:
        raise AttributesInvalid(f"has at most {MOST_ATTRIBUTES} attributes")
    for attribute in attributes:
        checked_name(attribute.name, what="attribute's name")
        checked_description(attribute.description)
    if len({attribute.name for attribute in attributes}) < len(attributes):
        raise AttributesInvalid("has no two attributes of one name")
    return attributes


def matched(
    there: Sequence[Attribute], wanted: Sequence[AttributeDefinition]
) -> list[tuple[Attribute | None, AttributeDefinition]]:
    """Which of those there each one is: by its id, else by its name; None is a new one.

    Raises AttributeNotFound for an id of none; AttributesInvalid when two are one.
    """
    by_id = {attribute.id: attribute for attribute in there}
    by_name = {attribute.name: attribute for attribute in there}
    pairs: list[tuple[Attribute | None, AttributeDefinition]] = []
    for definition in wanted:
        if definition.id is not None and definition.id not in by_id:
            raise AttributeNotFound
        found = by_name.get(definition.name) if definition.id is None else by_id[definition.id]
        pairs.append((found, definition))
    kept = [attribute.id for attribute, _ in pairs if attribute is not None]
    if len(set(kept)) < len(kept):
        raise AttributesInvalid("has each of its attributes once")
    return pairs
