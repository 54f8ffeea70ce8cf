"""`controlroom dbt push`: a project with all that its jobs need, by one command."""

import json
from pathlib import Path

import pytest

from controlroom.cli.dbt.addresses import PASSWORD_VARIABLE, settings_of
from controlroom.cli.errors import Misused
from rooms import Room


@pytest.fixture
def project(tmp_path) -> Path:
    """A project with what stays at home."""
    folder = tmp_path / "shop"
    (folder / "models").mkdir(parents=True)
    (folder / "dbt_project.yml").write_text("name: shop\n")
    (folder / "models" / "a.sql").write_text("select 1 as a")
    (folder / "profiles.yml").write_text("password: hush")
    return folder


def push(running: Room, *words: object, **options) -> dict:
    """The ids that a push prints."""
    return json.loads(running.cli("dbt", "push", *words, "--json", **options).stdout)


def test_a_folder_is_pushed_again_and_again(running, project):
    """Every id stays; other files are a version of the same package; what stayed at home is told."""
    first = push(running, project)
    assert set(first) == {
        "account_id",
        "project_id",
        "repository_id",
        "connection_id",
        "credentials_id",
        "environment_id",
        "workspace_id",
    }
    assert push(running, project) == first
    (project / "models" / "a.sql").write_text("select 2 as a")
    again = running.cli("dbt", "push", project)
    assert f"environment id  {first['environment_id']}" in again.stdout
    assert "profiles.yml" in again.stderr


@pytest.mark.parametrize(("folder", "hint"), [("empty", "name that folder"), ("robot", "robots are pushed by")])
def test_what_is_no_project_is_said_in_its_own_words(running, tmp_path, folder, hint):
    """Nothing is said of robots to who has none."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "robot").mkdir()
    (tmp_path / "robot" / "robot.yaml").write_text("tasks:\n  A:\n    shell: 'true'\nartifactsDir: output\n")

    told = " ".join(running.cli("dbt", "push", tmp_path / folder, code=1).stderr.split())

    assert "there is no dbt_project.yml in" in told
    assert hint in told
    assert "robot.yaml" not in told


def test_a_password_comes_by_a_file(running, project, tmp_path):
    """With the address of a server, options and all; it is in no answer, and asked for no second time."""
    (tmp_path / "password").write_text("hush hush\n")
    words = (project, "--name", "shop of ben", "--connection", "postgresql://dbt@db.example.com/shop?sslmode=require")
    made = push(running, *words, "--password-file", tmp_path / "password", "--schema", "tables", "--threads", 2)

    assert push(running, project, "--name", "shop of ben") == made


def test_a_robot_is_no_project(running, tmp_path):
    """Nor is an empty folder; nothing is made for either."""
    (tmp_path / "robot.yaml").write_text("tasks: {x: {shell: x}}\nartifactsDir: o\n")
    done = running.cli("dbt", "push", tmp_path, "--name", "robot", code=1)
    assert "robots are pushed by" in done.stderr
    (tmp_path / "robot.yaml").unlink()
    assert "no dbt_project.yml" in running.cli("dbt", "push", tmp_path, code=1).stderr
    assert "no folder" in running.cli("dbt", "push", tmp_path / "none", code=1).stderr


def test_git_that_cannot_be_had_is_told(running):
    """The project is there, for another try; a folder beside it is misuse."""
    words = ("--git", "https://repository.invalid/shop", "--name", "from git")
    done = running.cli("dbt", "push", *words, code=1)
    assert "The project is there" in done.stderr
    assert "not both" in running.cli("dbt", "push", ".", *words, code=2).stderr
    assert "--name" in running.cli("dbt", "push", *words[:2], code=2).stderr


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("postgres://u:secret@h/d", PASSWORD_VARIABLE),
        ("postgres://u@h", "neither"),
        ("mysql://u@h/d", "neither"),
        ("postgres://u@h/d?password=x", "takes no password"),
        ("postgres://u@h:x/d", "no address"),
    ],
)
def test_an_address_that_cannot_be_is_misuse(address, said):
    """And a password in it is not repeated."""
    with pytest.raises(Misused) as refused:
        settings_of(address)
    assert said in f"{refused.value} {refused.value.hint}"
    assert "secret" not in f"{refused.value} {refused.value.hint}"


def test_an_address_is_read_as_others_write_it():
    """With quoted parts and the usual port."""
    settings = {"kind": "postgres", "host": "h", "port": 5432, "database": "a b", "sslmode": "require"}
    assert settings_of("postgres://d%40x@h/a%20b?sslmode=require") == (settings, {"username": "d@x"})
