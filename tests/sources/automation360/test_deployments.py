"""Executions are put together as the deploys that they are of, and what bots put out as rows."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from controlroom.sources.automation360.deployments import OPEN, put_together, status_of
from controlroom.sources.automation360.values import held_by, outputs_of

FINAL = ("COMPLETED", "RUN_FAILED", "RUN_ABORTED", "RUN_TIMED_OUT", "DEPLOY_FAILED")
statuses = st.lists(st.sampled_from((*OPEN, *FINAL)), min_size=1, max_size=6)


def execution(number: int, deployment: str, status: str) -> dict:
    """An execution that was made, began and ended in the minute of its number."""
    at = f"2026-11-01T00:{number:02d}"
    ended = f"{at}:02.000Z" if status in FINAL else ""
    return {
        "id": f"{number}",
        "deploymentId": deployment,
        "status": status,
        "createdOn": f"{at}:00.000Z",
        "startDateTime": f"{at}:01.000Z",
        "endDateTime": ended,
        "fileId": "7",
        "createdBy": "0",
    }


@given(st.lists(statuses, max_size=4))
def test_each_execution_is_counted_in_its_deploy_once(deploys):
    """Whatever they come to: counts add up, times are those of the first and the last."""
    executions = [
        execution(position, f"d{number}", status)
        for number, several in enumerate(deploys)
        for position, status in enumerate(several)
    ]
    told = {each["id"]: each for each in put_together(reversed(executions))}

    assert told.keys() == {f"d{number}" for number in range(len(deploys))}
    for number, several in enumerate(deploys):
        row = told[f"d{number}"]
        parts = ("active_count", "completed_count", "failed_count", "aborted_count")
        assert sum(row[part] for part in parts) == row["execution_count"] == len(several)
        assert row["created_on"] == "2026-11-01T00:00:00.000Z"
        assert (row["ended_on"] is None) == any(status in OPEN for status in several)
        assert (row["file_id"], row["created_by"]) == (7, None)
        if row["ended_on"] is not None:
            assert row["ended_on"] == f"2026-11-01T00:{len(several) - 1:02d}:02.000Z"


def test_a_deploy_stands_as_its_worst_execution_does():
    """It goes on while one does, and has failed where one has."""
    for several, expected in (
        (("QUEUED", "QUEUED"), "QUEUED"),
        (("QUEUED", "COMPLETED"), "RUNNING"),
        (("RUN_PAUSED",), "RUNNING"),
        (("COMPLETED", "COMPLETED"), "COMPLETED"),
        (("COMPLETED", "RUN_TIMED_OUT", "RUN_ABORTED"), "RUN_FAILED"),
        (("COMPLETED", "RUN_ABORTED"), "RUN_ABORTED"),
    ):
        assert status_of(Counter(several)) == expected


def test_what_a_bot_puts_out_is_a_row_a_variable():
    """Values in each of their slots, and what is no Value at all."""
    assert held_by({"type": "STRING", "string": "Ada", "number": ""}) == ("STRING", "Ada")
    assert held_by({"type": "NUMBER", "number": "", "string": "5"}) == ("NUMBER", "5")
    assert held_by({"type": "BOOLEAN", "boolean": False}) == ("BOOLEAN", False)
    assert held_by(7) == ("NUMBER", 7)
    told = {"id": "e", "botOutVariables": {"values": {"n": {"type": "NUMBER", "number": "2.5"}, "b": True}}}
    rows = {each["name"]: each for each in outputs_of(told)}
    assert (rows["n"]["number"], rows["n"]["value"], rows["b"]["value"]) == (2.5, "2.5", "true")
    assert list(outputs_of({"id": "e"})) == []
