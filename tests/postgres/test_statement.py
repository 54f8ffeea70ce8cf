from enum import Enum
from uuid import uuid4

import pytest

from controlroom.postgres.statement import statement, statements


class State(Enum):
    NEW = "new"


@pytest.mark.parametrize(
    ("written", "sent", "names"),
    [
        ("select 1", "select 1", ()),
        ("select %(a)s", "select $1", ("a",)),
        ("select %(b)s, %(a)s, %(b)s", "select $1, $2, $1", ("b", "a")),
        ("select %(ids)s::uuid[]", "select $1::uuid[]", ("ids",)),
        ("select 7 % 2, 7 %% 2", "select 7 % 2, 7 % 2", ()),
        ("select x like 'a%' or x like '%%b'", "select x like 'a%' or x like '%b'", ()),
        ("select '%(a)s', 'it''s %(b)s'", "select '%(a)s', 'it''s %(b)s'", ()),
        ('select "%(a)s"', 'select "%(a)s"', ()),
        ("select $$%(a)s$$, $x$ %(b)s $x$", "select $$%(a)s$$, $x$ %(b)s $x$", ()),
        ("select %(a)s -- isn't %(b)s\n, %(c)s", "select $1 -- isn't %(b)s\n, $2", ("a", "c")),
        ("select /* don't %(b)s */ %(a)s", "select /* don't %(b)s */ $1", ("a",)),
    ],
)
def test_named_parameters_become_numbered_ones(written, sent, names):
    """What is no parameter is left alone: operators, constants, names, comments."""
    assert statement(written).text == sent
    assert statement(written).names == names


def test_a_text_is_read_once():
    """The same text is the same statement."""
    assert statement("select %(a)s + 1") is statement("select %(a)s + 1")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"a": 1}, r"without a value: \['b'\], values without a parameter: \[\]"),
        ({"a": 1, "b": 2, "c": 3}, r"without a value: \[\], values without a parameter: \['c'\]"),
        ({"a": 1, "c": 3}, r"without a value: \['b'\], values without a parameter: \['c'\]"),
    ],
)
def test_missing_and_superfluous_values_are_named(values, message):
    """A forgotten or mistyped parameter is told by name, with the statement."""
    with pytest.raises(TypeError, match=message):
        statement("select %(a)s, %(b)s").arguments(values)


def test_optional_parts_come_with_their_parameters():
    """What is marked so is sent where one of its parameters is given, and with none of them it is not there."""
    asked = "select 1 where id = %(a)s /*given*/ and b = %(b)s and c = %(c)s /*end*/ and d = %(a)s"
    whole, shorter = statement(asked, {"a": 1, "b": 2, "c": 3}), statement(asked, {"a": 1})

    assert whole.names == ("a", "b", "c")
    assert shorter.text == "select 1 where id = $1  and d = $1"
    assert shorter.arguments({"a": 1}) == [1]
    assert statement(asked, {"a": 2}) is shorter
    with pytest.raises(TypeError, match=r"without a value: \['c'\]"):
        statement(asked, {"a": 1, "b": 2}).arguments({"a": 1, "b": 2})


def test_values_are_sent_as_the_driver_takes_them():
    """Enums go as their values, collections as lists, the rest as it is."""
    id_ = uuid4()
    arguments = statement("%(a)s %(b)s %(c)s %(d)s").arguments(
        {"a": State.NEW, "b": (State.NEW, "x"), "c": frozenset({id_}), "d": {"k": State.NEW}}
    )

    assert arguments == ["new", ["new", "x"], [id_], {"k": State.NEW}]


def test_a_script_is_split_at_its_semicolons_only():
    """Semicolons in constants, comments and function bodies end nothing; empty statements are none."""
    script = """-- no transaction; really
        create index a on b (c);  -- isn't it
        insert into b values ('x;y');;
        do $$ begin null; end $$;
        /* the end; */
    """

    found = statements(script)

    assert [each.partition("\n")[0].split(";")[0] for each in found] == [
        "-- no transaction",
        "-- isn't it",
        "do $$ begin null",
    ]
