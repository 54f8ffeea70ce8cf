"""The commands over what is in a room, against a real one."""

import json
import os
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rooms import Room, run_cli

EXAMPLES = Path(__file__).parents[2] / "examples"
ROBOT = "tasks:\n  Go:\n    shell: python3 go.py\nartifactsDir: output\nignoreFiles: [.gitignore]\n"


@pytest.fixture(scope="module")
def running(started: Room) -> Room:
    """A room without a worker, by the key with which it began: it governs the organization."""
    return started


@pytest.fixture
def robot(tmp_path: Path) -> Path:
    """A robot's folder with things that stay out of its package."""
    folder = tmp_path / "my robot"
    (folder / "output").mkdir(parents=True)
    (folder / "robot.yaml").write_text(ROBOT)
    (folder / "go.py").write_text("print('gone')\n")
    (folder / ".gitignore").write_text("*.secret\n")
    (folder / "a.secret").write_text("no")
    (folder / "output" / "log.html").write_text("old")
    return folder


def test_a_room_of_this_folder_is_found(running):
    """Beside a data folder commands need no options; a key of another room would be refused."""
    found = run_cli("secrets", "list", "--json", CONTROLROOM_DATA=str(running.data))
    assert found.returncode == 0, found.stderr

    refused = run_cli("secrets", "list", CONTROLROOM_DATA=str(running.data), CONTROLROOM_API_KEY="wrong")
    assert refused.returncode == 1
    assert "API key" in refused.stderr


def test_push_makes_a_package_and_then_its_next_version(running, robot, tmp_path):
    """A push prints the id; a second push of that name keeps it; what is ignored stays out."""
    first = running.cli("push", robot).stdout.strip()
    (robot / "go.py").write_text("print('gone again')\n")
    second = running.json("push", robot)

    assert second["id"] == first
    assert second["name"] == "my robot"
    assert [task["name"] for task in second["tasks"]] == ["Go"]
    assert [row["id"] for row in running.json("packages", "list") if row["name"] == "my robot"] == [first]
    running.cli("packages", "download", "my robot", "-o", tmp_path / "got.zip")
    with zipfile.ZipFile(tmp_path / "got.zip") as got:
        assert set(got.namelist()) == {".gitignore", "go.py", "robot.yaml"}
        assert got.read("go.py") == b"print('gone again')\n"


def test_how_new_the_world_may_be_for_a_package(running, robot):
    """It is said at the push or later, and taken back by nothing."""
    pushed = running.json("push", robot, "--name", "old", "--exclude-newer", "2023-05-01")
    assert pushed["exclude_newer"].startswith("2023-05-02T00:00:00")

    assert running.cli("packages", "set", "old", "--exclude-newer", "2022-01-01").stdout.startswith("2022-01-02")
    assert "no date" in running.cli("packages", "set", "old", "--exclude-newer", "soon", code=1).stderr
    running.cli("packages", "set", "old", "--exclude-newer", "")
    assert running.json("packages", "show", "old")["exclude_newer"] is None


@pytest.mark.parametrize(
    ("yaml", "said"),
    [
        (None, "robot.yaml"),
        ("tasks: [", "robot.yaml"),
        ("tasks: {}\nartifactsDir: output\n", "tasks"),
        ("tasks:\n  Go:\n    shell: a\n    command: [b]\nartifactsDir: output\n", "Go"),
        ("tasks: {Go: {shell: a}}\nartifactsDir: o\ncondaConfigFile: c.yaml\n", "not in the package: c.yaml"),
        ("tasks: {Go: {shell: a}}\nartifactsDir: o\ncondaConfigFile: python2.yaml\n", "Python 2.7 is asked for"),
    ],
)
def test_a_folder_that_is_no_robot_is_not_pushed(running, tmp_path, yaml, said):
    """A missing or wrong robot.yaml is said before anything is uploaded."""
    if yaml is not None:
        (tmp_path / "robot.yaml").write_text(yaml)
    (tmp_path / "python2.yaml").write_text("dependencies: [python=2.7]")
    packages = running.cli("packages", "list").stdout

    refused = running.cli("push", tmp_path, "--name", "broken", code=1)

    assert said in refused.stderr
    assert running.cli("packages", "list").stdout == packages


