"""API access in the console: keys are made, seen, edited and deleted, and code is tried without doing anything."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.engine.access.actions import create_api_key
from controlroom.engine.access.credentials import authenticate_api_key, flush_uses
from controlroom.engine.access.model import EVERYTHING, OF_ORGANIZATION, Permission, Role
from controlroom.engine.access.scope import scope_of
from controlroom.ui.connect.colours import coloured
from controlroom.ui.connect.ways import WAYS, Facts, changes
from controlroom.ui.permissions import OF_A_WORKSPACE, OF_KEYS, OF_THE_ORGANIZATION, said, tags_of
from hypertext import links

FACTS = Facts(
    url="https://room.example",
    workspace_id="WS",
    account=7,
    key="erp",
    process='It\'s "one"',
    process_id="P",
    process_number=4,
    username='o"hara',
)


async def events(room, key, kind):
    return await room.engine.database.value(
        "select count(*) from event where kind = %(kind)s and subject_id = %(key)s", kind=kind, key=key
    )


def value_in(page):
    return re.search(r'id="value">(\w+)<', page)[1]


async def test_a_key_is_made_shown_edited_and_deleted(visit, workspace, room):
    """Its value is in the page that makes it and in no other, until somebody asks for it by a verb that is recorded."""
    browser = await visit(workspace)
    made = await browser.post("/connect/keys", 200, name="erp-bridge", may=Permission.START_RUNS.value)
    value = value_in(made.text)
    key = (await authenticate_api_key(room.engine, value)).id

    page = await browser.get("/connect")
    assert "erp-bridge" in page
    assert "start runs" in page
    assert value not in page
    path = next(each for each in links(page) if re.search(r"/connect/keys/\d+$", each)).removeprefix(browser.base)
    await browser.get(f"{path}/value?part=dialog")
    assert await events(room, key, "api_key.revealed") == 0
    assert value_in((await browser.post(f"{path}/value", 200)).text) == value
    assert await events(room, key, "api_key.revealed") == 1

    await browser.post(path, name="erp", may=Permission.READ_RUNS.value)
    assert "read runs" in await browser.get("/connect?q=ERP")
    assert "No key is called so" in await browser.get("/connect?q=nothing")
    await browser.post(f"{path}/delete")
    await browser.get(path, status=404)


async def test_a_form_that_is_not_right_is_shown_again(visit, workspace):
    """It says what is missing, and keeps what was typed."""
    browser = await visit(workspace)
    page = (await browser.post("/connect/keys", 400, name="typed so")).text
    assert "tick something" in page
    assert 'value="typed so"' in page


async def test_a_key_is_offered_what_it_has_used(visit, workspace, room, ada):
    """The form ticks that alone where it is asked, and says what was not used."""
    browser = await visit(workspace)
    may = [Permission.READ_RUNS, Permission.READ_ASSETS]
    key, value = await create_api_key(room.engine, ada.actor, ada.workspace, name="k", permissions=may)
    actor = await authenticate_api_key(room.engine, value)
    scope_of(actor, Permission.READ_RUNS, ada.workspace)
    await flush_uses(room.engine)

    page = await browser.get(f"/connect/keys/{key.number}?only=used")

    assert "read assets" in page
    assert re.search(r'value="runs.read" checked', page)
    assert re.search(r'value="assets.read">', page)


async def test_the_try_reads_with_the_keys_own_rights(visit, workspace, room, ada, process):
    """What the key may not, the try is refused; that it was tried is recorded, and nothing was started."""
    browser = await visit(workspace)
    make = room.engine, ada.actor, ada.workspace
    reads, _ = await create_api_key(*make, name="reads", permissions=[Permission.READ_PROCESSES])
    starts, _ = await create_api_key(*make, name="starts", permissions=[Permission.START_RUNS])

    assert "<b>200</b>" in (await browser.post("/connect/try", 200, way="python", key=str(reads.number))).text
    assert "<b>403</b>" in (await browser.post("/connect/try", 200, way="curl", key=str(starts.number))).text
    assert "<b>200</b>" in (await browser.post("/connect/try", 200, way="automation360")).text
    assert await events(room, reads.id, "api_key.tried") == 1
    assert "No runs yet" in await browser.get("/runs")


async def test_who_may_not_see_keys_sees_none(visit, workspace, room, ada, cleo):
    """An operator is told which right is missing, and an outsider of nothing."""
    key, _ = await create_api_key(room.engine, ada.actor, ada.workspace, name="k", permissions=[Permission.READ_RUNS])
    operator, outsider = await visit(workspace, Role.OPERATOR), await visit(cleo.workspace)
    await operator.get("/connect", status=403)
    for path in (
        f"/connect/keys/{key.number}",
        f"/connect/keys/{key.number}/value",
        f"/connect/keys/{key.number}/delete",
    ):
        await operator.get(path, status=403)
        await outsider.get(path, status=404)
    await operator.post("/connect/try", 403, way="python", key=str(key.number))
    await outsider.post(f"/connect/keys/{key.number}/value", 404)
    await operator.post(f"/connect/keys/{key.number}/delete", 403)


def test_every_permission_is_a_box_and_has_a_word():
    """None is missing in the grids, and none stands in them twice."""
    boxes = [box.permission for line in OF_A_WORKSPACE for box in line.boxes]
    assert sorted(boxes) == sorted(EVERYTHING)
    assert {box.permission for line in OF_THE_ORGANIZATION for box in line.boxes} == OF_ORGANIZATION
    assert {box.permission for line in OF_KEYS for box in line.boxes} == EVERYTHING - {Permission.DELETE_RUNS}
    assert len({said(each.value) for each in Permission}) == len(Permission)
    assert tags_of([each.value for each in EVERYTHING]) == (["everything"], 0)
    assert tags_of(["runs.read", "runs.start"]) == (["start runs", "read runs"], 0)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.key)
def test_code_is_whole_and_has_no_key(way):
    """Python compiles whatever things are called; and joined the coloured pieces are the code."""
    code = way.code(FACTS)
    if way.language == "python":
        compile(code, way.key, "exec")
    assert "".join(piece.text for piece in coloured(code, way.language)) == code
    assert {piece.kind for piece in coloured(code, way.language)} <= {"", "word", "text", "note", "number"}


@given(st.text(alphabet="#\"' \nimport-f{}\\12"), st.sampled_from(["python", "sh"]))
def test_colours_lose_nothing(code, language):
    """Whatever the code is."""
    assert "".join(piece.text for piece in coloured(code, language)) == code


def test_each_vendor_is_told_what_to_change():
    """With this room's own names."""
    assert {each.vendor for each in changes(FACTS)} == {"Robocorp", "Automation 360", "dbt Cloud"}
    assert any(each.then == "7" for each in changes(FACTS))
