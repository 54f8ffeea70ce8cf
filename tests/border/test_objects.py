"""Signed links: what they allow, how files come and go by them."""

import asyncio
import time
from urllib.parse import urlsplit

import pytest

from controlroom.engine.assets import actions as assets
from controlroom.engine.downloads import actions as downloads
from controlroom.engine.downloads.model import DownloadKind
from controlroom.engine.uploads.actions import signed_link
from controlroom.ids import OrganizationId, uuid7
from controlroom.objects.links import Link

CONTENT = bytes(range(256)) * 40


@pytest.fixture
async def asset(room, ada):
    """An asset without content."""
    return await assets.create(room.engine, ada.actor, ada.workspace, "notes.txt")


@pytest.fixture
async def upload(room, ada, asset):
    """A promised upload of that asset, and its link."""
    promised = await assets.upload(room.engine, ada.actor, ada.workspace, asset.id, content_type="text/plain")
    return promised, f"/objects/{signed_link(room.engine, promised)}"


@pytest.fixture
async def download(room, ada, asset, upload, stranger):
    """The link to fetch the asset, which has content."""
    await stranger.put(upload[1], content=CONTENT)
    token = downloads.signed_link(
        room.engine,
        DownloadKind.ASSET,
        asset.id,
        ada.workspace,
        organization=ada.actor.organization_id,
        file_name="notes.txt",
    )
    return f"/objects/{token}"


async def test_raw_bytes_are_put_and_fetched(download, stranger):
    """What is put by a link is what is fetched by one, with its type, length and the rules for browsers."""
    answer = await stranger.get(download)

    assert answer.status_code == 200
    assert answer.content == CONTENT
    assert answer.headers["content-length"] == str(len(CONTENT))
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["content-security-policy"] == "sandbox"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"].startswith("inline; ")


async def test_head_tells_without_the_content(download, stranger):
    """HEAD answers as GET does, without the content, by the same link."""
    answer = await stranger.head(download)

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(len(CONTENT))


@pytest.mark.parametrize(
    ("asked", "status", "start", "end"),
    [
        ("bytes=0-9", 206, 0, 10),
        ("bytes=10000-", 206, 10000, 10240),
        ("bytes=-5", 206, 10235, 10240),
        ("bytes=-99999", 200, 0, 10240),
        ("bytes=10239-99999", 206, 10239, 10240),
        ("bytes=0-", 200, 0, 10240),
        ("bytes=9-3", 200, 0, 10240),
        ("bytes=0-1,5-6", 200, 0, 10240),
        ("lines=1-2", 200, 0, 10240),
        ("bytes=10240-", 416, 0, 0),
        ("bytes=-0", 416, 0, 0),
        (f"bytes={'9' * 5000}-", 416, 0, 0),
        (f"bytes={'9' * 5000}-{'9' * 5000}", 416, 0, 0),
        (f"bytes=10230-{'9' * 5000}", 206, 10230, 10240),
        (f"bytes=-{'9' * 5000}", 200, 0, 10240),
        (f"bytes={'0' * 5000}1-{'0' * 5000}2", 206, 1, 3),
    ],
)
async def test_a_range_is_fetched(download, stranger, asked, status, start, end):
    """One range of bytes is given alone; what is no such range is given whole, one outside refused."""
    answer = await stranger.get(download, headers={"Range": asked})

    assert answer.status_code == status
    assert answer.content == CONTENT[start:end]
    if status == 206:
        assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/10240"


async def test_a_repeated_upload_does_no_harm_and_other_content_is_refused(upload, download, stranger):
    """The same bytes may be sent again after a lost answer; others by the same link are a conflict."""
    again = await stranger.put(upload[1], content=CONTENT)
    other = await stranger.put(upload[1], content=b"other")

    assert (again.status_code, other.status_code) == (200, 409)
    assert (await stranger.get(download)).content == CONTENT


@pytest.mark.parametrize(
    ("name", "content_type", "place"),
    [
        ("picture.svg", "image/svg+xml", "attachment"),
        ("picture.png", "image/png", "inline"),
        ("robot.zip", "application/zip", "attachment"),
        ('odd\r\nname".exe', "application/x-odd\r\nSet-Cookie: a=b", "attachment"),
    ],
)
async def test_only_known_types_are_shown_by_browsers(room, ada, asset, download, stranger, name, content_type, place):
    """A type that is not on the preview list is an attachment, and no name or type breaks out of its header."""
    link = Link(
        kind="asset",
        row=asset.id,
        method="GET",
        expires=int(time.time()) + 60,
        workspace=ada.workspace,
        file_name=name,
        content_type=content_type,
    )
    answer = await stranger.get(f"/objects/{room.engine.links.sign(link)}")

    assert answer.status_code == 200
    assert answer.headers["content-disposition"].startswith(f"{place}; filename=")
    assert "set-cookie" not in answer.headers


async def test_a_link_allows_what_it_says_and_nothing_else(room, ada, upload, download, stranger):
    """Changed, expired or used for another method, a link opens nothing."""
    token = download.removeprefix("/objects/")
    expired = Link(kind="asset", row=uuid7(), method="GET", expires=1, workspace=ada.workspace)
    body, _, signature = token.partition(".")
    turned = ("A" if signature[0] != "A" else "B") + signature[1:]
    refused = [
        await stranger.put(download, content=b"x"),
        await stranger.get(upload[1]),
        await stranger.post(upload[1], files={"file": b"x"}),
        await stranger.get(f"/objects/{body}.{turned}"),
        await stranger.get(f"/objects/{room.engine.links.sign(expired)}"),
        await stranger.get("/objects"),
        await stranger.get("/objects/odd"),
    ]

    assert {answer.status_code for answer in refused} == {403}
    assert {answer.headers["content-security-policy"] for answer in refused} == {"sandbox"}
    assert (await stranger.delete(download)).status_code == 405


