"""Step runs and what they left, by the public API."""

from uuid import uuid4

import pytest

from controlroom.engine.access.model import Permission
from controlroom.engine.console import actions as console
from controlroom.engine.runs import reports
from controlroom.protocol import ErrorCode, PhaseKind, PhaseReport, PhaseReports, PhaseState


@pytest.fixture
async def assignment(ada, process, walt):
    """A step run in progress, of a run that ada has started."""
    await ada.post(f"/processes/{process}/process-runs")
    return await walt.take()


async def test_step_runs_are_told_in_the_documented_shape(ada, walt, assignment):
    """A step run has its step, its times and, when it failed, why."""
    path = f"/step-runs?process_run_id={assignment.run_id}"
    [running] = await ada.every(path)
    assert running["state"] == "in_progress"
    assert running["error"] is None
    assert running["step"] == {"id": str(assignment.step_id), "name": "read"}

    await walt.finish(assignment, ErrorCode.ROBOT_FAILED)

    ended = await ada.get(f"/step-runs/{assignment.step_run_id}")
    assert ended["state"] == "failed"
    assert ended["error"] == {"code": "ROBOT_FAILED", "message": "it broke"}
    assert ended["duration"] >= 0


async def test_step_runs_of_several_runs_are_one_list(ada, ben, cleo, process, walt, assignment):
    """Each tells its run, over pages; runs of others and unknown ones have none; more than a hundred are refused."""
    second = (await ada.post(f"/processes/{process}/process-runs"))["id"]
    theirs = uuid4()
    query = "&".join(f"process_run_id={each}" for each in (assignment.run_id, second, theirs))
    rows = await ben.every(f"/step-runs?{query}&limit=1")
    assert [row["process_run"]["id"] for row in rows] == [str(assignment.run_id), second]
    assert rows == await ada.every(f"/step-runs?{query}")
    one = await ada.every(f"/step-runs?process_run_id={second}")
    assert [{**row, "process_run": {"id": second}} for row in one] == rows[1:]
    assert await cleo.every(f"/step-runs?{query}") == []

    many = "&".join(f"process_run_id={uuid4()}" for _ in range(101))
    refused = await ada.call("GET", f"/step-runs?{many}")
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "FILTER_TOO_LARGE")


async def test_a_step_run_is_paused_and_resumed_by_who_may_start_runs(ada, ben, cleo, hire, walt, assignment):
    """It tells since when; once ended it is a conflict. Who only reads may not; an outsider finds none."""
    path = f"/step-runs/{assignment.step_run_id}"
    assert (await ada.get(path))["paused_at"] is None
    paused = await ben.post(f"{path}/pause")
    assert (paused["state"], paused["paused_at"] is not None) == ("in_progress", True)
    assert await ada.post(f"{path}/pause") == paused
    assert (await ada.post(f"{path}/resume"))["paused_at"] is None
    reader = await hire("rita", ada.workspace, frozenset({Permission.READ_RUNS}))
    for verb in ("pause", "resume"):
        assert (await reader.call("POST", f"{path}/{verb}")).status_code == 403
        assert (await cleo.call("POST", f"{path}/{verb}")).status_code == 404
        assert (await ada.call("POST", f"/step-runs/{uuid4()}/{verb}")).status_code == 404

    await walt.finish(assignment)
    for verb in ("pause", "resume"):
        refused = await ada.call("POST", f"{path}/{verb}")
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "STEP_RUN_NOT_PAUSABLE")


async def test_events_tell_what_happened(ada, walt, assignment):
    """The list of events of a step run ends with its end."""
    await walt.finish(assignment)

    events = await ada.every(f"/step-runs/{assignment.step_run_id}/events", limit=1)

    assert events
    assert {"timestamp", "event_type"} == set(events[0])
    assert "step_run.completed" in [event["event_type"] for event in events]


async def test_console_messages_come_line_by_line(room, ada, walt, assignment):
    """What was printed is read in pages of lines while the step run goes on, and again after it has ended."""
    lines = "".join(f"line {n} ä\n" for n in range(25))
    await console.append(
        room.engine,
        walt.actor,
        assignment.step_run_id,
        assignment.attempt,
        first=0,
        count=25,
        at=1_700_000_000.0,
        body=lines.encode(),
    )
    path = f"/step-runs/{assignment.step_run_id}/console-messages"

    messages = await ada.every(path, limit=10)

    assert [message["message"] for message in messages] == [f"line {n} ä" for n in range(25)]
    assert messages[0]["timestamp"] == "2023-11-14T22:13:20Z"
    assert [message["line_number"] for message in messages] == list(range(1, 26))


async def test_a_line_without_end_is_shown_to_who_asks(room, ada, walt, assignment):
    """Behind the last line of the last page stands what has no end yet; pages stay as they are for all others."""

    async def told(first: int, count: int, body: bytes, unfinished: bytes) -> None:
        step_run, attempt = assignment.step_run_id, assignment.attempt
        at = 1_700_000_000.0
        await console.append(
            room.engine,
            walt.actor,
            step_run,
            attempt,
            first=first,
            count=count,
            at=at,
            body=body,
            unfinished=unfinished,
        )

    path = f"/step-runs/{assignment.step_run_id}/console-messages"
    await told(0, 2, b"one\ntwo\n", b"50%")

    plain, asked = await ada.get(path), await ada.get(f"{path}?unfinished=true")
    first_page = await ada.get(f"{path}?unfinished=true&limit=1")

    assert set(plain) == {"next", "has_more", "data"}
    assert asked["data"] == plain["data"]
    assert asked["unfinished"] == {"timestamp": "2023-11-14T22:13:20Z", "message": "50%", "line_number": 3}
    assert first_page["unfinished"] is None
    await told(2, 1, b"100%\n", b"")
    assert (await ada.get(f"{path}?unfinished=true"))["unfinished"] is None
    await told(3, 0, b"", b"and then")
    assert (await ada.get(f"{path}?unfinished=true"))["unfinished"]["message"] == "and then"
    await walt.finish(assignment)
    assert (await ada.get(f"{path}?unfinished=true"))["unfinished"] is None


