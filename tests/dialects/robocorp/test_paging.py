"""Lists come in pages that a client follows by their addresses."""

from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from controlroom.border.origin import Origins


@pytest.fixture
async def items(ada, process):
    """Seven items that wait in the input queue, newest first."""
    made = [await ada.post("/work-items", {"process": {"id": str(process)}, "payload": n}) for n in range(7)]
    return [item["id"] for item in reversed(made)]


async def test_pages_are_followed_to_the_end(ada, process, items):
    """Following `next` gives every row once, in order; the address carries limit and filters itself."""
    page = await ada.get("/work-items", limit=3, process_id=str(process), state="new")
    asked = parse_qs(urlsplit(page["next"]).query)
    assert page["has_more"] is True
    assert asked["limit"] == ["3"]
    assert asked["process_id"] == [str(process)]
    assert asked["state"] == ["new"]

    rows = await ada.every("/work-items", limit=3, process_id=str(process), state="new")

    assert [row["id"] for row in rows] == items


async def test_a_full_last_page_has_no_next(ada, items):
    """A page that ends exactly at the end says so."""
    page = await ada.get("/work-items", limit=7)

    assert (page["next"], page["has_more"], len(page["data"])) == (None, False, 7)


async def test_rows_that_come_or_go_neither_repeat_nor_hide_others(ada, process, items):
    """While a client goes through the pages, new rows and deleted ones do not disturb it."""
    first = await ada.get("/work-items", limit=3)
    await ada.post("/work-items", {"process": {"id": str(process)}, "payload": "late"})
    await ada.post("/work-items/batch", {"batch_operation": "delete", "work_item_ids": [items[2]]})

    second = await ada.get(first["next"])

    assert [row["id"] for row in first["data"] + second["data"]] == items[:6]


async def test_the_limit_has_a_cap(ada, items):
    """A limit above the cap is taken as the cap."""
    page = await ada.get("/work-items", limit=10_000_000)

    assert len(page["data"]) == 7


async def test_next_is_on_the_callers_host_and_prefix(room, ada, items):
    """The next page is where the caller has been, also behind a proxy that we trust."""
    path = f"/v1/workspaces/{ada.workspace}/work-items/"
    async with httpx2.AsyncClient(headers=ada.http.headers, timeout=120, trust_env=False) as client:
        plain = await client.get(f"{room.url}{path}?limit=2", headers={"Host": "room.example:81"})
        proxied = await client.get(
            f"{room.url}{path}?limit=2",
            headers={"X-Forwarded-Proto": "https", "X-Forwarded-Host": "room.example.com, inner"},
        )
        odd = await client.get(f"{room.url}{path}?limit=2", headers={"Host": "a_b/script"})

    assert plain.json()["next"].startswith(f"http://room.example:81{path.rstrip('/')}?")
    assert proxied.json()["next"].startswith("https://room.example.com/v1/")
    assert odd.status_code == 421


def _scope(peer: str, **headers: str) -> dict:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"scheme": "http", "client": (peer, 1), "server": ("10.0.0.1", 8170), "headers": pairs}


@pytest.mark.parametrize(
    ("public", "peer", "headers", "origin"),
    [
        (None, "9.9.9.9", {"host": "a.example"}, "http://a.example"),
        (
            None,
            "9.9.9.9",
            {"host": "a.example", "x_forwarded_host": "evil", "x_forwarded_proto": "https"},
            "http://a.example",
        ),
        (
            None,
            "127.0.0.1",
            {"host": "a", "x_forwarded_host": "b.example", "x_forwarded_proto": "https"},
            "https://b.example",
        ),
        (None, "127.0.0.1", {"host": "a", "x_forwarded_proto": "javascript"}, "http://a"),
        (None, "127.0.0.1", {"host": "a/b"}, "http://10.0.0.1:8170"),
        (None, "127.0.0.1", {}, "http://10.0.0.1:8170"),
        (None, "127.0.0.1", {"host": "[::1]:8170"}, "http://[::1]:8170"),
        ("https://room.example/x/", "127.0.0.1", {"host": "a"}, "https://room.example/x"),
    ],
)
def test_the_origin_is_believed_of_trusted_proxies_only(public, peer, headers, origin):
    """What a stranger writes into forwarding headers, or into a Host that is none, stands in no link."""
    assert Origins(public, ["127.0.0.1"]).of(_scope(peer, **headers)) == origin


def test_the_client_is_the_one_before_our_proxy():
    """The peer is told, unless it is a trusted proxy, which tells who called it."""
    origins = Origins(None, ["127.0.0.1"])

    assert origins.client_of(_scope("9.9.9.9", x_forwarded_for="1.1.1.1")) == "9.9.9.9"
    assert origins.client_of(_scope("127.0.0.1", x_forwarded_for="6.6.6.6, 1.1.1.1")) == "1.1.1.1"
