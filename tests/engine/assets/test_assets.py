"""Assets: content comes by uploads, and is read as soon as they are completed."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.engine.access.model import Permission
from controlroom.engine.access.scope import scope_of
from controlroom.engine.assets import actions as assets
from controlroom.engine.assets.errors import (
    AssetNameInvalid,
    AssetNameTaken,
    AssetNotFound,
    AssetTooLarge,
    ContentTypeInvalid,
)
from controlroom.engine.assets.rules import checked_asset_name, checked_content_type
from controlroom.engine.uploads import actions as uploads
from controlroom.engine.uploads.errors import UploadEnded, UploadNotFound
from controlroom.engine.uploads.model import UploadState
from controlroom.errors import Forbidden, NotFound, Unauthenticated

TEXT = "text/plain"


async def read(engine, actor, workspace, asset):
    return await assets.get(engine.database, scope_of(actor, Permission.READ_ASSETS, workspace), asset)


async def read_upload(engine, actor, workspace, asset, upload):
    return await assets.get_upload(engine, scope_of(actor, Permission.WRITE_ASSETS, workspace), asset, upload)


async def listed(engine, actor, workspace, *, after=None, limit):
    scope = scope_of(actor, Permission.READ_ASSETS, workspace)
    return await assets.list_assets(engine.database, scope, after=after, limit=limit)


async def content_of(engine, actor, workspace, asset) -> bytes:
    found = await read(engine, actor, workspace, asset)
    return await engine.objects.read(found.content.hash)


async def test_inline_content_is_there_at_once(engine, ada, robot, workspace):
    """What was given in the request is read by id and by name as soon as it is answered."""
    asset = await assets.create(engine, ada, workspace, "prices/today")
    assert asset.content is None

    upload = await assets.upload_inline(engine, robot, workspace, asset.id, content_type=TEXT, data="5 €".encode())

    assert upload.state is UploadState.COMPLETED
    assert await content_of(engine, robot, workspace, asset.id) == "5 €".encode()
    assert await content_of(engine, robot, workspace, "prices/today") == "5 €".encode()


async def test_content_comes_by_a_link(engine, ada, workspace):
    """A promised upload is pending, with the old content in place, until its bytes have come; then all is new."""
    asset = await assets.create(engine, ada, workspace, "model")
    await assets.upload_inline(engine, ada, workspace, asset.id, content_type=TEXT, data=b"old")

    upload = await assets.upload(engine, ada, workspace, "model", content_type="application/octet-stream")
    assert upload.state is UploadState.PENDING
    assert await content_of(engine, ada, workspace, asset.id) == b"old"

    blob = await engine.objects.put_bytes(b"new")
    await assets.complete_upload(engine, upload.scope, upload.id, blob)

    assert (await read_upload(engine, ada, workspace, "model", upload.id)).state is UploadState.COMPLETED
    changed = await read(engine, ada, workspace, asset.id)
    assert (changed.content.content_type, changed.content.size) == ("application/octet-stream", 3)
    assert await content_of(engine, ada, workspace, asset.id) == b"new"


async def test_an_upload_is_completed_once(engine, ada, workspace):
    """The same bytes again are fine (the first answer was lost), others are not; the later upload's content stays."""
    await assets.create(engine, ada, workspace, "model")
    upload = await assets.upload(engine, ada, workspace, "model", content_type=TEXT)
    blob = await engine.objects.put_bytes(b"first")
    await assets.complete_upload(engine, upload.scope, upload.id, blob)
    await assets.upload_inline(engine, ada, workspace, "model", content_type=TEXT, data=b"second")

    await assets.complete_upload(engine, upload.scope, upload.id, blob)
    with pytest.raises(UploadEnded):
        await assets.complete_upload(engine, upload.scope, upload.id, await engine.objects.put_bytes(b"other"))

    assert await content_of(engine, ada, workspace, "model") == b"second"


async def test_uploads_at_once_leave_one_whole_content(engine, ada, workspace):
    """Type, size and content belong together, whoever was last."""
    await assets.create(engine, ada, workspace, "model")

    await asyncio.gather(
        *(
            assets.upload_inline(engine, ada, workspace, "model", content_type=f"text/x-{n}", data=b"x" * n)
            for n in range(1, 7)
        )
    )

    content = (await read(engine, ada, workspace, "model")).content
    assert content.content_type == f"text/x-{content.size}"


async def test_a_deleted_asset_fails_its_uploads(engine, ada, workspace):
    """Whoever uploads to an asset that is gone is told so, and so is whoever polls the upload."""
    asset = await assets.create(engine, ada, workspace, "model")
    upload = await assets.upload(engine, ada, workspace, asset.id, content_type=TEXT)
    await assets.delete(engine, ada, workspace, "model")

    with pytest.raises(AssetNotFound):
        await assets.complete_upload(engine, upload.scope, upload.id, await engine.objects.put_bytes(b"late"))

    failed = await uploads.get(engine, upload.scope, upload.id)
    assert (failed.state, failed.reason) == (UploadState.FAILED, "the asset was deleted")
    with pytest.raises(AssetNotFound):
        await read(engine, ada, workspace, asset.id)


async def test_an_upload_that_never_came_is_told_as_failed(engine, ada, workspace):
    """Once its link has expired, a pending upload is failed with the reason."""
    await assets.create(engine, ada, workspace, "model")
    upload = await assets.upload(engine, ada, workspace, "model", content_type=TEXT)
    await engine.database.execute(
        "update upload set created_at = clock_now() - interval '2 hours' where id = %(id)s", id=upload.id
    )

    late = await read_upload(engine, ada, workspace, "model", upload.id)

    assert (late.state, late.reason) == (UploadState.FAILED, "nothing came before the link expired")


