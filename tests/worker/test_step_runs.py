"""Step runs from the assignment to the last report, by a real worker."""

import io
import json
import zipfile

import pytest
import sample_robots as robots
from real_worker import working
from room_server import RoomServer
from sandboxes import needs_sandbox

from controlroom.protocol import ErrorCode, PackageRef, PhaseKind, PhaseState


@pytest.fixture(params=[pytest.param("auto", marks=needs_sandbox), "off"])
async def walt(room: RoomServer, tmp_path, request):
    """A worker, with a sandbox and without."""
    async with working(room, tmp_path / "walt", sandbox=request.param) as worker:
        yield worker


async def test_a_script_runs_and_its_traces_arrive(room, walt):
    """Console, artifacts, phases and exit code of a robot reach the server."""
    code = """
        import pathlib, sys
        print("hello")
        print("oh", file=sys.stderr)
        folder = pathlib.Path("output/sub/deep")
        folder.mkdir(parents=True)
        (folder / "result.bin").write_bytes(bytes(range(256)) * 2000)
    """
    attempt = await room.assign(room.add_package(robots.plain(code)))

    finish = await room.finished(attempt)

    assert (finish.error, finish.exit_code, finish.console_lines) == (None, 0, len(attempt.text))
    assert {"hello", "oh"} <= set(attempt.text)
    assert attempt.artifacts["sub/deep/result.bin"] == bytes(range(256)) * 2000
    assert (attempt.artifacts["stdout.log"], attempt.artifacts["stderr.log"]) == (b"hello\n", b"oh\n")
    kinds = [(phase.kind, phase.state) for _, phase in sorted(attempt.phases.items())]
    assert kinds == [(PhaseKind.ENVIRONMENT, PhaseState.SUCCEEDED), (PhaseKind.TASK, PhaseState.SUCCEEDED)]
    assert attempt.phases[1].last_line == finish.console_lines - 1


@pytest.mark.parametrize(
    ("files", "task", "code", "says"),
    [
        (robots.plain("import sys\nsys.exit('no money')"), "main", ErrorCode.ROBOT_FAILED, "no money"),
        (robots.plain("print(1)"), "other", ErrorCode.TASK_NOT_FOUND, "main"),
        (robots.plain("", command="nonsense --now"), "main", ErrorCode.ROBOT_FAILED, "nonsense"),
        ({"robot.yaml": "tasks: {{"}, "main", ErrorCode.PACKAGE_INVALID, "robot.yaml"),
        ({"task.py": ""}, "main", ErrorCode.PACKAGE_INVALID, "robot.yaml"),
        (
            robots.plain("print('never')", extra="preRunScripts:\n  - python -c 'raise SystemExit(3)'\n"),
            "main",
            ErrorCode.PRE_RUN_SCRIPT_FAILED,
            "exit code 3",
        ),
        (
            robots.plain("", extra="environmentConfigs: [conda.yaml]\n")
            | {"conda.yaml": "dependencies:\n  - python=3.11\n  - pip:\n      - no-such-package-anywhere==99\n"},
            "main",
            ErrorCode.ENVIRONMENT_FAILED,
            "no-such-package-anywhere",
        ),
    ],
)
async def test_failures_have_a_code_and_a_message(room, walt, files, task, code, says):
    """Each way to fail has its code, and a message that names the cause."""
    attempt = await room.assign(room.add_package(files), task)

    finish = await room.finished(attempt)

    assert finish.error is not None
    assert finish.error.code is code
    assert says in finish.error.message


async def test_what_is_no_package_is_refused(room, walt):
    """A broken zip, and one that leads out of its folder, are invalid packages."""
    broken = await room.assign(room.add_zip(b"PK\x03\x04 and then nothing"))
    escaping = await room.assign(room.add_package({"robot.yaml": "", "../../evil": "x"}))

    for attempt in (broken, escaping):
        finish = await room.finished(attempt)
        assert finish.error is not None
        assert finish.error.code is ErrorCode.PACKAGE_INVALID


async def test_pre_run_scripts_prepare_the_robot(room, walt):
    """Scripts run in order before the task, in its folder, as phases of their own; other systems' scripts are left."""
    extra = "preRunScripts:\n  - python first.py\n  - windows-only.bat\n  - python second.py\n"
    files = robots.plain(
        "print(open('made').read())",
        extra=extra,
        first="open('made', 'w').write('one')",
        second="open('made', 'a').write(' two')",
    )
    attempt = await room.assign(room.add_package(files))

    finish = await room.finished(attempt)

    assert finish.error is None
    assert attempt.text[-1] == "one two"
    assert [phase.name for _, phase in sorted(attempt.phases.items())][1:] == [
        "python first.py",
        "python second.py",
        "main",
    ]


