"""robot.yaml: what is read, what is refused and how, and which task and environment are chosen."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.errors import Invalid, NotFound
from controlroom.robots.definition import (
    Command,
    RobotTaskName,
    Shell,
    command_line,
    find_task,
    fits_platform,
    fitting_environment,
    folder_source,
    parse_robot,
    read_robot,
    read_robot_of,
)

FULL = """
tasks:
  Produce the work:
    shell: python -m robocorp.tasks run tasks.py -t "produce work"
  Robot Framework:
    robotTaskName: Do it
  Plain:
    command: [python, main.py, 3.10, no]
devTasks:
  Lint:
    shell: ruff check
environmentConfigs:
  - environment_linux_amd64_freeze.yaml
  - conda.yaml
condaConfigFile: old/conda.yaml
preRunScripts:
  - setup_linux.sh --fast
artifactsDir: ./output
PATH: [., bin]
PYTHONPATH: [., libs\\shared]
ignoreFiles: [.gitignore]
somethingElse: {is: fine}
"""


def robot(*names, extra=""):
    """A robot with shell tasks of these names."""
    tasks = "\n".join(f"  {name!r}: {{shell: echo}}" for name in names)
    return parse_robot(f"tasks:\n{tasks}\nartifactsDir: output\n{extra}")


def test_every_key_is_read():
    """Each key of robot.yaml arrives in the definition; unknown keys do no harm."""
    read = parse_robot(FULL)

    assert [(task.name, task.start) for task in read.tasks] == [
        ("Produce the work", Shell('python -m robocorp.tasks run tasks.py -t "produce work"')),
        ("Robot Framework", RobotTaskName("Do it")),
        ("Plain", Command(("python", "main.py", "3.10", "no"))),
    ]
    assert [task.name for task in read.dev_tasks] == ["Lint"]
    assert read.environment_configs == ("environment_linux_amd64_freeze.yaml", "conda.yaml")
    assert read.conda_config_file == "old/conda.yaml"
    assert read.pre_run_scripts == ("setup_linux.sh --fast",)
    assert read.artifacts_dir == "output"
    assert read.path == (".", "bin")
    assert read.pythonpath == (".", "libs/shared")
    assert read.ignore_files == (".gitignore",)


def test_a_byte_order_mark_and_empty_sections_are_fine(tmp_path):
    """What editors on Windows and templates leave in the file does not matter."""
    (tmp_path / "robot.yaml").write_text(
        "tasks:\r\n  a:\r\n    shell: echo\r\nartifactsDir: output\r\nPATH:\r\ndevTasks:\r\n", encoding="utf-8-sig"
    )

    (root, read) = read_robot(tmp_path)

    assert root == tmp_path
    assert read.path == ()
    assert read.dev_tasks == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "robot.yaml is empty"),
        ("# only a comment", "robot.yaml is empty"),
        ("tasks: [", "line 1: this is no valid YAML"),
        ("tasks:\n  a: {shell: b}\n c: d", "line 3: this is no valid YAML"),
        ("\x00", "no valid YAML"),
        ("- a", "line 1: the file must be a mapping"),
        ("artifactsDir: output", "`tasks` must be a mapping with at least one task"),
        ("tasks: {}\nartifactsDir: output", "`tasks` must be a mapping with at least one task"),
        (
            "tasks:\n- a\nartifactsDir: output",
            "line 2: `tasks` must be a mapping (key: value), but a list stands there",
        ),
        ("tasks: {a: {shell: b}}", "`artifactsDir` must be the name of the folder for results"),
        ("tasks: {a: {shell: b}}\nartifactsDir:", "line 2: `artifactsDir` must be"),
        ("tasks: {a: {shell: b}}\nartifactsDir: ../out", "line 2: `artifactsDir` must be inside the robot's folder"),
        ("tasks: {a: {shell: b}}\nartifactsDir: /out", "inside the robot's folder, which `/out` is not"),
        ("tasks: {a: {shell: b}}\nartifactsDir: 'C:\\out'", "inside the robot's folder"),
        (
            "tasks:\n  a: {}\nartifactsDir: o",
            "line 2: task `a` must have exactly one of robotTaskName, shell and command",
        ),
        ("tasks:\n  a: {shell: x, command: [y]}\nartifactsDir: o", "but has shell and command"),
        (
            "tasks:\n  a: echo\nartifactsDir: o",
            "line 2: `tasks.a` must be a mapping (key: value), but a text stands there",
        ),
        ("tasks:\n  a:\n    shell: [x]\nartifactsDir: o", "line 3: `tasks.a.shell` must be a text, but a list stands"),
        ("tasks:\n  a:\n    shell: echo 'x\nartifactsDir: o", "task `a`: the command line `echo 'x` cannot be split"),
        ("tasks:\n  a:\n    shell: '  '\nartifactsDir: o", "the command line is empty"),
        ("tasks:\n  a:\n    command: echo\nartifactsDir: o", "line 3: `tasks.a.command` must be a list"),
        ("tasks:\n  a:\n    command: []\nartifactsDir: o", "`tasks.a.command` must be a list of words"),
        (
            "tasks:\n  a:\n    command: [x, {y: z}]\nartifactsDir: o",
            "`tasks.a.command[1]` must be a text, but a mapping",
        ),
        ("tasks:\n  a: {shell: x}\n  a: {shell: y}\nartifactsDir: o", "line 3: the key `a` stands twice"),
        ("tasks:\n  ' ': {shell: x}\nartifactsDir: o", "a task without a name"),
        ("tasks: {a: {shell: b}}\nartifactsDir: o\nPATH: bin", "line 3: `PATH` must be a list"),
        ("tasks: {a: {shell: b}}\nartifactsDir: o\nenvironmentConfigs: [../x.yaml]", "inside the robot's folder"),
        ('tasks: {a: {shell: b}}\nartifactsDir: o\npreRunScripts: ["a \'b"]', "preRunScripts: the command line"),
        ('tasks: {a: {shell: "b\\0c"}}\nartifactsDir: o', "NUL character"),
        ('tasks: {a: {shell: "b\\ud800c"}}\nartifactsDir: o', "line 1: this is no valid YAML: an escape"),
        ('tasks:\n  "\\udc00\\ud800": {shell: b}\nartifactsDir: o', "line 2: this is no valid YAML: an escape"),
        ("? [a]\n: b", "line 1: the file must be a plain key"),
        ("a: " + "[" * 5000, "nested too deeply"),
        ("a: " + "x" * 300_000, "longer than 256 KiB"),
        ("a: *b", "no valid YAML"),
    ],
)
def test_a_refusal_says_where_and_what(text, said):
    """A robot author reads the line, the key and what was expected."""
    with pytest.raises(Invalid) as failure:
        parse_robot(text)

    assert failure.value.code == "PACKAGE_INVALID"
    assert said in str(failure.value)


def test_tags_of_python_are_not_obeyed():
    """A tag that would build an object is a text like any other."""
    read = parse_robot(
        "tasks: {a: {shell: !!python/object/apply:os.system [x]}, b: {shell: c}}\nartifactsDir: o".replace("[x]", "x")
    )

    assert read.tasks[0].start == Shell("x")


def is_robot_or_invalid(text):
    """Whether reading a text ends in one of the two ways it may; any other failure comes out."""
    try:
        parse_robot(text)
    except Invalid as failure:
        return failure.code == "PACKAGE_INVALID"
    return True


@given(st.text() | st.text(alphabet="tasks: \n-[]{}&*!'\"|>shelartifcDo#%@\t?"))
def test_any_text_is_a_robot_or_invalid(text):
    """Nothing but Invalid is ever raised by a text."""
    assert is_robot_or_invalid(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = ["tasks", "devTasks", "artifactsDir", "environmentConfigs", "condaConfigFile", "preRunScripts", "PATH"]


@given(
    st.dictionaries(st.sampled_from(KEYS), JSON | st.dictionaries(st.text(), st.dictionaries(st.just("shell"), JSON)))
)
def test_any_shape_is_a_robot_or_invalid(shape):
    """Known keys with values of any shape give a robot or Invalid."""
    assert is_robot_or_invalid(json.dumps(shape))  # JSON is YAML


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("Produce", "Produce"),
        (" Produce ", "Produce"),
        ('"Produce"', "Produce"),
        ("' Produce '", "Produce"),
        ("produce", "produce"),
        ("PRODUCE", "Produce"),
        ("consume", "CONSUME"),
    ],
)
def test_a_task_is_found_by_name(asked, found):
    """Quotes and blanks around a name are ignored; the exact name comes before one of another case."""
    assert find_task(robot("Produce", "produce", "CONSUME"), asked).name == found


@pytest.mark.parametrize("asked", ["missing", "Prod", "", None, " ", "''"])
def test_an_unknown_task_names_those_there_are(asked):
    """Who asks for no task or one that is not there reads which there are."""
    with pytest.raises(NotFound) as failure:
        find_task(robot("Produce", "Consume"), asked)

    assert failure.value.code == "TASK_NOT_FOUND"
    assert "`Consume`, `Produce`" in str(failure.value)


def test_the_only_task_needs_no_name():
    """Without a name, the only task is meant."""
    assert find_task(robot("Only"), None).name == "Only"


def test_command_lines():
    """Each form of a task gives its words: as a shell would split them, as they stand, or Robot Framework's."""
    shell, framework, command = parse_robot(FULL).tasks

    assert command_line(shell, artifacts_dir="/a") == [
        *("python", "-m", "robocorp.tasks", "run", "tasks.py", "-t", "produce work")
    ]
    assert command_line(framework, artifacts_dir="/out put", python="/env/bin/python") == [
        *("/env/bin/python", "-m", "robot", "--report", "NONE", "--outputdir", "/out put"),
        *("--logtitle", "Task log", "--task", "Do it", "."),
    ]
    assert command_line(command, artifacts_dir="/a") == ["python", "main.py", "3.10", "no"]


