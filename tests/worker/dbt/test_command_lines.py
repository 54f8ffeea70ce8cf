"""The words by which a command is started."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.errors import Invalid
from controlroom.worker.dbt.command_lines import Setting, going_on_from, variables, words

SETTING = Setting(profiles="/p", logs="/l", target="prod", threads=3)
PLACES = ["--profiles-dir", "/p", "--log-path", "/l", "--target", "prod"]


def line(text: str, setting: Setting = SETTING) -> list[str]:
    return list(words(shlex.split(text), setting))


@pytest.mark.parametrize(
    ("given_line", "own"),
    [
        ("dbt build -s x", [*PLACES, "--target-path", "target", "--threads", "3"]),
        ("dbt source freshness", [*PLACES, "--target-path", "target", "--threads", "3"]),
        ("dbt ls --output json", [*PLACES, "--target-path", "target"]),
        ("dbt clean", [*PLACES, "--target-path", "target"]),
        ("dbt docs generate", ["--static", *PLACES, "--target-path", "target", "--threads", "3"]),
        ("dbt docs generate --static", [*PLACES, "--target-path", "target", "--threads", "3"]),
        ("dbt deps", PLACES),
        ("dbt debug", PLACES),
    ],
)
def test_the_runs_own_options_stand_last(given_line, own):
    """Each command gets those that it knows, behind the user's words, which stay as they are."""
    assert line(given_line) == [*shlex.split(given_line)[1:], *own]


@pytest.mark.parametrize(
    "given_line",
    [
        "dbt --target dev run --threads 9",
        "dbt -t dev run --threads=9",
        "dbt -tdev run --profile other",
        "dbt --target=dev run -t x",
    ],
)
def test_the_run_wins_over_the_user(given_line):
    """Target, threads and profile are the run's: a user's are taken out, also where dbt would refuse both."""
    assert line(given_line) == ["run", *PLACES, "--target-path", "target", "--threads", "3"]


@pytest.mark.parametrize(
    "given_line",
    [
        "sh -c 'dbt run'",
        "dbt run --profiles-dir .",
        "dbt run --target-path=/tmp",
        "dbt --log-path x run",
        "dbt run --state x",
        "dbt init",
        "dbt docs serve",
        "dbt run -- --threads 1",
        "dbt",
    ],
)
def test_what_would_leave_the_run_is_refused(given_line):
    """Other programs, folders of the user's own, and what ends the options."""
    with pytest.raises(Invalid):
        line(given_line)


def test_deferral():
    """The manifest's folder is the state, and dbt defers to it unless the user has said whether it shall."""
    setting = Setting(profiles="/p", logs="/l", target="prod", threads=3, defers_to="/d")

    assert line("dbt build", setting)[-3:] == ["--state", "/d", "--defer"]
    assert line("dbt build --no-defer", setting)[-2:] == ["--state", "/d"]
    assert line("dbt clone", setting)[-2:] == ["--state", "/d"]
    assert "--state" not in line("dbt deps", setting)
    going_on = line("dbt retry", going_on_from(setting, "/s"))
    assert going_on[-5:] == ["--state", "/s", "--defer-state", "/d", "--defer"]


def test_a_profile_that_the_project_does_not_name():
    """It is named for it."""
    setting = Setting(profiles="/p", logs="/l", target="prod", threads=3, profile="default")

    assert line("dbt run", setting)[-6:-4] == ["--profile", "default"]


WORDS = st.sampled_from(["run", "docs", "generate", "-s", "x", "--vars", "{}", "-t", "--target", "--defer", "-q", "--"])


@given(st.lists(WORDS, max_size=6))
def test_the_places_are_always_the_runs(some):
    """Whatever is written, a command that is taken ends with the run's own options, and none comes before."""
    try:
        found = words(["dbt", *some], SETTING)
    except Invalid:
        return

    assert [word for word in found if word.startswith(("--profiles-dir", "--log-path", "--target"))] == [
        word for word in found[-10:] if word.startswith(("--profiles-dir", "--log-path", "--target"))
    ]
    assert variables(SETTING)["DBT_PROFILES_DIR"] == "/p"
