"""Which commands of dbt may be run."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.robots.dbt_commands import ALLOWED, CommandRefused, checked, read

PLAIN = st.text("abcdefghij_+:.*,@/ äé'\"", min_size=1).filter(lambda word: not word.startswith("-"))
REFUSED = [
    *("--profiles-dir", "--project-dir", "--target-path", "--log-path", "--state", "--defer-state"),
    *("--deprecated-state", "--partial-parse-file-path", "--record-timing-info"),
    *("--upload-to-artifacts-ingest-api", "--no-clean-project-files-only", "--version"),
]


@pytest.mark.parametrize(
    ("line", "subcommand"),
    [
        ("dbt build", "build"),
        ("dbt  build --select 'state:modified+ tag:nightly' --full-refresh", "build"),
        ("dbt --warn-error run -s my_model+1 -x", "run"),
        ("dbt --log-format json --no-use-colors test", "test"),
        ("dbt -t prod run", "run"),
        ("dbt run-operation grant --args '{role: reader}'", "run-operation"),
        ("dbt source freshness", "source freshness"),
        ("dbt source --warn-error snapshot-freshness", "source snapshot-freshness"),
        ("dbt docs generate --no-compile", "docs generate"),
        ("dbt ls --output json --resource-type model", "ls"),
        ("dbt show -s orders --output json --limit 5", "show"),
        ('dbt compile --inline "select 1 -- no more"', "compile"),
        ('dbt seed --vars \'{"a": "b c"}\'', "seed"),
        ("dbt clean", "clean"),
        ("dbt deps --upgrade", "deps"),
    ],
)
def test_what_is_usual_may_be_run(line, subcommand):
    """The words are parted as a shell parts them, and the command is known wherever global options stand."""
    command = read(line)

    assert command.subcommand == subcommand
    assert command.words == tuple(shlex.split(line))


@pytest.mark.parametrize(
    "line",
    [
        *("", " ", "dbt", "dbt -x", "rm -rf /", "/usr/bin/dbt run", "./dbt run", "DBT run", "dbt; rm x", "'dbt run'"),
        *("dbt init", "dbt docs serve", "dbt docs", "dbt source", "dbt rpc", "dbt build'", "dbt --version"),
        *("dbt --log-format build", "dbt -v", "dbt -qV run", "dbt run -rtiming", "dbt run -xr timing"),
        *("dbt source freshness -o /etc/x", "dbt source freshness -o/etc/x", "dbt source freshness --output=../x"),
        *("dbt source freshness -so/x", "dbt source freshness -xo x")[1:],
        "python -c 'import dbt'",
    ],
)
def test_what_is_not_a_command_for_jobs_is_refused(line):
    """Other programs, commands that open a port or make a project, options that name a file, what cannot be read."""
    with pytest.raises(CommandRefused):
        read(line)


@given(st.sampled_from(sorted(ALLOWED)), st.lists(PLAIN, max_size=4), st.sampled_from(REFUSED), PLAIN, st.data())
def test_no_place_hides_a_refused_option(subcommand, words, option, value, data):
    """Before or behind the command, with its value or joined to it by a sign."""
    whole = ["dbt", *subcommand.split(), *words]
    written = data.draw(st.sampled_from([[option, value], [f"{option}={value}"], [option]]))
    place = data.draw(st.integers(1, len(whole)))

    with pytest.raises(CommandRefused):
        checked([*whole[:place], *written, *whole[place:]])


@given(st.sampled_from(sorted(ALLOWED)), st.lists(PLAIN, max_size=6))
def test_words_stay_as_they_are(subcommand, words):
    """No word that is no option keeps a command from being run, and none is changed on the way."""
    whole = ["dbt", *subcommand.split(), *words]

    assert read(shlex.join(whole)).words == tuple(whole)


@given(st.text(max_size=60))
def test_any_line_is_read_or_refused(line):
    """Nothing that somebody can type breaks it, and what is accepted begins with the program."""
    try:
        command = read(line)
    except CommandRefused:
        return
    assert command.words[0] == "dbt"
    assert command.subcommand in ALLOWED
