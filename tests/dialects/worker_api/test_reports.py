"""What a worker fetches and reports for an attempt."""

import hashlib

import msgspec
import pytest

from controlroom.engine.console.reading import read
from controlroom.engine.runs import store as runs
from controlroom.engine.runs.model import StepRunState
from controlroom.protocol import (
    SMALL_ARTIFACTS_BYTES,
    ErrorCode,
    Finish,
    OpenSession,
    PhaseKind,
    PhaseReport,
    PhaseReports,
    PhaseState,
    Return,
    SandboxKind,
    SmallArtifact,
    SmallArtifacts,
    StepRunError,
)
from controlroom.worker.server import Refused, Server


def of(assignment) -> str:
    """The path of an attempt."""
    return f"/step-runs/{assignment.step_run_id}/attempts/{assignment.attempt}"


async def artifacts(room, ada, assignment):
    """The artifacts of a step run, by name."""
    found = await runs.list_artifacts(room.engine.database, ada.seen, assignment.step_run_id, limit=10)
    return {artifact.name: artifact for artifact in found}


async def test_a_package_is_streamed_to_workers_of_its_workspace(walt, stray, assignment):
    """The zip comes as it was pushed, with its length; another workspace's worker gets none."""
    answer = await walt.call("GET", f"/packages/{assignment.package.hash}")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    assert int(answer.headers["content-length"]) == assignment.package.size == len(answer.content)
    assert hashlib.sha256(answer.content).hexdigest() == assignment.package.hash
    for wire, digest in ((stray, assignment.package.hash), (walt, "0" * 64), (walt, "..%2f..%2fetc"), (walt, "x")):
        assert (await wire.call("GET", f"/packages/{digest}")).status_code == 404


async def test_phases_are_shown_as_reported(room, ada, walt, assignment):
    """A phase is written as it stands, again and again."""
    for state in (PhaseState.IN_PROGRESS, PhaseState.SUCCEEDED):
        report = PhaseReports((PhaseReport(position=0, kind=PhaseKind.ENVIRONMENT, name="environment", state=state),))
        assert (await walt.call("POST", f"{of(assignment)}/phases", report)).status_code == 200

    [phase] = await runs.list_phases(room.engine.database, ada.seen, assignment.step_run_id)
    assert (phase.name, phase.state) == ("environment", "succeeded")


async def test_console_lines_arrive_raw(room, ada, walt, assignment):
    """A batch is its body; what is wrong with one is told with the line that comes next."""
    body = "Grüß Gott\n\n".encode()
    path = f"{of(assignment)}/console"

    assert (await walt.call("POST", path, body, first=0, count=2, at=1_700_000_000.5)).status_code == 200
    assert (await walt.call("POST", path, body, first=0, count=2, at=1_700_000_000.5)).status_code == 200
    gap = await walt.call("POST", path, body, first=7, count=2, at=1_700_000_000.5)

    assert (gap.status_code, gap.json()["error"]["code"], gap.json()["error"]["have"]) == (409, "CONSOLE_GAP", 2)
    lines = await read(room.engine, ada.seen, assignment.step_run_id, limit=10)
    assert [line.text for line in lines] == ["Grüß Gott", ""]


@pytest.mark.parametrize(
    ("body", "params"),
    [
        (b"x\n", {"first": 0, "count": 2, "at": 0}),
        (b"x\n", {"first": "a", "count": 1, "at": 0}),
        (b"x\n", {"count": 1, "at": 0}),
        (b"x\n", {"first": 0, "count": 1, "at": "nan"}),
        (b"x\n", {"first": 10**30, "count": 1, "at": 0}),
        (b"x", {"first": 0, "count": 1, "at": 0}),
        (b"\xff\n", {"first": 0, "count": 1, "at": 0}),
        (b"", {"first": 0, "count": 0, "at": 0}),
        (b"x", {"first": 0, "count": 0, "at": 0, "unfinished": 2}),
        (b"x\n", {"first": 0, "count": 1, "at": 0, "unfinished": 2}),
        (b"x\ny", {"first": 0, "count": 1, "at": 0, "unfinished": -1}),
    ],
)
async def test_a_wrong_batch_is_refused(walt, assignment, body, params):
    """A batch that is not what it says it is, or says it wrongly, is answered with 400."""
    answer = await walt.call("POST", f"{of(assignment)}/console", body, **params)
    assert answer.status_code == 400, answer.text


async def test_a_batch_over_the_limit_is_refused(walt, assignment, room):
    """A batch is no larger than the limit, whatever the server takes otherwise."""
    body = b"x" * room.engine.limits.console_batch_bytes + b"\n"
    answer = await walt.call("POST", f"{of(assignment)}/console", body, first=0, count=1, at=0)
    assert answer.status_code in {400, 413}