async def test_what_is_gone_is_not_found(room, ada, asset, download, stranger):
    """A link to a row that was deleted leads nowhere."""
    await assets.delete(room.engine, ada.actor, ada.workspace, asset.id)

    answer = await stranger.get(download)

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "CONTENT_GONE")


# ---------------------------------------------------------------------------------------------------- forms
@pytest.fixture
async def form(ada, process):
    """A work item, and the form by which its file of ten bytes is posted."""
    item = (await ada.post("/work-items", {"process": {"id": str(process)}, "payload": None}))["id"]
    wish = {"file_name": "a.txt", "file_size": 10}
    return item, (await ada.post(f"/work-items/{item}/files", wish))["upload"]


async def _files(ada, item: str) -> list:
    return (await ada.get(f"/work-items/{item}"))["files"]


@pytest.mark.parametrize(
    "content", [b"", b"123456789", b"12345678901", b"x" * 100_000], ids=["none", "fewer", "one more", "many more"]
)
async def test_a_form_must_bring_what_was_announced(ada, form, stranger, content):
    """More or fewer bytes than were announced are refused, and nothing is changed."""
    item, target = form

    answer = await stranger.post(target["url"], data=target["form_data"], files={"file": ("a.txt", content)})

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "OBJECT_SIZE_MISMATCH")
    assert await _files(ada, item) == []


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/form-data", b"--x--"),
        ("multipart/form-data; boundary=x", b""),
        ("multipart/form-data; boundary=x", b"--x--\r\n"),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\n123'),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="key"\r\n\r\n1\r\n--x--\r\n'),
        ("multipart/form-data; boundary=x", b"nonsense" * 100_000),
    ],
)
async def test_what_is_no_such_form_is_refused(ada, form, stranger, kind, body):
    """Other types, broken forms, forms without the part, and endless ones: each a clear error, nothing changed."""
    item, target = form

    answer = await stranger.post(target["url"], content=body, headers={"Content-Type": kind})

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "MALFORMED_FORM")
    assert await _files(ada, item) == []


async def test_an_interrupted_upload_changes_nothing_and_may_be_repeated(room, ada, form, stranger):
    """A client that goes away in the middle leaves no trace; when it comes again, the file is there."""
    item, target = form
    host, port = urlsplit(room.url).netloc.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    path = urlsplit(target["url"]).path
    writer.write(
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 500\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\n\r\n"
        '--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n12345'.encode()
    )
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    await reader.read()
    assert await _files(ada, item) == []

    posted = await stranger.post(target["url"], data=target["form_data"], files={"file": ("a.txt", b"1234567890")})

    assert posted.status_code == 204
    assert [file["size"] for file in await _files(ada, item)] == [10]


async def test_a_large_file_is_streamed(room, ada, process, stranger):
    """A file larger than any buffer comes and goes in pieces, unchanged."""
    item = (await ada.post("/work-items", {"process": {"id": str(process)}, "payload": None}))["id"]
    content = bytes(range(251)) * 60_000
    wish = {"file_name": "large.bin", "file_size": len(content)}
    target = (await ada.post(f"/work-items/{item}/files", wish))["upload"]

    posted = await stranger.post(target["url"], data=target["form_data"], files={"file": ("large.bin", content)})

    assert posted.status_code == 204, posted.text
    [file] = await _files(ada, item)
    assert (await stranger.get(file["download"]["url"])).content == content


async def test_a_link_of_a_release_before_still_works(room, ada, asset, download, stranger):
    """Such a link does not say whose organization its workspace is; it is looked for."""
    older = Link(
        kind="asset", row=asset.id, method="GET", expires=int(time.time()) + 60, workspace=ada.workspace, file_name="n"
    )
    promised = await assets.upload(room.engine, ada.actor, ada.workspace, asset.id, content_type="text/plain")
    put = Link(kind="upload", row=promised.id, method="PUT", expires=int(time.time()) + 60, workspace=ada.workspace)

    assert (await stranger.get(f"/objects/{room.engine.links.sign(older)}")).content == CONTENT
    assert (await stranger.put(f"/objects/{room.engine.links.sign(put)}", content=b"new")).status_code == 200
    assert (await stranger.get(download)).content == b"new"


async def test_a_link_opens_nothing_of_another_workspace(room, ada, cleo, asset, download, stranger):
    """Neither under a workspace of another organization, nor in the name of one."""
    for organization, workspace in (
        (cleo.actor.organization_id, cleo.workspace),
        (OrganizationId(uuid7()), ada.workspace),
        (ada.actor.organization_id, cleo.workspace),
        (None, cleo.workspace),
    ):
        link = Link(
            kind="asset",
            row=asset.id,
            method="GET",
            expires=int(time.time()) + 60,
            workspace=workspace,
            organization=organization,
        )
        assert (await stranger.get(f"/objects/{room.engine.links.sign(link)}")).status_code == 404


async def test_a_link_to_a_deleted_workspace_leads_nowhere(room, ada, upload, download, stranger):
    """What belongs to it is gone with it, for links as for everybody."""
    await room.engine.database.execute(
        "update workspace set deleted_at = clock_now() where id = %(workspace)s", workspace=ada.workspace
    )

    assert (await stranger.get(download)).status_code == 404
    assert (await stranger.put(upload[1], content=CONTENT)).status_code == 404
