"""One reader for all APIs: pages in their order, children side by side, patience, and errors that say what is wrong."""

import email.utils
import threading
import time

import pytest

from controlroom.sources.paging import Request, TooFew, by_body_offset, by_cursor, by_link, by_offset
from controlroom.sources.reading import Gone, Headers, Reader, ReadFailed
from sources.serving import listing


@pytest.fixture
def server():
    """A list of 25 items."""
    with listing() as told:
        told.rows |= {f"{n:03}": {"id": f"{n:03}"} for n in range(25)}
        yield told


@pytest.fixture
def reader(server):
    """It is read without waiting: the pauses that were asked for are kept."""
    pauses: list[float] = []
    reader = Reader(server.url, Headers({"Authorization": "Key secret"}), pause=pauses.append, attempts=4)
    reader.pauses = pauses
    yield reader
    reader.close()


def test_pages_follow_each_other_to_the_end(server, reader):
    """By links, which are followed on the server that was given, whatever host they name; and by offsets."""
    pages = list(reader.pages(Request("items", {"limit": 10}), by_link()))
    assert [len(page.rows) for page in pages] == [10, 10, 5]
    assert [row["id"] for page in pages for row in page.rows] == sorted(server.rows, reverse=True)
    assert set(server.credentials) == {"Key secret"}
    by_rows = list(reader.rows(Request("offset", {"limit": 10}), by_offset(size=10, total="total")))
    assert [row["id"] for row in by_rows] == list(server.rows)
    assert len(list(reader.rows(Request("offset", {"limit": 25}), by_offset(size=25)))) == 25


def test_a_list_that_ends_before_its_total_is_no_success(reader):
    """Rows that never come are said, not passed over."""
    with pytest.raises(TooFew, match="25 rows came of 27"):
        list(reader.rows(Request("offset", {"limit": 10, "lie": 2}), by_offset(size=10, total="total")))


def test_bodies_and_cursors_lead_on():
    """Offsets in a body leave the rest of it as it was; a cursor goes back as it came."""
    first = Request("list", body={"filter": {"a": 1}, "page": {"offset": 0, "length": 2}})
    second = by_body_offset()(first, {"page": {"totalFilter": "5"}}, [1, 2], 0)
    assert (second.body, second.method) == ({"filter": {"a": 1}, "page": {"offset": 2, "length": 2}}, "POST")
    assert by_body_offset()(second, {"page": {"totalFilter": 3}}, [1], 2) is None
    cursor = by_cursor(parameter="after", at="meta.next")
    assert cursor(Request("list", {"a": 1}), {"meta": {"next": "x"}}, [1], 0).params == {"a": 1, "after": "x"}
    assert cursor(Request("list"), {"meta": {}}, [1], 0) is None


def test_a_busy_server_is_asked_again_after_what_it_says(server, reader):
    """`Retry-After` in seconds or as a date, else growing pauses; at last it is an error."""
    at = email.utils.formatdate(time.time() + 60, usegmt=True)
    server.failures += [(429, {"Retry-After": "7"}), (503, {"Retry-After": at}), (502, {})]
    assert reader.get("items/003") == {"id": "003"}
    seconds, until, backoff = reader.pauses
    assert seconds == 7
    assert 50 < until <= 60
    assert 0.5 <= backoff <= 2

    server.failures += [(500, {})] * 4
    with pytest.raises(ReadFailed, match="GET items/003: 500: not now 500"):
        reader.get("items/003")


def test_what_the_server_says_is_told_and_no_query_is(server, reader):
    """A refusal is not repeated; what is not there is a kind of its own."""
    server.failures.append((403, {}))
    with pytest.raises(ReadFailed) as refused:
        reader.get("items", token="hidden")
    assert (refused.value.status, str(refused.value)) == (403, "GET items: 403: not now 403")
    with pytest.raises(Gone, match="no such item"):
        reader.get("items/999")
    assert reader.pauses == []


def test_credentials_go_to_no_other_server(server, reader):
    """A redirect within the server is followed, one that leads away is an error."""
    server.failures.append((307, {"Location": "/items/004"}))
    assert reader.get("items/003") == {"id": "004"}
    server.failures.append((307, {"Location": "http://other.example/items"}))
    with pytest.raises(ReadFailed, match=r"other\.example"):
        reader.get("items/003")


def test_who_was_refused_logs_in_again(server):
    """With a new token the same request goes on; where even the third does not help, the refusal is told."""

    class Renewed:
        def __init__(self):
            self.token = 1

        def headers(self):
            return {"Authorization": f"T{self.token}"}

        def renew(self, refused):
            self.token += refused["Authorization"] == f"T{self.token}"
            return True

    reader = Reader(server.url, Renewed())
    server.failures.append((401, {}))
    assert reader.get("items/003") == {"id": "003"}
    assert server.credentials == ["T1", "T2"]
    server.failures += [(401, {})] * 3
    assert reader.get("items/003") == {"id": "003"}
    server.failures += [(401, {})] * 4
    with pytest.raises(ReadFailed, match="401"):
        reader.get("items/003")


def test_children_come_side_by_side_and_in_order(reader):
    """No more at a time than there are workers; those that are gone are left out, another error is told."""
    under_way, most, lock = 0, 0, threading.Lock()
    together = threading.Barrier(3)

    def fetch(id_: str):
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        if int(id_) < 3:
            together.wait(30)  # three are there at once, or nobody goes on
        try:
            return reader.get(f"items/{id_}")["id"]
        finally:
            with lock:
                under_way -= 1

    ids = [f"{n:03}" for n in range(30)]
    assert list(reader.each(ids, fetch, workers=3)) == [(id_, id_) for id_ in ids[:25]]
    assert most == 3
    with pytest.raises(ZeroDivisionError):
        list(reader.each([0], lambda n: 1 // n))


def test_a_failure_names_the_path_and_not_what_a_link_holds(server, reader):
    """Neither the host nor the cursor of a page that did not come."""
    server.failures += [(200, {}), *[(503, {})] * 4]
    with pytest.raises(ReadFailed, match="GET items: 503") as told:
        list(reader.pages(Request("items", {"limit": 10}), by_link()))
    assert "before" not in str(told.value)


def test_a_link_is_seen_before_the_answer_is_read():
    """Where it stands first and is written plainly; else nothing is guessed."""
    way = by_link()
    assert way.glimpsed(b' {"next": "http://a/items?cursor=x&limit=2", "data": []}') == Request(
        "http://a/items?cursor=x&limit=2"
    )
    for content in (
        b'{"next":null,"data":[]}',
        b'{"data":[{"next":"x"}],"next":"y"}',
        b'{"next":"a\\u0026b"}',
        b"",
        b"[",
    ):
        assert way.glimpsed(content) is None