def test_a_push_tells_what_stays_at_home_and_follows_links(running, robot, tmp_path):
    """Nothing is dropped without a word."""
    (robot / "data" / "empty").mkdir(parents=True)
    (robot / "latest.py").symlink_to("go.py")

    pushed = running.cli("push", robot, "--name", "linked")

    assert "left out (artifactsDir): output/" in pushed.stderr
    running.cli("packages", "download", "linked", "-o", tmp_path / "got.zip")
    with zipfile.ZipFile(tmp_path / "got.zip") as got:
        assert set(got.namelist()) == {".gitignore", "data/empty/", "go.py", "latest.py", "robot.yaml"}
    (robot / "hosts").symlink_to("/etc/hosts")
    refused = running.cli("push", robot, "--name", "leaves", code=1)
    assert "`hosts` is a link to `/etc/hosts`, which leads out of the robot's folder" in refused.stderr
    assert "leaves" not in running.cli("packages", "list").stdout


def test_a_robot_of_several_is_pushed_by_its_folder(running, tmp_path):
    """Without a choice they are listed; the package has the folder's name."""
    for name in ("one", "two"):
        (tmp_path / "robots" / name).mkdir(parents=True)
        (tmp_path / "robots" / name / "robot.yaml").write_text(f"tasks: {{{name}: {{shell: x}}}}\nartifactsDir: o")

    refused = running.cli("push", tmp_path, "--name", "mono", code=1)
    pushed = running.json("push", tmp_path, "--folder", "robots/two")

    assert "`robots/one`, `robots/two`" in refused.stderr
    assert "--folder" in refused.stderr
    assert (pushed["name"], [task["name"] for task in pushed["tasks"]]) == ("two", ["two"])
    assert "mono" not in running.cli("packages", "list").stdout
    for wrong in (tmp_path / "nowhere", tmp_path / "robots" / "one" / "robot.yaml"):
        assert "is no folder" in running.cli("push", wrong, code=1).stderr


def test_first_pushes_of_a_name_at_once_all_succeed(running, robot):
    """Whoever comes first makes the package; nobody is refused for that."""
    with ThreadPoolExecutor(6) as pool:
        pushed = list(pool.map(lambda _: running.cli("push", robot, "--name", "at once").stdout, range(6)))

    assert len(set(pushed)) == 1


def test_a_process_is_made_shown_disabled_and_deleted(running, robot):
    """All options of a step arrive; a disabled process is not started."""
    running.cli("push", robot, "--name", "steps")
    running.cli("groups", "create", "night shift")
    made = running.json(
        "process", "create", "Two steps", "--step", "one=steps:Go", "--step", "two=steps:Go",
        "--max-parallel", "one=3", "--timeout", "two=90", "--retries", "one=2", "--env", "one:LEVEL=a=b",
        "--groups", "two=night shift", "--after-previous", "two", "--one-item", "one",
    )  # fmt: skip

    shown = running.json("process", "show", "Two steps")
    one, two = shown["steps"]
    assert shown["id"] == made["id"]
    assert (one["name"], one["max_parallel"], one["environment"]) == ("one", 3, {"LEVEL": "a=b"})
    assert one["retry"]["max_attempts"] == 3
    assert one["one_item_per_step_run"]
    assert (two["timeout_seconds"], two["starts_after_previous"]) == (90, True)

    for option, value, other in (("--timeout", "one=9", "one=8"), ("--env", "one:A=b", "one:A=c")):
        refused = running.cli("process", "edit", "Two steps", option, value, option, other, code=2)
        assert "twice" in refused.stderr, refused.stderr

    running.cli("process", "disable", "Two steps")
    assert "disabled" in running.cli("run", "Two steps", code=1).stderr
    running.cli("process", "enable", "Two steps")
    running.cli("process", "delete", "Two steps", "--yes")
    assert "Two steps" not in [row["name"] for row in running.json("process", "list")]