async def test_a_robot_gets_its_variables(room, walt):
    """A robot has the protocols' variables, its step's, PATH and PYTHONPATH of robot.yaml, and a home to live in."""
    code = """
        import json, os, helper, subprocess
        print(json.dumps(dict(os.environ)))
        subprocess.run(["tool"])
        open(os.path.expanduser("~/x"), "w").close()
        import tempfile; tempfile.TemporaryFile().close()
    """
    files = robots.plain(code, extra="PATH: [bin]\nPYTHONPATH: [libs]\n", libs__helper="")
    files["bin/tool"] = "#!/bin/sh\necho tool ran\n"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (0o100755 if name == "bin/tool" else 0o100644) << 16
            package.writestr(entry, content)
    step = {"COLOUR": "blue", "RC_WORKSPACE_ID": "fake"}
    attempt = await room.assign(room.add_zip(buffer.getvalue()), variables=step)

    finish = await room.finished(attempt)

    assert finish.error is None, finish.error
    assert attempt.text[-1] == "tool ran"
    seen = json.loads(next(line for line in attempt.text if line.startswith("{")))
    assignment = attempt.assignment
    assert seen["COLOUR"] == "blue"
    assert seen["RC_WORKSPACE_ID"] == str(assignment.workspace_id)
    assert seen["RC_ACTIVITY_RUN_ID"] == seen["RC_ROBOT_RUN_ID"] == str(assignment.step_run_id)
    assert seen["RC_WORKITEM_ID"] == ""
    assert seen["RC_API_WORKITEM_HOST"] == room.url
    assert seen["RC_API_URL_V1"] == room.url + "/api/v1"
    assert seen["RC_API_SECRET_TOKEN"] == "robot-token"
    assert seen["ROBOT_ARTIFACTS"].startswith(seen["ROBOT_ROOT"])
    assert seen["PYTHONUNBUFFERED"] == "1"


async def test_artifacts_are_files_only(room, walt):
    """Links and pipes in the folder for results are passed over; odd names are made printable."""
    code = """
        import os
        os.symlink("/etc/hostname", "output/link")
        os.symlink("/", "output/folder")
        os.mkfifo("output/pipe")
        open(b"output/odd\\xff\\n.txt", "w").close()
        open("output/good", "w").write("good")
    """
    attempt = await room.assign(room.add_package(robots.plain(code)))

    finish = await room.finished(attempt)

    assert finish.error is None, finish.error
    assert sorted(name for name in attempt.artifacts if not name.endswith(".log")) == ["good", "odd\ufffd_.txt"]


async def test_old_results_in_a_package_are_no_runs_artifacts(room, walt):
    """What a package brought in its artifacts folder is the robot's to read, and an artifact once it changed it."""
    code = """
        import os, pathlib
        folder = pathlib.Path("output")
        assert (folder / "old.html").read_text() == "old"
        (folder / "again.html").write_text("NEW")
        os.utime(folder / "again.html", ns=(0, 0))
        (folder / "kept.html").rename(folder / "moved.html")
        (folder / "new.html").write_text("new")
    """
    brought = {f"output/{name}": name[:3] for name in ("old.html", "again.html", "kept.html", "sub/old.txt")}
    attempt = await room.assign(room.add_package(robots.plain(code) | brought))

    assert (await room.finished(attempt)).error is None

    left = {name: content for name, content in attempt.artifacts.items() if name.endswith(("html", "txt"))}
    assert left == {"again.html": b"NEW", "moved.html": b"kep", "new.html": b"new"}


async def test_names_that_cannot_be_kept_stay_apart(room, walt):
    """Tabs, newlines, bytes that are no text, long and deep ones, those of the worker's own files: none is lost."""
    code = """
        import os
        print("something")
        os.chdir("output")
        names = [b"a\\tb", b"a\\nb", b"a_b", b"A_B", b"a_b.", b"a\\\\b", b"C:x", b"C_x", b"\\xff" * 255, b"\\xfe" * 255]
        for name in [*names, b"stdout.log", b"x" * 251 + b".txt"]:
            open(name, "w").write("%r" % name)
        os.mkdir("x\\ty")
        open("x\\ty/f", "w").write("inner")
        open("x_y", "w").write("outer")
        for number in range(70):
            os.mkdir("d" * 30)
            os.chdir("d" * 30)
        open("deep.txt", "w").write("deep")
    """
    attempt = await room.assign(room.add_package(robots.plain(code)))

    assert (await room.finished(attempt)).error is None

    left = {content.decode(): name for name, content in attempt.artifacts.items()}
    assert left.pop("inner") == "x_y (2)/f"
    assert left.pop("outer") == "x_y"
    deep = left.pop("deep")
    assert (len(deep) <= 1024, deep[:31], deep[-9:]) == (True, "d" * 30 + "/", "/deep.txt")
    assert left[repr(b"stdout.log")] == "stdout (2).log"
    assert [left[repr(name)] for name in (b"a_b", b"A_B", b"a_b.", b"C_x")] == ["a_b", "A_B", "a_b.", "C_x"]
    assert {left[repr(name)] for name in (b"a\tb", b"a\nb", b"a\\b")} == {"a_b (2)", "a_b (3)", "a_b (4)"}
    long = {left[repr(name)] for name in (b"\xff" * 255, b"\xfe" * 255)}
    assert len(long) == 2
    assert all(len(name.encode()) <= 255 for name in long)
    assert left[repr(b"x" * 251 + b".txt")] == "x" * 251 + ".txt"