def test_packages_of_before_have_the_least_deep_robot(tmp_path):
    """Where nobody said in which folder the robot of a package lies, the robot.yaml nearest to the top was meant."""
    for place in ("z/deep/deeper", "b/two", "c/two", ".venv"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "robot.yaml").write_text(f"tasks: {{'{place}': {{shell: x}}}}\nartifactsDir: o")

    root, read = read_robot_of(tmp_path, None)

    assert root == tmp_path / "b" / "two"
    assert read.tasks[0].name == "b/two"
    assert read_robot_of(tmp_path, "c/two")[0] == tmp_path / "c" / "two"


def test_a_folder_without_robot_says_so(tmp_path):
    """A folder that is no robot is refused by its name."""
    with pytest.raises(Invalid, match=r"no robot\.yaml in test_a_folder"):
        read_robot(tmp_path)


def test_a_robot_yaml_that_leads_out_is_refused(tmp_path):
    """robot.yaml must be in the folder, not a link to something else of the machine."""
    (tmp_path / "robot").mkdir()
    (tmp_path / "elsewhere.yaml").write_text("tasks: {a: {shell: x}}\nartifactsDir: o")
    (tmp_path / "robot" / "robot.yaml").symlink_to(tmp_path / "elsewhere.yaml")

    with pytest.raises(Invalid, match="leads out"):
        read_robot(tmp_path / "robot")


