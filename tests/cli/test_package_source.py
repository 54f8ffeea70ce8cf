"""`controlroom packages source`: a package fetched from a repository of this machine."""

import shutil

import pytest

from repositories import ROBOT, served_over_https
from rooms import room

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A repository with a robot that asks for a password."""
    with served_over_https(tmp_path_factory.mktemp("git")) as (found, authority):
        found.password = "s3cret"
        found.authority = authority
        yield found


@pytest.fixture(scope="module")
def running(repository):
    """A room that may speak to this machine."""
    variables = {"CONTROLROOM_OUTGOING_ALLOW": "127.0.0.1", "SSL_CERT_FILE": str(repository.authority)}
    with room("--no-worker", **variables) as started:
        started.cli("secrets", "set", "git", "token=s3cret")
        yield started


def test_a_package_is_fetched_followed_and_let_go(running, repository):
    """It is made by its name; the hook's secret is printed this once; a fetch prints the commit that came."""
    first = repository.commit(robot_yaml=ROBOT.format(task="One"), tasks_py="")

    told = running.cli("packages", "source", "set", "invoices", repository.url, "--branch", "main", "--secret", "git")

    hook = running.json("packages", "source", "show", "invoices")["push_hook"]
    assert told.stdout.splitlines()[-1] == first
    assert hook["url"] in told.stdout
    assert list(hook) == ["url"]
    assert [task["name"] for task in running.json("packages", "show", "invoices")["tasks"]] == ["One"]
    listed = running.cli("packages", "source", "list").stdout
    assert all(word in listed for word in ("invoices", repository.url, "branch main", first[:12]))

    second = repository.commit(robot_yaml=ROBOT.format(task="Two"))
    assert running.cli("packages", "source", "fetch", "invoices").stdout.strip() == second
    running.cli("packages", "source", "delete", "invoices", "--yes")
    gone = running.cli("packages", "source", "fetch", "invoices", code=1)
    assert "packages source set" in gone.stderr
    assert [task["name"] for task in running.json("packages", "show", "invoices")["tasks"]] == ["Two"]


def test_a_source_is_edited(running, repository):
    """What is not named stays, the push hook too; a fetch that fails is told, and exits with 1."""
    repository.commit(robot_yaml=ROBOT.format(task="One"), tasks_py="")
    repository.git("tag", "v1")
    package = running.json("packages", "source", "set", "orders", repository.url, "--tag", "v1", "--secret", "git")

    refused = running.cli("packages", "source", "edit", "orders", "--no-secret", code=1)
    edited = running.json("packages", "source", "edit", package["package_id"], "--branch", "main", "--secret", "git")

    assert "git failed" in refused.stderr
    assert (edited["branch"], edited["tag"], edited["url"]) == ("main", None, repository.url)
    assert edited["push_hook"] == {"url": package["push_hook"]["url"]}
    renewed = running.json("packages", "source", "edit", "orders", "--new-hook")["push_hook"]["secret"]
    assert renewed not in {"", package["push_hook"]["secret"]}
    assert (edited["error"], edited["fetched_commit"]) == (None, repository.git("rev-parse", "HEAD"))


@pytest.mark.parametrize(
    "words",
    [
        ("set", "none", "https://git.example.com/robot.git"),
        ("set", "none", "https://git.example.com/robot.git", "--branch", "main", "--tag", "v1"),
        ("edit", "none"),
        ("edit", "none", "--branch", "main", "--tag", "v1"),
        ("edit", "none", "--secret", "git", "--no-secret"),
    ],
)
def test_what_contradicts_itself_is_misuse(running, words):
    """Nothing is made of it."""
    running.cli("packages", "source", *words, code=2)
    assert "none" not in running.cli("packages", "list").stdout


@pytest.mark.parametrize(
    "words",
    [
        ("git@git.example.com:robots.git", "--branch", "main"),
        ("http://git.example.com/robots.git", "--branch", "main"),
        ("https://git.example.com/robots.git", "--branch", "a..b"),
        ("https://git.example.com/robots.git", "--branch", "main", "--folder", "../x"),
    ],
)
def test_a_refused_source_leaves_nothing_behind(running, words):
    """No package of the name is there afterwards."""
    running.cli("packages", "source", "set", "wrong", *words, code=1)

    assert "wrong" not in running.cli("packages", "list").stdout


def test_a_robot_of_several_is_fetched_by_its_folder(running, repository):
    """Without a choice the failure lists them; the choice can be made later, and taken back."""
    for name in ("one", "two"):
        (repository.folder / name).mkdir()
        (repository.folder / name / "robot.yaml").write_text(ROBOT.format(task=name))
    (repository.folder / "robot.yaml").unlink(missing_ok=True)
    repository.commit(readme_md="")
    where = ("mono", repository.url, "--branch", "main", "--secret", "git")

    failed = running.cli("packages", "source", "set", *where, code=1)
    running.cli("packages", "source", "edit", "mono", "--folder", "two")

    assert "`one`, `two`" in failed.stderr
    assert [task["name"] for task in running.json("packages", "show", "mono")["tasks"]] == ["two"]
    assert running.json("packages", "source", "show", "mono")["folder"] == "two"
    assert "`one`, `two`" in running.cli("packages", "source", "edit", "mono", "--folder", ".", code=1).stderr
