"""Assets, by the unmodified client library and by hand."""

import base64

import pytest


@pytest.mark.parametrize("by_url", [False, True], ids=["by the vault's host", "by its own address"])
async def test_the_client_library_stores_and_reads(room, play, ada, assignment, by_url):
    """`robocorp-storage`, unmodified: every kind of content, small and large, names with slashes, deletion."""
    pytest.importorskip("robocorp.storage")

    await play(
        assignment,
        """
import os, pathlib, tempfile
from robocorp import storage

storage.set_text("greeting", "5 € für ädä")
assert storage.get_text("greeting") == "5 € für ädä"
storage.set_text("greeting", "again")
assert storage.get_text("greeting") == "again"

storage.set_json("folder/deep/prices.json", {"a": [1, 2.5, None]})
assert storage.get_json("folder/deep/prices.json") == {"a": [1, 2.5, None]}
storage.set_json("folder/deep/uploads", [1])
assert storage.get_json("folder/deep/uploads") == [1]

large = os.urandom(6_000_000)
storage.set_bytes("a large one", large)
assert storage.get_bytes("a large one") == large

with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder) / "table.csv"
    path.write_text("a,b\\n1,2\\n", encoding="utf-8")
    storage.set_file("table.csv", path)
    assert storage.get_file("table.csv", pathlib.Path(folder) / "copy.csv").read_text() == "a,b\\n1,2\\n"

assert set(storage.list_assets()) == {
    "greeting", "folder/deep/prices.json", "folder/deep/uploads", "a large one", "table.csv"
}, storage.list_assets()
storage.delete_asset("folder/deep/prices.json")
for gone in ("folder/deep/prices.json", "never"):
    try:
        storage.get_json(gone)
    except storage.AssetNotFound:
        pass
    else:
        raise AssertionError(gone)
""",
        **({"RC_API_URL_V1": f"{room.url}/api/v1", "RC_API_TOKEN_V1": assignment.token} if by_url else {}),
    )

    names = [asset["name"] for asset in (await ada.get("/assets"))["data"]]
    assert names == ["greeting", "folder/deep/uploads", "a large one", "table.csv"]


async def test_an_asset_has_the_shapes_of_the_reference(ada, stranger):
    """Empty, pending, completed and with content; the link needs no credential and says the charset."""
    created = await ada.post("/assets", {"name": "greeting"})
    assert created == {"id": created["id"], "name": "greeting", "payload": {"type": "empty"}}

    pending = await ada.post("/assets/name:greeting/uploads", {"content_type": "text/plain"})
    upload_url = pending.pop("upload_url")
    assert pending == {"id": pending["id"], "status": "pending", "content_type": "text/plain"}
    put = await stranger.put(upload_url, content="für".encode())
    assert put.status_code == 200

    completed = await ada.get(f"/assets/{created['id']}/uploads/{pending['id']}/")
    assert completed == {"id": pending["id"], "status": "completed", "content_type": "text/plain"}
    payload = (await ada.get(f"/assets/{created['id']}"))["payload"]
    content = await stranger.get(payload.pop("url"))
    assert payload == {"type": "url", "content_type": "text/plain"}
    assert (content.content.decode(), content.headers["content-type"]) == ("für", "text/plain; charset=utf-8")
    assert content.headers["content-security-policy"] == "sandbox"


async def test_inline_content_is_base64(ada):
    """Small content in the request is completed at once; what is no base64 is refused."""
    await ada.post("/assets", {"name": "greeting"})

    answer = await ada.post(
        "/assets/name:greeting/uploads",
        {"content_type": "text/plain", "data": base64.b64encode(b"hello").decode()},
    )
    broken = await ada.call(
        "POST", "/assets/name:greeting/uploads", json={"content_type": "text/plain", "data": "hello!"}
    )

    assert answer["status"] == "completed"
    assert broken.status_code == 400


async def test_a_deleted_asset_fails_the_upload_under_way(ada, stranger):
    """The one who uploads is told, and nothing is left."""
    await ada.post("/assets", {"name": "greeting"})
    pending = await ada.post("/assets/name:greeting/uploads", {"content_type": "text/plain"})
    await ada.call("DELETE", "/assets/name:greeting")

    put = await stranger.put(pending["upload_url"], content=b"late")

    assert put.status_code == 404
    assert (await ada.call("GET", "/assets/name:greeting")).status_code == 404