async def test_artifacts_are_streamed_and_may_be_sent_again(room, ada, walt, assignment):
    """An artifact keeps its relative name and its bytes; the last content of a name counts."""
    large = b"0123456789" * 400_000
    for name, content in (
        ("log.html", b"first"),
        ("log.html", b"second"),
        ("pictures/süß 1%.png", large),
        ("empty", b""),
    ):
        path = f"{of(assignment)}/artifacts/{name.replace('%', '%25')}"
        assert (await walt.call("PUT", path, content, size=len(content))).status_code == 200

    found = await artifacts(room, ada, assignment)
    assert {name: artifact.size for name, artifact in found.items()} == {
        "log.html": 6,
        "pictures/süß 1%.png": len(large),
        "empty": 0,
    }
    assert await room.engine.objects.read(found["log.html"].hash) == b"second"


@pytest.mark.parametrize("name", ["..%2Fx", "a%2F..%2F..%2Fx", "a%5C..%5Cb", "a%00b", "C%3A%2Fx", "a%0Ab"])
async def test_an_artifacts_name_leads_nowhere_else(room, ada, walt, assignment, name):
    """Names that climb, or mean something else on another system, are refused, and nothing is stored."""
    answer = await walt.call("PUT", f"{of(assignment)}/artifacts/{name}", b"x", size=1)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "ARTIFACT_NAME_INVALID")
    assert await artifacts(room, ada, assignment) == {}


@pytest.mark.parametrize("size", [0, 2, 10**12, "x", None])
async def test_an_artifact_has_the_announced_size(room, ada, walt, assignment, size):
    """An artifact that is longer or shorter than it says is not stored."""
    params = {} if size is None else {"size": size}
    answer = await walt.call("PUT", f"{of(assignment)}/artifacts/log.html", b"x", **params)

    assert answer.status_code == 400
    assert await artifacts(room, ada, assignment) == {}


async def test_a_file_that_is_too_large_is_not_sent(room, walt, assignment):
    """A petabyte of holes hangs no step run: the worker knows the limit, and the server refuses what is announced."""

    async def zeros():
        raise AssertionError("it was sent")
        yield b""

    info = OpenSession(slots=1, version="1", platform="test", sandbox=SandboxKind.OFF)
    async with Server(room.url, walt.linked.token) as client:
        await client.open_session(info)
        with pytest.raises(Refused, match="larger than"):
            await client.attempt(assignment).artifact("sparse", 1 << 50, zeros)
    answer = await walt.call("PUT", f"{of(assignment)}/artifacts/sparse", b"x", size=1 << 50)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "OBJECT_TOO_LARGE")


async def test_small_artifacts_come_together(room, ada, walt, assignment):
    """Several small files in one report are all there; the same report again is fine."""
    small = SmallArtifacts((SmallArtifact("log.html", b"first"), SmallArtifact("pictures/süß.png", b"")))
    for _ in range(2):
        answer = await walt.call("POST", f"{of(assignment)}/artifacts", msgspec.msgpack.encode(small))
        assert answer.status_code == 200

    found = await artifacts(room, ada, assignment)
    assert {name: artifact.size for name, artifact in found.items()} == {"log.html": 5, "pictures/süß.png": 0}
    assert await room.engine.objects.read(found["log.html"].hash) == b"first"


FINE = SmallArtifact("fine", b"x")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (msgspec.msgpack.encode(SmallArtifacts((FINE, SmallArtifact("../x", b"x")))), "ARTIFACT_NAME_INVALID"),
        (msgspec.msgpack.encode(SmallArtifacts((FINE, FINE))), "ARTIFACTS_INVALID"),
        (msgspec.msgpack.encode(SmallArtifacts(())), "ARTIFACTS_INVALID"),
        (msgspec.msgpack.encode({"artifacts": [{"name": 1, "content": b""}]}), "ARTIFACTS_INVALID"),
        (
            msgspec.msgpack.encode(SmallArtifacts((FINE, SmallArtifact("x", b"x" * SMALL_ARTIFACTS_BYTES)))),
            "ARTIFACTS_INVALID",
        ),
        (b"\xff\x00", "ARTIFACTS_INVALID"),
        (b"", "ARTIFACTS_INVALID"),
    ],
    ids=["a name", "a name twice", "none", "types", "too much", "noise", "nothing"],
)
async def test_small_artifacts_are_all_taken_or_none(room, ada, walt, assignment, body, code):
    """One that is wrong, and none of them is stored."""
    answer = await walt.call("POST", f"{of(assignment)}/artifacts", body)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
    assert await artifacts(room, ada, assignment) == {}


