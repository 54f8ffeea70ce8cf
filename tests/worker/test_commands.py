"""Lists of commands, by a real worker: phases, console ranges, results, and how they are ended."""

from collections.abc import Mapping

import msgspec
import pytest
import sample_robots as robots
from real_worker import working
from room_server import Attempt, RoomServer
from sandboxes import needs_sandbox

from controlroom.protocol import ABILITIES, Command, Commands, ErrorCode, OnFailure, Order, PhaseState

WAITS = "print('waiting', flush=True); import time; time.sleep(600)"


@pytest.fixture(params=[pytest.param("auto", marks=needs_sandbox), "off"])
async def walt(room: RoomServer, tmp_path, request):
    """A worker, with a sandbox and without."""
    async with working(room, tmp_path / "walt", sandbox=request.param) as worker:
        yield worker


def python(name: str, code: str, **settings) -> Command:
    """A command that runs some Python."""
    return Command(name=name, words=("python", "-c", code), **settings)


def writes(name: str, text: str, **settings) -> Command:
    """A command that prints, and writes `output/results.json`."""
    return python(name, f"print({text!r}); open('output/results.json', 'w').write({text!r})", **settings)


async def assign(room: RoomServer, *commands: Command, files: Mapping[str, str] | None = None, **fields) -> Attempt:
    """Put a list of commands into the queue."""
    package = room.add_package(files or robots.plain("print('never')"))
    return await room.assign(package, work=Commands(commands), **fields)


def states(attempt: Attempt) -> list[str]:
    """How the phases behind the environment's stand."""
    return [phase.state.value for position, phase in sorted(attempt.phases.items()) if position]


def printed(attempt: Attempt, position: int) -> list[str]:
    """The console of a phase, by its range."""
    phase = attempt.phases[position]
    return [] if phase.last_line is None else attempt.text[phase.first_line : phase.last_line + 1]


async def test_commands_run_in_order_each_with_its_own_traces(room, walt):
    """Each command is a phase with range, exit code, raw logs and results, though all write to one file."""
    attempt = await assign(
        room,
        writes("first", "one"),
        python("reads", "print(open('output/results.json').read(), open('output/results.json').read())"),
        writes("third", "three"),
    )

    finish = await room.finished(attempt)

    assert (finish.error, finish.exit_code) == (None, 0)
    assert states(attempt) == ["succeeded"] * 3
    assert [attempt.phases[n].name for n in (1, 2, 3)] == ["first", "reads", "third"]
    assert [printed(attempt, n) for n in (1, 2, 3)] == [["one"], ["one one"], ["three"]]
    assert {attempt.phases[n].exit_code for n in (1, 2, 3)} == {0}
    assert attempt.of_phases == {
        (1, "results.json"): b"one",
        (1, "stdout.log"): b"one\n",
        (2, "stdout.log"): b"one one\n",
        (3, "results.json"): b"three",
        (3, "stdout.log"): b"three\n",
    }
    assert room.sessions[-1].abilities == ABILITIES


async def test_a_failure_in_the_middle_skips_what_follows(room, walt):
    """Later commands are skipped, but for those that always run; the step run fails by the one that skipped them."""
    attempt = await assign(
        room,
        writes("deps", "one"),
        python("build", "print('broken'); raise SystemExit(3)"),
        python("docs", "print('never')"),
        writes("clean up", "tidy", always_run=True),
    )

    finish = await room.finished(attempt)

    assert (finish.error.code, finish.exit_code) == (ErrorCode.ROBOT_FAILED, 3)
    assert "`build` ended with exit code 3" in finish.error.message
    assert "broken" in finish.error.message
    assert states(attempt) == ["succeeded", "failed", "skipped", "succeeded"]
    assert (attempt.phases[2].exit_code, attempt.phases[3].started_at) == (3, None)
    assert "`build`" in attempt.phases[3].message
    assert printed(attempt, 4) == ["tidy"]


async def test_a_failure_that_goes_on(room, walt):
    """Later commands run; what is to be ignored does not count, what is to continue does, with its name."""
    attempt = await assign(
        room,
        python("freshness", "raise SystemExit(1)", on_failure=OnFailure.IGNORE),
        Command(name="lost", words=("no-such-program",), on_failure=OnFailure.CONTINUE),
        writes("last", "end"),
    )
    harmless = await assign(
        room, python("freshness", "raise SystemExit(1)", on_failure=OnFailure.IGNORE), writes("last", "end")
    )

    finish = await room.finished(attempt)

    assert states(attempt) == ["failed", "failed", "succeeded"]
    assert (finish.error.code, finish.exit_code) == (ErrorCode.ROBOT_FAILED, None)
    assert "`lost`" in finish.error.message
    assert "no-such-program" in printed(attempt, 2)[0]
    assert (await room.finished(harmless)).error is None
    assert states(harmless) == ["failed", "succeeded"]


