"""Tasks that are kept ready, in the browser: made, changed, let go, and undone."""

from controlroom.engine.access.model import Role
from controlroom.engine.access.scope import Room as EveryTenant
from controlroom.engine.allocations import store
from controlroom.engine.locks.model import LockName
from controlroom.engine.runs import actions as runs
from controlroom.engine.runs.dispatch import dispatch
from controlroom.engine.runs.model import OneEmptyItem
from controlroom.engine.runs.parameters import RunParameters
from controlroom.ids import TaskId


async def test_a_task_is_kept_ready_and_let_go(room, visit, workspace, process, cleo, ada):
    """As whom and for how many calls at once is changed; its page says who calls it now."""
    browser, viewer, outsider = await visit(workspace), await visit(workspace, Role.VIEWER), await visit(cleo.workspace)
    assert "No task is kept ready" in await browser.get("/allocations")
    form = await browser.get("/allocations/new")
    task = form.partition('<option value="" selected>')[2].split('value="')[1].split('"')[0]
    for wrong, said in (
        ({"most": "many"}, "whole number"),
        ({"most": "0"}, "1 to 1,000"),
        ({"run_as": "nobody-of-this-name"}, "nobody-of-this-name"),
        ({"task": ""}, "Choose the task"),
    ):
        answer = await browser.post("/allocations/new", status=422, **({"task": task, "most": "2"} | wrong))
        assert said in answer.text, wrong

    made = await browser.post("/allocations/new", task=task, most="2", run_as=browser.username)
    here = made.headers["location"].removeprefix(browser.base)
    page = await browser.get(here)
    assert f"as {browser.username}" in page
    assert "2 calls at once" in page
    assert "Nobody calls it now" in page
    await browser.post(f"{here}/edit", most="1", run_as="")
    page = await browser.get(here)
    assert "1 call at once" in page
    assert "as nobody in particular" in page
    assert "Let it go" not in await viewer.get(here)
    await viewer.get(f"{here}/edit", status=403)
    await viewer.post(f"{here}/delete", status=403)
    await outsider.get(here, status=404)

    kept = await store.of_task(room.engine.database, ada.seen, TaskId(task))
    locks = (LockName(kept.lock),)
    for _ in range(2):
        called = await runs.start_task(
            room.engine, ada.actor, ada.workspace, TaskId(task), OneEmptyItem(), RunParameters(locks=locks)
        )
        await dispatch(room.engine, EveryTenant(), called.id)
    page = await browser.get(f"{here}?part=calls")
    assert "1 of 1 under way, 1 waits" in page
    assert "waits, number 1 in line" in page

    await browser.post(f"{here}/delete")
    offered = await browser.get("/allocations")
    assert f'action="{browser.base}/allocations/new"' in offered
    assert f'name="task" value="{task}"' in offered
    await browser.get(here, status=404)