async def test_an_upload_belongs_to_its_asset(engine, ada, workspace):
    """It is not found through another one."""
    for name in ("model", "other"):
        await assets.create(engine, ada, workspace, name)
    upload = await assets.upload(engine, ada, workspace, "model", content_type=TEXT)

    with pytest.raises(UploadNotFound):
        await read_upload(engine, ada, workspace, "other", upload.id)


async def test_the_link_names_its_upload(engine, ada, workspace):
    """A link allows one method on one upload for an hour, and no other."""
    await assets.create(engine, ada, workspace, "model")
    upload = await assets.upload(engine, ada, workspace, "model", content_type=TEXT)
    promised = upload.created_at.timestamp()

    link = engine.links.verify(uploads.signed_link(engine, upload), method="PUT", now=promised + 3500)

    assert (link.kind, link.row, link.workspace) == (uploads.LINK_KIND, upload.id, workspace)
    for method, now in (("GET", promised), ("PUT", promised + 3601)):
        with pytest.raises(Forbidden):
            engine.links.verify(uploads.signed_link(engine, upload), method=method, now=now)


async def test_names_are_unique_in_a_workspace(engine, ada, cleo, workspace, team):
    """A second asset of the name is a conflict; another workspace may have one."""
    await assets.create(engine, ada, workspace, "model")

    with pytest.raises(AssetNameTaken):
        await assets.create(engine, ada, workspace, "model")

    await assets.create(engine, cleo, team.other_workspace, "model")


async def test_outsiders_see_no_asset(engine, ada, cleo, robot, workspace, team):
    """Neither by id nor by name, neither to read nor to write; nor does a robot see another workspace's."""
    asset = await assets.create(engine, ada, workspace, "model")
    theirs = await assets.create(engine, cleo, team.other_workspace, "theirs")
    upload = await assets.upload(engine, ada, workspace, "model", content_type=TEXT)

    for nothing in (
        read(engine, cleo, workspace, asset.id),
        read(engine, cleo, team.other_workspace, asset.id),
        read(engine, cleo, team.other_workspace, "model"),
        assets.delete(engine, cleo, team.other_workspace, asset.id),
        assets.upload(engine, cleo, team.other_workspace, asset.id, content_type=TEXT),
        assets.upload_inline(engine, cleo, team.other_workspace, asset.id, content_type=TEXT, data=b""),
        read_upload(engine, cleo, team.other_workspace, theirs.id, upload.id),
        read(engine, robot, team.other_workspace, theirs.id),
        read(engine, robot, workspace, theirs.id),
        assets.complete_upload(
            engine,
            scope_of(cleo, Permission.WRITE_ASSETS, team.other_workspace),
            upload.id,
            await engine.objects.put_bytes(b"x"),
        ),
    ):
        with pytest.raises(NotFound):
            await nothing
    assert [found.id for found in await listed(engine, cleo, team.other_workspace, limit=9)] == [theirs.id]


async def test_an_ended_step_run_has_no_assets(engine, ada, robot, workspace, end):
    """Its token opens none of the verbs."""
    asset = await assets.create(engine, robot, workspace, "model")
    await end(robot)

    for refused in (
        read(engine, robot, workspace, asset.id),
        listed(engine, robot, workspace, limit=9),
        assets.create(engine, robot, workspace, "other"),
        assets.delete(engine, robot, workspace, asset.id),
        assets.upload(engine, robot, workspace, asset.id, content_type=TEXT),
        assets.upload_inline(engine, robot, workspace, asset.id, content_type=TEXT, data=b"x"),
    ):
        with pytest.raises(Unauthenticated):
            await refused
    assert (await read(engine, ada, workspace, asset.id)).content is None


async def test_inline_content_has_a_size(engine, ada, workspace):
    """What is larger must come by the link; nothing is changed."""
    await assets.create(engine, ada, workspace, "model")

    with pytest.raises(AssetTooLarge):
        await assets.upload_inline(
            engine, ada, workspace, "model", content_type=TEXT, data=bytes(engine.limits.inline_asset_bytes + 1)
        )

    assert (await read(engine, ada, workspace, "model")).content is None


async def test_assets_are_listed_in_pages(engine, ada, workspace):
    """Pages follow each other without gap or repetition."""
    made = [await assets.create(engine, ada, workspace, f"asset {n}") for n in range(5)]

    first = await listed(engine, ada, workspace, limit=3)
    second = await listed(engine, ada, workspace, after=first[-1].id, limit=3)

    assert [*first, *second] == made


@pytest.mark.parametrize("name", ["a", "ä ö", "a/b/c", "/a", "name:a", "a/uploads", "%41", "a.b", "..a"])
def test_names_may_have_slashes(name):
    """Whatever a client can address is a name."""
    assert checked_asset_name(name) == name


@pytest.mark.parametrize("name", ["", " a", "a ", "a/", "a//b", "a\nb", "x" * 256, "a/../b", ".", "a\x1fb", "a\ufffd"])
def test_names_that_a_path_would_lose_are_refused(name):
    """An asset that nobody could address is not made."""
    with pytest.raises(AssetNameInvalid):
        checked_asset_name(name)


@pytest.mark.parametrize("content_type", [TEXT, "text/plain; charset=utf-8", 'a/b;c="d e"', "application/x-y+z"])
def test_media_types_are_taken(content_type):
    """Also with parameters."""
    assert checked_content_type(content_type) == content_type


@given(st.text(max_size=40))
def test_a_content_type_cannot_break_a_header(content_type):
    """What passes is printable ASCII with a slash; everything else is refused."""
    try:
        checked_content_type(content_type)
    except ContentTypeInvalid:
        return
    assert content_type.isascii()
    assert content_type.isprintable()
    assert "/" in content_type