def test_a_process_is_edited_by_its_steps(running, robot):
    """What is not said stays; steps are changed, added, taken away, or given whole as `show` tells them."""
    running.cli("push", robot, "--name", "steps")
    running.cli("process", "create", "Draft", "--step", "one=steps:Go", "--step", "two=steps:Go", "--retries", "one=2")
    before = running.json("process", "show", "Draft")

    running.cli("process", "edit", "Draft", "--name", "Final", "--timeout", "one=90", "--default-input", "5")
    running.cli("process", "edit", "Final", "--remove", "two", "--step", "three=steps:Go", "--env", "three:A=b")
    one, three = running.json("process", "show", "Final")["steps"]
    assert (one["id"], one["timeout_seconds"], one["retry"]["max_attempts"]) == (before["steps"][0]["id"], 90, 3)
    assert (three["name"], three["environment"]) == ("three", {"A": "b"})

    again = running.json("process", "edit", "Final", "--steps", json.dumps(before["steps"]), "--default-input", "none")
    assert [step["name"] for step in again["steps"]] == ["one", "two"]
    assert again["default_work_item"] is None
    for words in ((), ("--remove", "nine"), ("--steps", "{}"), ("--steps", "[]", "--remove", "one")):
        running.cli("process", "edit", "Final", *words, code=2)
    running.cli("process", "delete", "Final", "--yes")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--step", "one"], "STEP=PACKAGE:TASK"),
        (["--step", "one=steps"], "STEP=PACKAGE:TASK"),
        (["--step", "one=steps:Go", "--max-parallel", "two=3"], "there is no step 'two'"),
        (["--step", "one=steps:Go", "--max-parallel", "one=many"], "many"),
        (["--step", "one=steps:Go", "--step", "one=steps:Go"], "two steps"),
    ],
)
def test_steps_that_make_no_sense_are_misuse(running, robot, words, said):
    """Wrong step options are named, and nothing is made."""
    running.cli("push", robot, "--name", "steps")
    assert said in running.cli("process", "create", "Never", *words, code=2).stderr
    assert "Never" not in [row["name"] for row in running.json("process", "list")]


def test_names_that_lead_nowhere_or_everywhere_are_told(running, robot):
    """An unknown name is answered with the known ones, a name that several have with their ids."""
    running.cli("push", robot, "--name", "steps")
    unknown = running.cli("process", "create", "P", "--step", "one=stepz:Go", code=1).stderr
    assert "stepz" in unknown
    assert "steps" in unknown
    task = running.cli("process", "create", "P", "--step", "one=steps:Stop", code=1).stderr
    assert "Stop" in task

    twins = [running.cli("process", "create", "Twin", "--step", "one=steps:Go").stdout.strip() for _ in range(2)]
    said = running.cli("run", "Twin", code=1).stderr
    assert all(twin in said for twin in twins)


def test_items_wait_in_a_queue_with_payloads_and_files(running, robot, tmp_path):
    """Items are created, listed, shown and deleted; files keep their names and bytes."""
    running.cli("push", robot, "--name", "steps")
    running.cli("process", "create", "Queue", "--step", "one=steps:Go")
    (tmp_path / "ärger.bin").write_bytes(bytes(range(256)) * 5000)
    (tmp_path / "payload.json").write_text('{"from": "a file"}')

    made = running.json(
        "items", "create", "Queue", "--input", '{"n": 1}', "--input", f"@{tmp_path / 'payload.json'}",
        "--file", tmp_path / "ärger.bin",
    )  # fmt: skip

    waiting = running.json("items", "list", "--process", "Queue", "--state", "new")
    assert {item["id"] for item in waiting} == {item["id"] for item in made}
    shown = [running.json("items", "show", item["id"]) for item in made]
    assert [item["payload"] for item in shown] == [{"n": 1}, {"from": "a file"}]
    assert [(file["name"], file["size"]) for file in shown[0]["files"]] == [("ärger.bin", 1_280_000)]
    running.cli("items", "delete", *(item["id"] for item in made), "--yes")
    assert running.json("items", "list", "--process", "Queue", "--state", "new") == []


