"""One of many in a form: a choice of few, else a typed name that is looked up, and refused where it names nothing."""

import re
from html import unescape

import pytest
from msgspec import Struct

from controlroom.engine.access.model import Role
from controlroom.engine.connections import actions as connections
from controlroom.engine.connections.model import PostgresSettings
from controlroom.engine.packages.actions import push
from controlroom.ids import uuid7
from controlroom.ui.asking import Fields
from controlroom.ui.pickers import picker
from controlroom.ui.pickers.known import ALL, BY_KEY
from live import robot_zip


@pytest.fixture
async def tasks(room, ada):
    """Two packages with tasks of the same name, and one task of another: their numbers, by what they are called."""
    for package, names in (("invoices", ["Read", "Write"]), ("orders", ["Read"])):
        blob = await room.engine.objects.put_bytes(robot_zip(*names))
        await push(room.engine, ada.actor, ada.workspace, package, blob)
    found = await room.engine.database.all(
        Made,
        """
        select package.name || ': ' || task.name as title, task.number
          from task join package on package.id = task.package_id where package.workspace_id = %(workspace)s
        """,
        workspace=ada.workspace,
    )
    return {each.title: each.number for each in found}


class Made(Struct):
    title: str
    number: int


def field_of(page, name):
    """The field of a form: its tag, and what is suggested."""
    tag = re.search(rf'<(?:input|select)[^>]* id="{name}"[^>]*>', page)[0]
    said = re.search(rf'<datalist id="of-{name}">(.*?)</datalist>', page, re.DOTALL)
    return unescape(tag), [unescape(each) for each in re.findall(r'value="([^"]*)"', said[1])] if said else None


async def test_few_are_chosen_and_many_are_typed(visit, workspace, tasks, monkeypatch):
    """All of few stand in the choice; of many the first are suggested, each as it is found again, by its number."""
    browser = await visit(workspace)
    tag, said = field_of(await browser.get("/assistants/new"), "task")
    assert (tag[:7], said) == ("<select", None)
    for title in tasks:
        assert title in await browser.get("/assistants/new")

    monkeypatch.setattr(picker, "FEW", 2)
    tag, said = field_of(await browser.get("/assistants/new"), "task")
    assert 'data-suggests="tasks"' in tag
    assert " required" in tag
    assert f"#{tasks['orders: Read']} orders: Read" in said


async def test_what_is_typed_is_looked_up(visit, workspace, tasks, monkeypatch):
    """By the number with whatever follows it, or the whole name; the form comes again with what was typed."""
    monkeypatch.setattr(picker, "FEW", 2)
    browser = await visit(workspace)
    refused = await browser.post("/assistants/new", status=422, name="A", task="Read")
    assert "There is no task “Read”" in refused.text
    assert field_of(refused.text, "task")[0].count('value="Read"') == 1
    wrong = await browser.post("/assistants/new", status=422, name="A", task="#999999999999")
    assert "There is no task" in wrong.text
    await browser.post("/assistants/new", name="A", task=f"#{tasks['orders: Read']} whatever stood beside it")
    made = await browser.post("/assistants/new", name="B", task="invoices: Write")
    here = made.headers["location"].removeprefix(browser.base)
    tag, _ = field_of(await browser.get(f"{here}/edit"), "task")
    assert f'value="#{tasks["invoices: Write"]} invoices: Write"' in tag, "what it has stands in the field"


async def test_one_of_several_with_a_name_is_named_by_its_number(visit, room, ada, workspace, process, monkeypatch):
    """The refusal tells the numbers."""
    db = room.engine.database
    insert = "insert into process (id, workspace_id, name) values (%(id)s, %(workspace)s, 'Invoices') returning number"
    twin = await db.value(insert, id=uuid7(), workspace=workspace)
    first = await db.value("select number from process where id = %(id)s", id=process)
    monkeypatch.setattr(picker, "FEW", 1)
    browser = await visit(workspace)
    refused = unescape((await browser.post("/items/new", status=422, process="Invoices", payload="{}")).text)
    assert all(f"#{number} Invoices" in refused for number in (first, twin))
    await browser.post("/items/new", process=f"#{first}", payload="{}", reference="typed")
    assert "typed" in await browser.get("/items?tab=all")


async def test_a_filter_is_typed_too(visit, workspace, process, monkeypatch):
    """An address that names one leads to the one with the id; the chip says its name."""
    monkeypatch.setattr(picker, "FEW", 0)
    browser = await visit(workspace)
    tag, _ = field_of(await browser.get("/runs"), "process")
    assert 'data-suggests="processes"' in tag
    for named in ("Invoices", "Invoices".ljust(12)):
        answer = await browser.http.get(f"{browser.base}/runs?process={named}", follow_redirects=True)
        assert f"process={process}" in str(answer.url)
        assert "<b>Invoices</b>" in answer.text
    await browser.get("/runs?process=nobodys", status=400)


async def test_what_is_suggested_is_what_the_asker_may_know_of(visit, room, ada, workspace, tasks, cleo):
    """Nobody hears of what is another workspace's, a viewer of no keys; nothing is suggested for a letter."""
    browser, outsider, viewer = (
        await visit(workspace),
        await visit(cleo.workspace),
        await visit(workspace, Role.VIEWER),
    )
    assert f"#{tasks['orders: Read']} orders: Read" in unescape(await browser.get("/suggested/tasks?q=ORDERS"))
    assert "<option" not in await outsider.get("/suggested/tasks?q=orders")
    assert "<option" not in await browser.get("/suggested/tasks?q=o")
    key = await ada.post("/api-keys", {"name": "a key of hers", "permissions": ["runs.read"]})
    assert "a key of hers" in await browser.get("/suggested/actors?q=of+hers"), key
    assert "a key of hers" not in await viewer.get("/suggested/actors?q=of+hers")
    await browser.get("/suggested/nothing", status=404)


async def test_a_connection_of_others_is_not_suggested(visit, govern, room, workspace):
    """Of connections those are offered that are used where somebody works; who governs them sees all."""
    name = f"Ledger {uuid7().hex}"
    await connections.create(room.engine, room.admin, name=name, settings=PostgresSettings(host="db", database="x"))
    admin, owner = await govern(workspace), await visit(workspace)
    assert name in await admin.get(f"/suggested/connections?q={name}")
    assert name not in await owner.get(f"/suggested/connections?q={name}")


@pytest.mark.parametrize("key", sorted(BY_KEY))
async def test_each_can_be_asked(visit, workspace, key):
    """Its statements hold, whoever asks: a word, a number, and what no name has."""
    browser = await visit(workspace)
    for text in ("ab", "%25_", "1234567", "%231234567", "'; --"):
        assert "Internal" not in await browser.get(f"/suggested/{key}?q={text}")


def test_keys_are_told_apart():
    """Each has an address of its own."""
    assert len(ALL) == len(BY_KEY)


def test_a_form_keeps_what_is_not_named():
    """`with_texts` changes the fields that it names, and no others."""
    fields = Fields([("a", "1"), ("b", " 2"), ("a", "3")])
    changed = fields.with_texts({"b": "x"})
    assert (changed.texts("a"), changed.text("b"), fields.text("b")) == (["1", "3"], "x", "2")