async def test_a_command_has_variables_of_its_own(room, walt):
    """They win over the step's and are gone for the next command; the platform's win over them."""
    show = "import os, json; print(json.dumps(dict(os.environ)))"
    attempt = await assign(
        room,
        python("mine", show, variables={"COLOUR": "red", "RC_WORKSPACE_ID": "fake"}),
        python("step's", show),
        variables={"COLOUR": "blue"},
    )

    assert (await room.finished(attempt)).error is None

    [mine], [step] = ([msgspec.json.decode(line) for line in printed(attempt, n)] for n in (1, 2))
    assert (mine["COLOUR"], step["COLOUR"]) == ("red", "blue")
    assert mine["RC_WORKSPACE_ID"] == step["RC_WORKSPACE_ID"] == str(attempt.assignment.workspace_id)


async def test_no_shell_reads_the_words(room, walt):
    """What a shell would expand arrives as it is."""
    attempt = await assign(room, Command(name="echo", words=("echo", "$HOME;", "*", "")))

    await room.finished(attempt)

    assert printed(attempt, 1) == ["$HOME; * "]


async def test_pre_run_scripts_come_first(room, walt):
    """They prepare the place as for a robot; what they leave is theirs, and when one fails no command runs."""
    script = "preRunScripts:\n  - python prepare.py\n"
    files = robots.plain("", extra=script, prepare="open('output/ready', 'w').write('yes'); print('prepared')")
    attempt = await assign(room, writes("only", "one"), files=files)
    failing = await assign(
        room, writes("only", "one"), files=robots.plain("", extra=script, prepare="raise SystemExit")
    )
    broken = await assign(room, writes("only", "one"), files=robots.plain("", extra=script, prepare="1/0"))

    assert (await room.finished(attempt)).error is None
    assert attempt.of_phases[1, "ready"] == b"yes"
    assert attempt.of_phases[1, "stdout.log"] == b"prepared\n"
    assert attempt.of_phases[2, "results.json"] == b"one"
    assert (await room.finished(failing)).error is None
    assert (await room.finished(broken)).error.code is ErrorCode.PRE_RUN_SCRIPT_FAILED
    assert states(broken) == ["failed", "skipped"]


async def test_the_time_limit_is_for_all_together(room, walt):
    """Whichever command runs when it is over is ended, and no other begins, not even one that always runs."""
    attempt = await assign(
        room, writes("quick", "one"), python("slow", WAITS), writes("tidy", "x", always_run=True), timeout_seconds=1.5
    )

    finish = await room.finished(attempt)

    assert finish.error.code is ErrorCode.TIMEOUT
    assert "`slow`" in finish.error.message
    assert states(attempt) == ["succeeded", "failed", "skipped"]
    assert printed(attempt, 2)[0] == "waiting"
    assert attempt.of_phases[2, "stdout.log"] == b"waiting\n"


async def test_a_stop_in_the_middle(room, walt):
    """The command in hand is ended, its results are kept, and the rest is skipped."""
    half = "open('output/half', 'w').write('half'); " + WAITS
    attempt = await assign(room, writes("quick", "one"), python("slow", half), writes("tidy", "x", always_run=True))
    await room.until(lambda: "waiting" in attempt.text)
    assert states(attempt) == ["succeeded", "in_progress", "waiting"]

    await room.order(attempt, Order.TERMINATE)
    finish = await room.finished(attempt)

    assert finish.error.code is ErrorCode.TERMINATED
    assert states(attempt) == ["succeeded", "failed", "skipped"]
    assert attempt.of_phases[2, "half"] == b"half"


async def test_an_environment_that_fails_skips_all(room, walt):
    """What was not reached is told as skipped, whatever the reason."""
    files = robots.plain("", extra="environmentConfigs: [conda.yaml]\n") | {
        "conda.yaml": "dependencies:\n  - python=3.11\n  - pip:\n      - no-such-package-anywhere==99\n"
    }
    attempt = await assign(room, writes("one", "one"), writes("two", "two"), files=files)

    finish = await room.finished(attempt)

    assert finish.error.code is ErrorCode.ENVIRONMENT_FAILED
    assert [phase.state for _, phase in sorted(attempt.phases.items())] == [
        PhaseState.FAILED,
        PhaseState.SKIPPED,
        PhaseState.SKIPPED,
    ]