def test_a_run_waits_is_shown_and_stopped(running, robot):
    """Without a worker a run waits; stopping it ends it, and its items are marked as asked."""
    running.cli("push", robot, "--name", "steps")
    running.cli("process", "create", "Waiting", "--step", "one=steps:Go")
    assert "nothing waits" in running.cli("run", "Waiting", "--waiting", code=1).stderr
    run = running.cli("run", "Waiting", "--input", "[1]").stdout.strip()

    assert running.json("runs", "show", run)["state"] in {"new", "in_progress"}
    running.cli("runs", "stop", run, "--mark-done", "--terminate", "--reason", "no worker will come")

    running.cli("runs", "follow", run)
    assert running.json("runs", "show", run)["state"] == "completed"
    running.cli("runs", "delete", run, "--yes")
    assert "nothing of that id" in running.cli("runs", "show", "Waiting", code=1).stderr
    assert run not in [row["id"] for row in running.json("runs", "list", "--process", "Waiting")]


def test_a_run_is_started_as_it_is_asked_for(running, robot):
    """Name, cause and what goes over the steps' settings are options of `run`, and told by `runs show`."""
    running.cli("push", robot, "--name", "steps")
    running.cli("process", "create", "Asked", "--step", "one=steps:Go")

    words = ["--name", "March", "--cause", "By hand", "--env", "LEVEL=debug", "--env", "AT=a=b", "--timeout", "90"]
    run = running.cli("run", "Asked", "--input", "[1]", *words).stdout.strip()

    found = running.json("runs", "show", run)
    assert (found["name"], found["cause"]) == ("March", "By hand")
    assert found["overrides"] == {"variables": {"LEVEL": "debug", "AT": "a=b"}, "timeout_seconds": 90.0}
    assert "twice" in running.cli("run", "Asked", "--env", "A=1", "--env", "A=2", code=2).stderr
    once = ["run", "Asked", "--input", "[2]", "--idempotency-key", "order-2"]
    assert running.cli(*once).stdout == running.cli(*once).stdout
    assert "has started another run" in running.cli(*once, "--cause", "again", code=1).stderr
    running.cli("runs", "stop", run, "--mark-done", "--terminate")


def test_a_version_is_labelled_and_run_by_its_label(running, robot):
    """`packages label` moves a label, `packages versions` shows it; `run` takes the version by label or number."""
    running.cli("push", robot, "--name", "labelled")
    (robot / "go.py").write_text("print('gone again')\n")
    running.cli("push", robot, "--name", "labelled")
    running.cli("process", "create", "Labelled", "--step", "one=labelled:Go")

    running.cli("packages", "label", "labelled", "production", "2")
    running.cli("packages", "label", "labelled", "production", "1")
    versions = running.json("packages", "versions", "labelled")
    assert [(each["version"], each["labels"]) for each in versions] == [(2, []), (1, ["production"])]

    run = running.cli("run", "Labelled", "--label", "production").stdout.strip()
    assert running.json("runs", "show", run)["overrides"] == {"package_label": "production"}
    by_number = running.cli("run", "Labelled", "--package-version", "labelled:2").stdout.strip()
    assert running.json("runs", "show", by_number)["overrides"] == {"package_version_id": versions[0]["id"]}
    assert "no version 9" in running.cli("run", "Labelled", "--package-version", "labelled:9", code=1).stderr
    running.cli("packages", "label", "labelled", "production", "--remove")
    assert "has the label" in running.cli("run", "Labelled", "--label", "production", code=1).stderr


