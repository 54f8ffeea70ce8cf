"""Diagrams of states in the pages of the domain."""

import pytest

from state_diagrams import DIAGRAMS, PAGES, with_diagram


@pytest.mark.parametrize("diagram", DIAGRAMS, ids=lambda diagram: diagram.noun)
def test_a_page_draws_the_states_as_the_rules_have_them(diagram):
    """Whoever changes an edge draws it anew, by `make state-diagrams`."""
    text = (PAGES / diagram.page).read_text(encoding="utf-8")

    assert with_diagram(text, diagram) == text


@pytest.mark.parametrize("diagram", DIAGRAMS, ids=lambda diagram: diagram.noun)
def test_every_state_can_be_reached(diagram):
    """A state stands in the table, and something leads to it."""
    reached = set(diagram.begins).union(*diagram.edges.values())

    assert reached == set(diagram.edges) == set(type(next(iter(diagram.edges))))
