"""How workspaces are called in addresses."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from controlroom.engine.workspaces.model import Organization, Workspace
from controlroom.ids import OrganizationId, WorkspaceId, uuid7
from controlroom.ui.addresses import Workspaces, slug_of

_ACME = Organization(id=OrganizationId(uuid7()), number=1, name="Acme")


def workspaces(*names):
    return [
        Workspace(id=WorkspaceId(uuid7()), number=100 + i, name=name, organization=_ACME, created_at=datetime.now(UTC))
        for i, name in enumerate(names)
    ]


def test_a_slug_is_made_of_the_name():
    """Small letters and digits of any script, joined by hyphens."""
    assert slug_of("Finance & Controlling (EU)") == "finance-controlling-eu"
    assert slug_of("Zürich Büro") == "zurich-buro"
    assert slug_of("財務") == "財務"
    assert slug_of("!!!") == ""


@given(st.lists(st.text(max_size=30), max_size=8))
def test_every_workspace_has_an_address_of_its_own(names):
    """By slug, number and id the same one is found, whatever they are called."""
    of = workspaces(*names)
    known = Workspaces(of)
    assert len(known.slugs) == len(of)
    for each in of:
        slug = known.slug(each)
        assert slug
        assert "/" not in slug
        assert known.find(slug) == (slug, each)
        assert known.find(str(each.id)) == (slug, each)
        assert known.find(str(each.number)) == (slug, each)


def test_names_that_meet_are_told_apart_by_number():
    """And none is called by what is another one's number."""
    same, other, numeric = workspaces("Finance", "finance!", "100")
    known = Workspaces([same, other, numeric])
    assert [*known.slugs] == ["100-102", "finance-100", "finance-101"]
    assert known.find("finance") is None