def test_steps_and_runs_are_placed_in_an_order(running, robot):
    """`--place` names places in their order, `--run-as` the user; a step keeps its user when it is placed elsewhere."""
    running.cli("push", robot, "--name", "placed")
    near, far = (running.json("groups", "create", name)["id"] for name in ("near", "far"))
    burst = running.json("provisioners", "create", "burst", "https://pods.example.com/hook")["id"]
    admin = next(user["id"] for user in running.json("users", "list") if user["username"] == "admin")

    running.cli(
        *("process", "create", "Placed", "--step", "one=placed:Go", "--run-as", "one=admin"),
        *("--place", "one=group:near", "--place", "one=on-demand:burst"),
    )
    placed = running.json("process", "show", "Placed")["steps"][0]["placement"]
    assert placed == {"places": [{"groups": [near]}, {"provisioner": burst}], "run_as": admin}
    running.cli("process", "edit", "Placed", "--groups", "one=far")
    assert running.json("process", "show", "Placed")["steps"][0]["placement"] == {"groups": [far], "run_as": admin}

    run = running.cli("run", "Placed", "--place", "group:near", "--place", "group:far").stdout.strip()
    [step_run] = running.json("runs", "show", run)["step_runs"]
    assert (step_run["placement"], step_run["run_as"]) == ({"groups": [near, far]}, admin)
    assert "is no place" in running.cli("run", "Placed", "--place", "near", code=2).stderr


def test_secrets_are_written_and_never_read(running, tmp_path):
    """Values come from arguments, files or the standard input, and are shown by no command."""
    (tmp_path / "key").write_text("from a file")
    running.cli("secrets", "set", "bank", "user=ada", f"key=@{tmp_path / 'key'}", "pin=@-", stdin="1234")

    shown = running.cli("secrets", "show", "bank").stdout
    assert all(key in shown for key in ("user", "key", "pin"))
    listed = running.cli("secrets", "list").stdout
    assert "bank" in listed
    assert not any(value in shown + listed for value in ("ada", "from a file", "1234"))
    twice = running.cli("secrets", "set", "bank", "user=ada", "user=ben", code=2).stderr
    assert "the value 'user' is given twice" in twice
    assert "which values?" in running.cli("secrets", "set", "bank", "--description", "ours", code=2).stderr
    assert "pin" in running.cli("secrets", "show", "bank").stdout, "nothing was replaced by nothing"
    running.cli("secrets", "delete", "bank", "--yes")
    assert "bank" in running.cli("secrets", "show", "bank", code=1).stderr


