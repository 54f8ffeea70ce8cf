"""What every day asks of a product of many places and many values."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import pytest

some_and_all = pytest.mark.parametrize(
    "of_each", [pytest.param(3, id="some"), pytest.param(None, id="all", marks=pytest.mark.matrix)]
)
"""Each place with some of the values, each value in some of the places; all in all places is for `make matrix`."""


def in_turn(of_each: int | None) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """Gives of the values of each place the next `of_each`, round and round; without a number all of them."""
    places = itertools.count()

    def pick(values: Sequence[Any]) -> Sequence[Any]:
        if of_each is None or len(values) <= of_each:
            return values
        first = next(places) * of_each
        return [values[(first + number) % len(values)] for number in range(of_each)]

    return pick