async def test_a_robot_whose_whole_folder_is_for_artifacts_leaves_only_what_it_made(room, walt):
    """Its own code is no result."""
    files = robots.plain("open('made.txt', 'w').write('x')")
    files["robot.yaml"] = files["robot.yaml"].replace("artifactsDir: output", "artifactsDir: .")
    attempt = await room.assign(room.add_package(files))

    assert (await room.finished(attempt)).error is None

    assert [name for name in attempt.artifacts if not name.endswith(".log")] == ["made.txt"]


async def test_the_robot_of_several_that_was_chosen_runs(room, walt):
    """The worker is told where it lies; the others of the same zip, and their links, stay apart."""
    files = {f"{name}/{file}": text for name in "ab" for file, text in robots.plain(f"print('{name}')").items()}
    package = room.add_package(files)
    for name in "ab":
        attempt = await room.assign(PackageRef(package.hash, package.size, package.name, name))
        assert (await room.finished(attempt)).error is None
        assert name in attempt.text


async def test_a_failed_robot_keeps_its_artifacts(room, walt):
    """What a robot left before it failed is uploaded all the same."""
    code = "open('output/trace', 'w').write('so far')\nraise RuntimeError('broken')"
    attempt = await room.assign(room.add_package(robots.plain(code)))

    finish = await room.finished(attempt)

    assert finish.exit_code == 1
    assert "RuntimeError: broken" in finish.error.message
    assert attempt.artifacts["trace"] == b"so far"


async def test_an_artifact_that_is_refused_costs_only_itself(room, walt):
    """The server takes all artifacts but one: those are there, and the robot's author reads which is not."""
    room.refused_artifacts = {"b.txt"}
    code = """
        import os, pathlib
        for name in "abc":
            (pathlib.Path(os.environ["ROBOT_ARTIFACTS"]) / f"{name}.txt").write_text(name)
    """
    attempt = await room.assign(room.add_package(robots.plain(code)))
    finish = await room.finished(attempt)

    assert finish.error is None
    assert {name for name in attempt.artifacts if len(name) == len("a.txt")} == {"a.txt", "c.txt"}
    assert [line for line in attempt.text if "could not be uploaded" in line and "b.txt" in line]


async def test_nothing_of_a_step_run_stays(room, walt):
    """Each step run has its own copy of the robot, and finds nothing of an earlier one."""
    code = "import os\nassert not os.path.exists('trace')\nopen('trace', 'w').close()\n"
    package = room.add_package(robots.plain(code))
    for _ in range(3):
        attempt = await room.assign(package)
        finish = await room.finished(attempt)
        assert finish.error is None


async def test_once(room, tmp_path):
    """A worker that runs once takes one assignment and ends."""
    async with working(room, tmp_path / "once", once=True) as worker:
        first = await room.assign(room.add_package(robots.plain("print(1)")))
        second = await room.assign(room.add_package(robots.plain("print(2)")))
        await room.finished(first)

        assert await worker.process.wait() == 0
        assert second.finish is None
        assert room.closed_sessions


async def test_one_worker_a_folder(room, tmp_path):
    """A second worker on the same folder says so and stops."""
    async with working(room, tmp_path / "walt"):
        await room.until(lambda: room.sessions)
        async with working(room, tmp_path / "walt") as second:
            assert await second.process.wait() != 0
            assert "Another worker" in second.log


async def test_the_credential_is_kept_for_the_owner_alone(room, tmp_path):
    """A worker is linked once; its credential is in a file that only its user can read."""
    for start in range(2):
        async with working(room, tmp_path / "walt"):
            await room.until(lambda start=start: len(room.sessions) > start)

    assert room.requests["link"] == 1
    assert (tmp_path / "walt" / "worker.json").stat().st_mode & 0o777 == 0o600


async def test_a_robot_runs_as_on_the_day_that_is_said(room, walt):
    """What a robot leaves open is resolved as on that day, in an environment of its own."""
    code = "import importlib.metadata\nprint(importlib.metadata.version('iniconfig'))"
    files = robots.plain(code, extra="condaConfigFile: conda.yaml\n")
    package = room.add_package({**files, "conda.yaml": "dependencies: [python=3.11, {pip: [iniconfig]}]"})

    versions = []
    for moment in ("2021-01-01T00:00:00Z", None):
        attempt = await room.assign(package, exclude_newer=moment)
        assert (await room.finished(attempt)).error is None
        versions.append(attempt.artifacts["stdout.log"])

    assert versions[0] == b"1.1.1\n"
    assert versions[1] != versions[0]