async def test_a_step_run_leaves_so_many_artifacts_and_no_more(room, walt, assignment):
    """What would pass the limit is refused; what is there already may be sent again at the limit."""
    most = room.engine.limits.artifacts
    await room.engine.database.execute(
        """
        insert into artifact (id, workspace_id, step_run_id, attempt, name, size, hash)
        select gen_random_uuid(), workspace_id, id, attempt, 'file-' || file, 0, repeat('0', 64)
          from step_run, generate_series(1, %(many)s) as file
         where id = %(step_run)s
        """,
        step_run=assignment.step_run_id,
        many=most - 1,
    )

    for names, status in ((["one", "two"], 400), (["one", "file-1"], 200), (["one", "file-2"], 200), (["two"], 400)):
        small = SmallArtifacts(tuple(SmallArtifact(name, b"x") for name in names))
        answer = await walt.call("POST", f"{of(assignment)}/artifacts", msgspec.msgpack.encode(small))
        assert answer.status_code == status, answer.text


async def test_the_end_is_told_once_and_may_be_repeated(room, ada, walt, assignment):
    """A finished attempt is ended as told; the same report again is fine."""
    report = Finish(exit_code=1, error=StepRunError(ErrorCode.ROBOT_FAILED, "it broke"))

    for _ in range(2):
        assert (await walt.call("POST", f"{of(assignment)}/finish", report)).status_code == 200

    found = await runs.get_step_run(room.engine.database, ada.seen, assignment.step_run_id)
    assert (found.state, found.error_code, found.exit_code) == (StepRunState.FAILED, ErrorCode.ROBOT_FAILED, 1)


async def test_an_end_waits_for_its_lines(walt, assignment):
    """Whoever says that lines were sent which are not there is told how many are."""
    answer = await walt.call("POST", f"{of(assignment)}/finish", Finish(exit_code=0, console_lines=3))

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "CONSOLE_INCOMPLETE")
    assert answer.json()["error"]["have"] == 0


async def test_what_could_not_be_begun_is_the_next_workers(room, ada, walt, wanda, assignment):
    """A step run that is given back is another worker's at once, with its item, even after the phases were told."""
    begun = PhaseReport(position=1, kind=PhaseKind.TASK, name="x", state=PhaseState.IN_PROGRESS)
    await walt.call("POST", f"{of(assignment)}/phases", PhaseReports((begun,)))

    answer = await walt.call("POST", f"{of(assignment)}/return", Return("the disk is full"))
    again = await walt.call("POST", f"{of(assignment)}/return", Return("the disk is full"))

    assert answer.status_code == 200
    assert (again.status_code, again.json()["error"]["code"]) == (409, "SUPERSEDED")
    [given] = await wanda.claim()
    assert (given.step_run_id, given.attempt) == (assignment.step_run_id, assignment.attempt + 1)
    assert given.work_item_id == assignment.work_item_id
    assert (await wanda.call("POST", f"{of(given)}/finish", Finish(exit_code=0))).status_code == 200
    found = await runs.get_step_run(room.engine.database, ada.seen, assignment.step_run_id)
    assert found.state is StepRunState.COMPLETED


async def test_what_no_worker_can_begin_is_not_tried_for_ever(room, ada, walt, assignment):
    """The tenth time it is given back, the step run has failed and says what the worker said."""
    for time in range(1, 11):
        assert (await walt.call("POST", f"{of(assignment)}/return", Return("no\0 luck"))).status_code == 200
        if time < 10:
            [assignment] = await walt.claim()

    found = await runs.get_step_run(room.engine.database, ada.seen, assignment.step_run_id)
    assert (found.state, found.error_code) == (StepRunState.FAILED, ErrorCode.WORKER_LOST)
    assert found.error_message == "10 times no worker could begin it, at last: no luck"
    assert await walt.claim() == []


async def test_only_the_worker_that_has_the_attempt_reports(walt, wanda, stray, assignment):
    """Another worker, another workspace's worker, another attempt: each report is superseded."""
    other = assignment.attempt + 1
    phases = PhaseReports((PhaseReport(position=0, kind=PhaseKind.TASK, name="x", state=PhaseState.IN_PROGRESS),))
    for wire, path in (
        (wanda, of(assignment)),
        (stray, of(assignment)),
        (walt, f"/step-runs/{assignment.step_run_id}/attempts/{other}"),
    ):
        for method, what, body, params in (
            ("POST", "phases", phases, {}),
            ("POST", "console", b"x\n", {"first": 0, "count": 1, "at": 0}),
            ("PUT", "artifacts/x", b"x", {"size": 1}),
            ("POST", "artifacts", msgspec.msgpack.encode(SmallArtifacts((FINE,))), {}),
            ("POST", "finish", Finish(exit_code=0), {}),
            ("POST", "return", Return("not today"), {}),
        ):
            answer = await wire.call(method, f"{path}/{what}", body, **params)
            assert (answer.status_code, answer.json()["error"]["code"]) == (409, "SUPERSEDED")
