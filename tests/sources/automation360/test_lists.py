"""Pages of a list follow one another, whatever happens to it meanwhile."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from controlroom.sources.automation360.lists import all_of, any_of, asked, eq, ge, pages
from controlroom.sources.paging import Page
from controlroom.sources.reading import Reader


class Listed(Reader):
    """A list of rows that changes between two pages; what it is asked is answered as a Control Room would."""

    def __init__(self, ids, changes) -> None:
        super().__init__("http://127.0.0.1")
        self.ids = list(ids)
        self._changes = list(changes)

    def pages(self, first, following, *_):
        request = first
        while request is not None:
            page = request.body["page"]
            found = [{"id": each} for each in self.ids[page["offset"] :][: page["length"]]]
            answer = {"list": found, "page": {"offset": page["offset"], "totalFilter": len(self.ids)}}
            next_ = following(request, answer, found, 0)
            yield Page(found, answer, request, next_)
            request = next_
            if self._changes:
                gone, added = self._changes.pop(0)
                self.ids = [each for each in self.ids if each not in gone]
                self.ids += [max([*self.ids, 1000]) + more for more in range(1, added + 1)]


@given(
    st.integers(0, 40).map(range),
    st.integers(1, 7),
    st.lists(st.sets(st.integers(0, 40), max_size=5), max_size=4),
)
def test_rows_that_stay_are_told_once_while_others_go(ids, length, changes):
    """What goes between two pages moves the rest up: nothing of it is passed over, or told twice."""
    listed = Listed(ids, [(gone, 0) for gone in changes])

    told = [row["id"] for page in pages(listed, asked("list", length=length)) for row in page]

    assert len(told) == len(set(told))
    assert set(told) >= set(listed.ids)


@given(st.integers(0, 20).map(range), st.integers(1, 7), st.lists(st.integers(0, 3), max_size=4))
def test_rows_that_are_added_come_last(ids, length, added):
    """All that was there is told once."""
    listed = Listed(ids, [(set(), more) for more in added])

    told = [row["id"] for page in pages(listed, asked("list", length=length)) for row in page]

    assert len(told) == len(set(told))
    assert set(told) >= set(ids)


def test_conditions_are_joined_where_there_are_several():
    """None of them restricts nothing; one alone is written bare; moments are told by the millisecond, in UTC."""
    one = eq("status", "QUEUED")
    at = dt.datetime(2026, 11, 1, 2, 3, 4, 567890, dt.timezone(dt.timedelta(hours=1)))
    assert all_of() is None is any_of(None)
    assert all_of(None, one) == one == {"operator": "eq", "field": "status", "value": "QUEUED"}
    assert ge("createdOn", at)["value"] == "2026-11-01T01:03:04.567Z"
    assert any_of(one, all_of(one, one))["operands"][1]["operator"] == "and"
    assert "filter" not in asked("list").body