def test_assets_hold_texts_and_large_files(running, tmp_path):
    """An asset is set from a word or a file of any size, and comes back as it was."""
    running.cli("assets", "set", "greeting", "grüezi")
    assert running.cli("assets", "get", "greeting").stdout == "grüezi"

    large = tmp_path / "large.json"
    large.write_text(json.dumps(list(range(400_000))))
    running.cli("assets", "set", "greeting", "--file", large)
    running.cli("assets", "get", "greeting", "-o", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == large.read_bytes()
    assert "application/json" in running.cli("assets", "show", "greeting").stdout
    running.cli("assets", "delete", "greeting", "--yes")
    assert "greeting" not in running.cli("assets", "list").stdout


def test_a_key_opens_what_it_was_made_for(running):
    """A key's value is printed once, can be revealed, does what it may and nothing else, and is gone when deleted."""
    value = running.cli("keys", "create", "reader", "-p", "Processes.read_processes").stdout.strip()
    asked = {
        "CONTROLROOM_URL": running.url,
        "CONTROLROOM_WORKSPACE": running.facts["workspace_id"],
        "CONTROLROOM_API_KEY": value,
    }

    assert run_cli("process", "list", **asked).returncode == 0
    forbidden = run_cli("secrets", "set", "x", "a=b", **asked)
    assert forbidden.returncode == 1
    assert "permission" in forbidden.stderr
    assert running.cli("keys", "reveal", "reader").stdout.strip() == value
    running.cli("keys", "edit", "reader", "--name", "writer", "-p", "Vault.write_secrets")
    assert running.json("keys", "show", "writer")["permissions"] == ["Vault.write_secrets"]
    running.cli("keys", "delete", "writer", "--yes")
    assert "writer" not in running.cli("keys", "list").stdout


def test_groups_and_tokens_for_workers(running):
    """A link token is printed; groups are made, renamed and deleted."""
    assert running.cli("workers", "link-token").stdout.startswith("crl_")
    group = running.cli("groups", "create", "fast").stdout.strip()
    running.cli("groups", "rename", "fast", "faster")
    assert {"id": group, "name": "faster"} in running.json("groups", "list")
    assert running.cli("groups", "link-token", "faster").stdout.startswith("crl_")
    assert running.json("groups", "set", "faster")["workers"] == []
    running.cli("groups", "delete", "faster", "--yes")
    assert "faster" not in running.cli("groups", "list").stdout
    assert running.json("workers", "list") == []


def test_what_serves_which_workspaces_is_told_and_said(running):
    """Workspaces are named by name or id; all of them are an admin's to give; one that nobody sees is none."""
    here = {"serves_all": False, "workspaces": [{"id": running.facts["workspace_id"], "name": "Default"}]}
    running.cli("groups", "create", "wide")
    running.cli("groups", "link-token", "wide", "--name", "rack")
    key = running.cli("keys", "create", "racks", "-p", "write_workers", "-p", "read_workers").stdout.strip()
    of_one = {
        "CONTROLROOM_URL": running.url,
        "CONTROLROOM_WORKSPACE": running.facts["workspace_id"],
        "CONTROLROOM_API_KEY": key,
    }
    running.cli("provisioners", "create", "cluster", "https://pods.example.com/hook")
    for words in (
        ("groups", "serve", "wide"),
        ("groups", "tokens", "serve", "wide", "rack"),
        ("provisioners", "serve", "cluster"),
    ):
        assert running.json(*words) == running.json(*words, "Default") == here
        assert "whole organization" in run_cli(*words, "--all", **of_one).stderr
        assert "no workspace called 'Elsewhere'" in running.cli(*words, "Elsewhere", code=1).stderr
        running.cli(*words, "Default", "--all", code=2)
    assert running.cli("workers", "link-token", "--serves", "Default").stdout.startswith("crl_")
    assert "whole organization" in run_cli("workers", "link-token", "--all", **of_one).stderr


def test_a_token_of_a_group_is_renamed_shown_again_and_revoked(running):
    """Tokens are listed without values; an end may be set and taken away."""
    running.cli("groups", "create", "desks")
    value = running.cli("groups", "link-token", "desks", "--name", "laptops").stdout
    assert "never" in running.cli("groups", "tokens", "list", "desks").stdout

    running.cli("groups", "tokens", "edit", "desks", "laptops", "--name", "desk", "--minutes", "60")
    [listed] = running.json("groups", "tokens", "list", "desks")
    assert (listed["name"], listed["expires_at"] is None) == ("desk", False)
    assert running.json("groups", "tokens", "edit", "desks", "desk", "--minutes", "none")["expires_at"] is None
    assert running.cli("groups", "tokens", "reveal", "desks", "desk").stdout == value
    for words in ((), ("--minutes", "soon")):
        running.cli("groups", "tokens", "edit", "desks", "desk", *words, code=2)
    running.cli("groups", "tokens", "delete", "desks", "desk", "--yes")
    assert running.json("groups", "show", "desks")["workers"] == []
    assert "There is none" in running.cli("groups", "tokens", "reveal", "desks", "desk", code=1).stderr
    running.cli("groups", "delete", "desks", "--yes")


def test_an_assistant_is_made_of_a_task_and_deleted(running, robot):
    """Its task is named by PACKAGE:TASK; its runs are listed."""
    running.cli("push", robot, "--name", "helper")
    made = running.cli("assistant", "create", "Helper", "helper:Go").stdout.strip()
    assert running.get(f"/assistants/{made}")["task"]["name"] == "Go"
    assert running.json("assistant", "runs", "Helper") == []
    running.cli("assistant", "create", "Other", "helper", code=2)
    assert "Nope" in running.cli("assistant", "create", "Other", "helper:Nope", code=1).stderr
    running.cli("assistant", "delete", "Helper", "--yes")
    assert "Helper" in running.cli("assistant", "runs", "Helper", code=1).stderr


def test_what_cannot_be_undone_asks_first(running):
    """Where nobody can be asked, deleting needs --yes."""
    running.cli("secrets", "set", "kept", "a=b")
    assert "--yes" in running.cli("secrets", "delete", "kept", code=2).stderr
    assert "kept" in running.cli("secrets", "list").stdout


def test_ids_that_do_not_exist_are_told(running):
    """An id that nothing has, or that is none, is a failure with the room's own words."""
    nothing = "00000000-0000-7000-8000-000000000000"
    for words in (["items", "show", nothing], ["runs", "show", nothing], ["process", "show", nothing]):
        refused = running.cli(*words, code=1)
        assert refused.stderr.startswith("controlroom: ")
        assert "Traceback" not in refused.stderr


def test_files_of_one_name_stay_two(running, robot, tmp_path):
    """The second gets a number, and that is told; the same file twice is one."""
    running.cli("push", robot, "--name", "steps")
    process = running.cli("process", "create", "with files", "--step", "go=steps:Go").stdout.strip()
    paths = [tmp_path / name / "r.csv" for name in "ab"]
    for path in paths:
        path.parent.mkdir()
        path.write_text(path.parent.name)
    odd = tmp_path / ("x" * 240 + "\t\n.txt")
    odd.write_text("")
    raw = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.txt"))
    raw.write_text("")
    options = [word for path in (*paths, paths[0], odd, raw) for word in ("--file", path)]

    made = running.cli("items", "create", process, *options)

    assert f"{paths[1]} is sent as 'r (2).csv': there is another 'r.csv'" in made.stderr
    files = running.json("items", "show", made.stdout.strip())["files"]
    assert sorted(file["name"] for file in files) == sorted(["r.csv", "r (2).csv", odd.name, "caf\ufffd.txt"])


@pytest.mark.parametrize("named", ["none", "folder", "pipe", "none/x", "/proc/self/status"])
def test_a_file_that_cannot_be_sent_is_refused_before_anything_is_made(running, robot, tmp_path, named):
    """In a sentence with its name."""
    running.cli("push", robot, "--name", "steps")
    process = running.cli("process", "create", f"refuses {named}", "--step", "go=steps:Go").stdout.strip()
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    path = tmp_path / named
    fine = tmp_path / "fine"
    fine.write_text("")

    for words in (
        ("run", process, "--file", fine, "--file", path),
        ("items", "create", process, "--file", path),
        ("assets", "set", f"asset {named}", "--file", path),
    ):
        refused = running.cli(*words, code=1)
        assert str(path) in refused.stderr
        assert len(refused.stderr.splitlines()) == 1
    assert running.json("items", "list", "--process", process) == []
    assert f"asset {named}" not in running.cli("assets", "list").stdout


def test_what_cannot_be_written_is_told(running, robot, tmp_path):
    """A folder, a place below a file, a name that no file can have; what was there stays."""
    running.cli("push", robot, "--name", "steps")
    running.cli("assets", "set", "some", "content")
    (tmp_path / "file").write_text("kept")
    for path in (tmp_path, tmp_path / "file" / "x", tmp_path / ("x" * 256)):
        for words in (("packages", "download", "steps"), ("assets", "get", "some")):
            refused = running.cli(*words, "-o", path, code=1)
            assert "cannot be written" in refused.stderr
            assert len(refused.stderr.splitlines()) == 1
    assert (tmp_path / "file").read_text() == "kept"
    longest = tmp_path / ("x" * 255)
    running.cli("assets", "get", "some", "-o", longest)
    assert longest.read_text() == "content"
    assert {path.name for path in tmp_path.iterdir()} == {"file", longest.name, robot.name}


def test_a_package_of_a_long_name_is_downloaded(running, robot):
    """Its file's name is as long as names can be."""
    running.cli("push", robot, "--name", "漢" * 200)

    file = Path(running.json("packages", "download", "漢" * 200)["file"])

    assert (file.suffix, len(os.fsencode(file.name)) <= 255) == (".zip", True)