async def test_artifacts_are_listed_and_fetched(room, ada, walt, assignment, stranger):
    """An artifact has a link by which anybody who holds it may fetch it, as an attachment in a sandbox."""
    blob = await room.engine.objects.put_bytes(b"<script>")
    step_run, attempt = assignment.step_run_id, assignment.attempt
    await reports.add_artifacts(room.engine, walt.actor, step_run, attempt, {"sub/log.html": blob})
    path = f"/step-runs/{assignment.step_run_id}/artifacts"

    [artifact] = await ada.every(path)
    assert (artifact["name"], artifact["size"]) == ("sub/log.html", 8)
    shown = await ada.get(f"{path}/{artifact['id']}")
    answer = await stranger.get(shown["url"])

    assert answer.content == b"<script>"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts; default-src 'none'; ")
    assert "allow-same-origin" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert 'filename="log.html"' in answer.headers["content-disposition"]


@pytest.mark.parametrize(
    "what", ["", "/artifacts", "/artifacts/2de23069-367f-429f-806f-7f84300a9cd4", "/console-messages", "/events"]
)
async def test_what_is_not_there_is_not_found(ada, what):
    """A step run that does not exist has nothing."""
    answer = await ada.call("GET", f"/step-runs/{uuid4()}{what}")

    assert answer.status_code == 404


async def test_outsiders_see_no_step_run(ada, cleo, assignment):
    """Another workspace's key finds none of it through its own workspace."""
    for what in ("", "/artifacts", "/console-messages", "/events"):
        answer = await cleo.call("GET", f"/step-runs/{assignment.step_run_id}{what}")
        assert answer.status_code == 404, what


@pytest.fixture
async def commands(ada, process, walt):
    """A step run of two commands that the worker is at."""
    words = [{"name": name, "words": ["tool", name]} for name in ("deps", "build")]
    step = {"name": "run", "commands": {"package_name": "robot", "list": words}}
    made = await ada.post("/processes", {"name": "Shop", "steps": [step]})
    await ada.post(f"/processes/{made['id']}/process-runs")
    return await walt.take()


async def test_phases_are_told_with_their_part_of_the_console(room, ada, cleo, walt, commands):
    """Each phase has its lines and files, which are asked for by its id; one that runs shows what has come."""
    of, attempt = commands.step_run_id, commands.attempt
    serving = (room.engine, walt.actor, of, attempt)
    told = (
        PhaseReport(
            position=0, kind=PhaseKind.ENVIRONMENT, name="environment", state=PhaseState.SUCCEEDED, first_line=0
        ),
        PhaseReport(
            position=1,
            kind=PhaseKind.COMMAND,
            name="deps",
            state=PhaseState.FAILED,
            started_at=10.0,
            ended_at=12.5,
            first_line=0,
            last_line=1,
            exit_code=3,
            message="it broke",
        ),
        PhaseReport(
            position=2,
            kind=PhaseKind.COMMAND,
            name="build",
            state=PhaseState.IN_PROGRESS,
            first_line=2,
            started_at=12.5,
        ),
        PhaseReport(position=3, kind=PhaseKind.COMMAND, name="tidy", state=PhaseState.WAITING),
    )
    await reports.report_phases(*serving, PhaseReports(told))
    await console.append(*serving, first=0, count=3, at=11.0, body=b"one\ntwo\nthree\n")
    for position, content in ((1, b"1"), (2, b"22")):
        blob = await room.engine.objects.put_bytes(content)
        await reports.add_artifacts(*serving, {"result.json": blob}, phase=position)

    phases = await ada.every(f"/step-runs/{of}/phases", limit=3)

    assert [(each["name"], each["state"], each["console_lines"]) for each in phases] == [
        ("environment", "succeeded", 0),
        ("deps", "failed", 2),
        ("build", "in_progress", None),
        ("tidy", "waiting", 0),
    ]
    assert [each["first_line"] for each in phases] == [1, 1, 3, None]
    deps, build, tidy = phases[1:]
    assert (deps["exit_code"], deps["message"], deps["duration"], deps["attempt"]) == (3, "it broke", 2.5, 1)
    for phase, lines in ((deps, ["one", "two"]), (build, ["three"]), (tidy, [])):
        rows = await ada.every(f"/step-runs/{of}/console-messages", phase=phase["id"], limit=1)
        assert [row["message"] for row in rows] == lines
    artifacts = await ada.every(f"/step-runs/{of}/artifacts")
    assert [each["phase"] for each in artifacts] == [{"id": each["id"], "name": each["name"]} for each in (deps, build)]
    [second] = await ada.every(f"/step-runs/{of}/artifacts", phase=build["id"])
    assert (await ada.get(f"/step-runs/{of}/artifacts/{second['id']}"))["phase"] == second["phase"]
    for path in ("phases", f"console-messages?phase={of}"):
        assert (await ada.call("GET", f"/step-runs/{of}/{path}")).status_code == (404 if "?" in path else 200)
        assert (await cleo.call("GET", f"/step-runs/{of}/{path}")).status_code == 404
