"""Robots of our own library without a room: the files of a folder, and what is said where one is wrong."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from interpreters import needed
from native_robots import EXAMPLE, copy_to
from work_item_robots import NATIVE

WRITTEN = "import os; written = lambda text: (os.mkdir('devdata'), open('devdata/items.json', 'w').write(text))"


@pytest.fixture
def run(tmp_path):
    """Runs a script, or lines, in the test's folder, as on somebody's desk: the process that has ended."""

    def run(script: str | Path, python: str | Path = sys.executable, **variables: str) -> subprocess.CompletedProcess:
        words = [script] if isinstance(script, Path) else ["-c", script]
        return subprocess.run(
            [python, *words],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(NATIVE)} | variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run


@pytest.mark.parametrize("minor", ["3.9", "{}.{}".format(*sys.version_info[:2])])
def test_the_guide_is_true(run, tmp_path, minor):
    """Its robot, with its files, puts out what the page says, in the oldest Python and in ours."""
    files = copy_to(tmp_path)

    done = run(Path("robot.py"), needed(minor))

    assert done.returncode == 0, done.stderr
    outputs = json.loads(files["outputs"])
    assert json.loads((tmp_path / "devdata/outputs.json").read_text("utf-8")) == outputs
    assert (tmp_path / "devdata" / outputs[0]["files"]["invoice.txt"]).read_bytes() == b"6 EUR\n"
    assert "INFO working as ada" in done.stdout
    assert "correct horse" not in done.stdout + done.stderr
    assert "item 1: done" in done.stderr
    assert "item 2: failed: business NO_PRICE no price of stone" in done.stderr
    assert "progress: 2 stone" in done.stderr
    assert (tmp_path / "devdata/items.json").read_text("utf-8") == files["devdata/items.json"]


def test_the_example_robot_works_on_its_own_folder(run, tmp_path):
    """Each of its steps by itself."""
    for step, payloads in (("split.py", 3), ("invoice.py", 1)):
        named = {"CONTROLROOM_DEVDATA": str(EXAMPLE / "devdata"), "RC_WORKITEM_OUTPUT_PATH": f"{step}.json"}
        done = run(EXAMPLE / step, **named)
        assert done.returncode == 0, done.stderr
        assert len(json.loads((tmp_path / f"{step}.json").read_text("utf-8"))) == payloads


def test_files_assets_and_secrets_are_read_from_where_they_are_named(run, tmp_path):
    """An item's files lie beside the list; a secret may be a variable; an asset is written as a file."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.txt").write_text("ä", "utf-8")
    (tmp_path / "in/list.json").write_text(json.dumps([{"files": {"given": "a.txt"}}]))
    done = run(
        """
from controlroom_robot import NotFound, asset, items, output, secret
for item in items():
    assert (item.payload, item.files, item.read_file("given").decode()) == (None, ["given"], "ä")
    item.add_file("more", b"1")
    item.remove_file("given")
    assert item.files == ["more"]
    assert secret("my mail")["port"] == 993
    asset("new/one.json").write([1])
    assert (asset("new/one.json").json(), asset("new/one.json").content_type) == ([1], "application/json")
    for missing in (lambda: secret("other"), lambda: asset("other").read(), lambda: item.read_file("given")):
        try:
            missing()
        except NotFound as refused:
            print(refused.code)
""",
        RC_WORKITEM_INPUT_PATH="in/list.json",
        SECRET_MY_MAIL='{"port": 993}',
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["SECRET_NOT_FOUND", "ASSET_NOT_FOUND", "FILE_NOT_FOUND"]
    assert json.loads((tmp_path / "devdata/assets/new/one.json").read_text("utf-8")) == [1]


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("list(items())", "this is no step run of a room, and devdata/items.json is not there"),
        ("written('{'); list(items())", "items.json is no JSON"),
        ("written('{}'); list(items())", "is no JSON list"),
        (
            "written('[1]'); list(items())",
            "an item is an object",
        ),
        ("asset('../../secret').write('x')", "is no name of an asset"),
        ("output({})", "an output belongs to an item"),
        ("progress(-1)", "-1 is no progress"),
        ("progress(float('nan'))", "nan is no progress"),
    ],
)
def test_what_is_wrong_is_said(run, script, said):
    """In words that tell what to do, and nothing is written."""
    done = run(f"from controlroom_robot import *; {WRITTEN}; {script}")

    assert done.returncode == 1
    assert said in done.stderr


def test_help_tells_all_of_it(run):
    """Each name that is for robots, with an example first."""
    done = run("import controlroom_robot; help(controlroom_robot)")

    assert done.returncode == 0
    text = done.stdout
    assert text.index("from controlroom_robot import") < text.index("class BusinessError")
    for name in ("items() ->", "output(payload", "progress(done", "secret(name", "asset(name", "add_file(self"):
        assert name in text, name
    assert "_place" not in text.partition("FILE")[0].partition("CLASSES")[2]


def test_it_imports_the_standard_library_alone(run):
    """Isolated, where nothing else is installed; and quickly: without TLS, which is for rooms that have it."""
    done = run(
        "import sys; sys.path = [folder for folder in sys.path if 'site-packages' not in folder];"
        "import controlroom_robot; print('ssl' in sys.modules, 'controlroom' in sys.modules)"
    )

    assert done.stdout.split() == ["False", "False"], done.stderr