def test_a_robot_yaml_in_another_encoding_is_refused(tmp_path):
    """A file that is no UTF-8 is said to be so."""
    (tmp_path / "robot.yaml").write_bytes("tasks: {ä: {shell: x}}\nartifactsDir: o".encode("latin-1"))

    with pytest.raises(Invalid, match=r"robot\.yaml is not in UTF-8"):
        read_robot(tmp_path)


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        ("conda.yaml", True),
        ("setup.sh", True),
        ("conda_linux.yaml", True),
        ("conda_LINUX.yaml", True),
        ("conda_windows.yaml", False),
        ("conda_darwin_arm64.yaml", False),
        ("conda_arm64.yaml", False),
        ("linux_or_windows.yaml", True),
        ("conda_linux_amd64.yaml", True),
        ("windows_amd64.yaml", False),
        ("scripts/setup_windows.bat --all", False),
    ],
)
def test_platforms_are_told_by_names(name, fits):
    """A name fits if the platforms that it mentions, if any, include this one."""
    assert fits_platform(name, "linux", "x86_64") is fits


@pytest.mark.parametrize(
    ("listed", "present", "chosen"),
    [
        (["a.yaml", "b.yaml"], ["a.yaml", "b.yaml"], "a.yaml"),
        (["a.yaml", "b.yaml"], ["b.yaml"], "b.yaml"),
        (["windows.yaml", "b.yaml"], ["windows.yaml", "b.yaml"], "b.yaml"),
        (["environment_linux_amd64_freeze.yaml", "b.yaml"], ["environment_linux_amd64_freeze.yaml"], None),
        (["env_linux_amd64_freeze.yaml"], ["env_linux_amd64_freeze.yaml"], "env_linux_amd64_freeze.yaml"),
        (["freeze.yaml", "b.yaml"], ["freeze.yaml", "b.yaml"], "b.yaml"),
        (["linux_freeze.yaml", "b.yaml"], ["linux_freeze.yaml", "b.yaml"], "b.yaml"),
        (["a_b_c_d.yaml", "b.yaml"], ["a_b_c_d.yaml", "b.yaml"], "b.yaml"),
        (["a_b_c.yaml", "b.yaml"], ["a_b_c.yaml", "b.yaml"], "a_b_c.yaml"),
        (["a_linux_amd64_x.yaml"], ["a_linux_amd64_x.yaml"], "a_linux_amd64_x.yaml"),
        (["gone.yaml"], ["old.yaml", "requirements.txt"], "old.yaml"),
        (["sub/a.yaml"], ["sub/a.yaml"], "sub/a.yaml"),
    ],
)
def test_the_first_fitting_environment_is_chosen(tmp_path, listed, present, chosen):
    """The first listed file that exists and fits; then condaConfigFile."""
    if chosen is None:  # the marker is there: the file is taken though a plain one follows
        chosen = listed[0]
    for name in present:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    read = robot("a", extra=f"environmentConfigs: {listed}\ncondaConfigFile: old.yaml\n")

    assert fitting_environment(read, folder_source(tmp_path)) == chosen


