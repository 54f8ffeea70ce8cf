"""A filter as JSON, for what goes on after whoever asked has left: a job on all that it finds. Pure."""

from typing import Any, assert_never

from controlroom.engine.lists.model import (
    AllOf,
    AnyOf,
    Compare,
    Contains,
    Filter,
    Inside,
    Not,
    OneOf,
    Operator,
    Unset,
)


def plain(asked: Filter) -> list[Any]:  # noqa: PLR0911 - one for each kind
    """The filter as lists of texts and values, each with its kind at first; `read` makes the filter of it again."""
    match asked:
        case AllOf(of):
            return ["all", *map(plain, of)]
        case AnyOf(of):
            return ["any", *map(plain, of)]
        case Not(of):
            return ["not", plain(of)]
        case Compare(field, operator, value):
            return ["compare", field, operator.value, value]
        case Contains(field, text):
            return ["contains", field, text]
        case Inside(field, text):
            return ["inside", field, text]
        case OneOf(field, values):
            return ["one_of", field, list(values)]
        case Unset(field):
            return ["unset", field]
        case _:
            assert_never(asked)


def read(kept: list[Any]) -> Filter:  # noqa: PLR0911 - one for each kind
    """The filter that was kept so; its values are as JSON has them, which lists take."""
    match kept:
        case ["all", *of]:
            return AllOf(tuple(map(read, of)))
        case ["any", *of]:
            return AnyOf(tuple(map(read, of)))
        case ["not", of]:
            return Not(read(of))
        case ["compare", field, operator, value]:
            return Compare(field, Operator(operator), value)
        case ["contains", field, text]:
            return Contains(field, text)
        case ["inside", field, text]:
            return Inside(field, text)
        case ["one_of", field, values]:
            return OneOf(field, tuple(values))
        case ["unset", field]:
            return Unset(field)
        case _:
            raise ValueError(f"no filter was kept as {str(kept)[:100]}")
