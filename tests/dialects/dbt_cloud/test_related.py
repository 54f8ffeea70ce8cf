"""Lists of names and values in a query, in every shape that clients send."""

import pytest

from controlroom.dialects.dbt_cloud.lists import values_in
from controlroom.dialects.dbt_cloud.related import names_in


@pytest.mark.parametrize(
    ("sent", "names"),
    [
        ("a,b", ["a", "b"]),
        ('["a","b"]', ["a", "b"]),
        ('["a", "b"]', ["a", "b"]),
        ("['a']", ["a"]),
        ("[environment]", ["environment"]),
        ('["run_steps,job"]', ["run_steps", "job"]),
        ('["trigger","job",,"run_steps", "environment"]', ["trigger", "job", "run_steps", "environment"]),
        ("", []),
        ("[]", []),
    ],
)
def test_related_things_are_named_in_many_ways(sent, names):
    """§0.7 and the corrections."""
    assert names_in(sent) == names


@pytest.mark.parametrize(
    ("sent", "values"),
    [
        (["[2, 3]"], ["2", "3"]),
        (["[1,2,3]"], ["1", "2", "3"]),
        (["1,2"], ["1", "2"]),
        (["1", "2"], ["1", "2"]),
        (["['a', 'b']"], ["a", "b"]),
        (['["a, b", "c"]'], ["a, b", "c"]),
        (['["2026-11-01T10:00:00+00:00", "9999-12-31T23:59:59.999999"]'],
         ["2026-11-01T10:00:00+00:00", "9999-12-31T23:59:59.999999"]),
        (["[]"], []),
        (["null"], ["null"]),
        (["["], ["["]),
    ],
)  # fmt: skip
def test_values_are_listed_in_many_ways(sent, values):
    """§0.8, and what else programs make of a list."""
    assert values_in(sent) == values