@pytest.mark.parametrize(
    ("present", "chosen"),
    [
        (["requirements.txt", "pyproject.toml"], "requirements.txt"),
        (["pyproject.toml"], "pyproject.toml"),
        ([], None),
    ],
)
def test_files_of_the_language_are_taken_where_none_is_named(tmp_path, present, chosen):
    """Where robot.yaml names no environment file: requirements.txt, then pyproject.toml."""
    for name in present:
        (tmp_path / name).write_text("[project]\nname = 'x'\n" if name.endswith("toml") else "")

    assert fitting_environment(robot("a"), folder_source(tmp_path)) == chosen


def test_the_other_machine_chooses_its_own(tmp_path):
    """The same robot takes another file on another platform."""
    names = ["environment_windows_amd64_freeze.yaml", "environment_darwin_arm64_freeze.yaml"]
    for name in names:
        (tmp_path / name).touch()
    read = robot("a", extra=f"environmentConfigs: {names}")

    assert fitting_environment(read, folder_source(tmp_path), system="darwin", machine="aarch64") == names[1]


def test_no_environment_file_at_all_is_fine(tmp_path):
    """A robot that names none and has none runs with what is there; a pyproject.toml about tools only is none."""
    (tmp_path / "pyproject.toml").write_text("[tool.ruff]\nline-length = 100\n")

    assert fitting_environment(robot("a"), folder_source(tmp_path)) is None


def test_environment_files_that_are_named_but_not_there_are_a_fault(tmp_path):
    """A robot that names environment files of which none can be used is refused, whatever else lies there."""
    read = robot("a", extra="environmentConfigs: [conda_windows.yaml, gone.yaml]")
    (tmp_path / "conda_windows.yaml").touch()
    (tmp_path / "requirements.txt").touch()

    with pytest.raises(Invalid, match=r"linux_amd64 .*conda_windows\.yaml, gone\.yaml"):
        fitting_environment(read, folder_source(tmp_path))