async def test_content_that_is_too_large_fails_its_upload(room, ada, stranger):
    """Whoever uploads is refused at the limit, whoever polls is told why, and nothing is changed."""
    asset = await ada.post("/assets", {"name": "model"})
    pending = await ada.post("/assets/name:model/uploads", {"content_type": "text/plain"})

    put = await stranger.put(pending["upload_url"], content=bytes(room.engine.limits.asset_bytes + 1))

    assert (put.status_code, put.json()["error"]["code"]) == (400, "OBJECT_TOO_LARGE")
    failed = await ada.get(f"/assets/{asset['id']}/uploads/{pending['id']}")
    assert (failed["status"], failed["reason"]) == ("failed", put.json()["error"]["message"])
    assert (await ada.get("/assets/name:model"))["payload"] == {"type": "empty"}


async def test_names_are_unique(ada):
    """A second asset of the name is a conflict."""
    await ada.post("/assets", {"name": "greeting"})

    again = await ada.call("POST", "/assets", json={"name": "greeting"})

    assert (again.status_code, again.json()["error"]["code"]) == (409, "ASSET_NAME_TAKEN")


async def test_lists_follow_next(room, ada, assignment, stranger):
    """Every asset comes once, to people and to robots, under the prefix that was used."""
    for n in range(5):
        await ada.post("/assets", {"name": f"asset {n}"})
    robot = {"Authorization": f"Bearer {assignment.token}"}

    for client, headers, prefix in ((ada.http, {}, "/api/v1"), (stranger, robot, "/v1")):
        url: str | None = f"{room.url}{prefix}/workspaces/{ada.workspace}/assets/?limit=2"
        names: list[str] = []
        while url:
            assert url.startswith(f"{room.url}{prefix}/")
            page = (await client.get(url, headers=headers)).json()
            names += [asset["name"] for asset in page["data"]]
            assert page["has_more"] == (page["next"] is not None)
            url = page["next"]
        assert names == [f"asset {n}" for n in range(5)]


async def test_outsiders_see_no_assets(ada, ben, cleo):
    """Cleo finds nothing in ada's workspace, nor ada's asset in her own; ids that are none are not found."""
    asset = await ada.post("/assets", {"name": "greeting"})

    for path in ("/assets", f"/assets/{asset['id']}", "/assets/name:greeting"):
        assert (await cleo.http.get(f"/api/v1/workspaces/{ada.workspace}{path}")).status_code == 404
    assert (await cleo.call("GET", f"/assets/{asset['id']}")).status_code == 404
    assert (await ben.call("GET", "/assets/nonsense")).status_code == 404
    assert (await ben.call("GET", "/assets", params={"cursor": "nonsense"})).status_code == 400
    assert (await ben.call("GET", f"/assets/{asset['id']}")).status_code == 200


@pytest.mark.parametrize(
    "address", ["name:", "name:%00", "name:%FF", "name:a%1Fb", "name:" + "x" * 300, "%00", "name:a/../b"]
)
async def test_names_that_are_none_are_not_found(ada, address):
    """Whatever stands in the path is answered, and by no failure of the server."""
    for method in ("GET", "DELETE"):
        assert (await ada.call(method, f"/assets/{address}")).status_code in {400, 404, 405}
    upload = await ada.call("POST", f"/assets/{address}/uploads", json={"content_type": "text/plain"})
    assert upload.status_code in {400, 404, 405}


@pytest.mark.parametrize("name", ["", " ", "a/", "a//b", "x" * 256, "a\nb", "\x00", 5, None])
async def test_names_that_nobody_could_ask_for_are_refused(ada, name):
    """Such an asset is not made."""
    assert (await ada.call("POST", "/assets", json={"name": name})).status_code == 400
    assert (await ada.get("/assets"))["data"] == []


@pytest.mark.parametrize("content_type", ["", "text", "text/plain\r\nX-Evil: 1", "ä/b", "x/" + "y" * 300])
async def test_content_types_that_are_none_are_refused(ada, content_type):
    """A type that could not stand in a header is not taken."""
    await ada.post("/assets", {"name": "a"})

    answer = await ada.call("POST", "/assets/name:a/uploads", json={"content_type": content_type})

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "CONTENT_TYPE_INVALID")
