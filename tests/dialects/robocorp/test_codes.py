"""Error codes: the engine's words become those that clients have always read, every one and by one table."""

from uuid import UUID

import pytest

from contract.robocorp.codes import engine_codes
from contract.robocorp.coverage import DOCUMENT
from controlroom.dialects.robocorp.codes import RENAMED, asked_codes, told, told_exception
from controlroom.engine.access.names import checked_name
from controlroom.engine.packages.errors import PackageInUse, PackageNameTaken, PackageNotFound
from controlroom.engine.packages.sources import SourceNotFound
from controlroom.engine.runs.errors import RunNotEnded, RunNotFound, StepRunNotFound
from controlroom.engine.runs.model import RunState
from controlroom.engine.work_items.model import ExceptionType, ItemException
from controlroom.errors import ControlRoomError, Invalid

ID = UUID(int=7)


def test_every_code_of_the_engine_is_told_as_documented():
    """What a client may read stands in the document; a code that the engine renames and the table forgets does not."""
    documented = DOCUMENT.read_text(encoding="utf-8")

    assert [code for code in engine_codes() if f"`{told(code, '')[0]}`" not in documented] == []


def test_every_row_of_the_table_is_of_a_code_that_there_is():
    """No row is left behind, and the engine never says what only clients are told."""
    assert RENAMED.keys() <= engine_codes() | {"RUN_STOPPED", "INTERNAL"}
    assert not {said.code for code, said in RENAMED.items() if said.code != code} & engine_codes()


@pytest.mark.parametrize(
    ("failure", "code", "message"),
    [
        (RunNotFound(ID), "PROCESS_RUN_NOT_FOUND", f"there is no process run {ID}"),
        (RunNotEnded(ID, RunState.NEW), "PROCESS_RUN_NOT_ENDED", f"process run {ID} is new: stop it first"),
        (StepRunNotFound(ID), "STEP_RUN_NOT_FOUND", f"there is no step run {ID}"),
        (PackageNotFound("a package"), "TASK_PACKAGE_NOT_FOUND", "there is no task package a package"),
        (PackageNameTaken("a package"), "PACKAGE_NAME_TAKEN", "there is a task package 'a package' already"),
        (PackageInUse(ID, ["the package"]), "PACKAGE_IN_USE", "the task package is used by the package"),
        (SourceNotFound(ID), "PACKAGE_SOURCE_NOT_FOUND", f"task package {ID} has no git source"),
    ],
)
def test_messages_are_in_the_words_of_clients(failure: ControlRoomError, code: str, message: str):
    """Runs and packages are told as process runs and task packages; what somebody named is left as it is."""
    assert told(failure.code, failure.message) == (code, message)


def test_a_wrong_name_is_told_in_the_words_of_clients():
    """The name of a package is that of a task package; of any other noun as it is."""
    for what, said in (("package's name", "a task package's name"), ("name", "a name")):
        with pytest.raises(Invalid) as wrong:
            checked_name("", what=what)
        _, message = told(wrong.value.code, wrong.value.message)
        assert message == f"{said} is not empty and neither begins nor ends with a space"


def test_only_what_the_engine_decided_about_an_item_is_renamed():
    """A robot's own code is its own, whatever it is called; rows of before have the word of clients already."""
    stopped = ItemException(ExceptionType.ORCHESTRATOR, "RUN_STOPPED", "The run was stopped: The run is wrong")
    before = ItemException(ExceptionType.ORCHESTRATOR, "PROCESS_RUN_STOPPED", "The process run was stopped.")
    own = ItemException(ExceptionType.BUSINESS, "RUN_STOPPED", "The run was stopped.")

    told_stopped = told_exception(stopped)

    assert (told_stopped.code, told_stopped.message) == (before.code, "The process run was stopped: The run is wrong")
    assert told_exception(before) == before
    assert told_exception(own) == own
    assert asked_codes("PROCESS_RUN_STOPPED") == ("RUN_STOPPED", "PROCESS_RUN_STOPPED")
    assert asked_codes("NAME_INVALID") == ("NAME_INVALID",)
    assert asked_codes("E_MINE") == ("E_MINE",)


async def test_items_that_a_stop_failed_are_found_by_their_code(ada, process, room):
    """An item of today's and one of a release before are shown and found alike."""
    run = (await ada.post(f"/processes/{process}/process-runs", {"type": "with_payloads", "payloads": [1, 2]}))["id"]
    wish = {"set_remaining_work_items_as_done": False, "terminate_ongoing_activity_runs": True, "reason": "enough"}
    await ada.post(f"/process-runs/{run}/stop", wish)
    [old, _] = await ada.every("/work-items", process_run_id=run)
    await room.engine.database.execute(
        "update work_item set exception_code = 'PROCESS_RUN_STOPPED' where id = %(item)s", item=old["id"]
    )

    shown = await ada.every("/work-items", process_run_id=run)
    found = await ada.post(
        "/work-items/bulk",
        {"operation": "retry", "preview": True, "filter": {"exception_code": "PROCESS_RUN_STOPPED"}},
    )

    assert {item["exception"]["code"] for item in shown} == {"PROCESS_RUN_STOPPED"}
    assert shown[1]["exception"]["message"] == "The process run was stopped: enough"
    assert found == {"matched": 2, "would_touch": 2}
