"""A misspelt variable is said when a part starts, and nothing else is."""

import pytest

from controlroom.host.variables import unknown_variables
from rooms import run_cli


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("CONTROLROOM_OUTGOING_ALOW", "CONTROLROOM_OUTGOING_ALLOW"),
        ("CONTROLROOM_DATABASEURL", "CONTROLROOM_DATABASE_URL"),
        ("CONTROLROOM_RUN_DAYS", "CONTROLROOM_LIMITS_RUN_DAYS"),
        ("CONTROLROOM_LIMITS_PAGESIZE", "CONTROLROOM_LIMITS_PAGE_SIZE"),
        ("CONTROLROOM_LINKTOKEN", "CONTROLROOM_LINK_TOKEN"),
        ("CONTROLROOM_COLOUR", None),
    ],
)
def test_what_nothing_reads_is_told_with_the_nearest_name(name, nearest):
    """Letters, separators and the word for limits are forgiven in the search for what was meant."""
    [found] = unknown_variables({name: "1", "PATH": "/bin"})
    assert (found.name, found.nearest) == (name, nearest)


@pytest.mark.parametrize(
    "name",
    [
        *("CONTROLROOM_DATA", "CONTROLROOM_LIMITS_RUN_DAYS", "CONTROLROOM_CONFIG"),
        *("CONTROLROOM_API_KEY", "CONTROLROOM_LINK_TOKEN", "CONTROLROOM_WORKER_NAME"),
        *("CONTROLROOM_BENCH_FINISHED", "CONTROLROOM_SOAK_MINUTES"),
        *("CONTROLROOM_SERVICE_HOST", "CONTROLROOM_SERVICE_PORT_HTTP", "CONTROLROOM_PORT_8170_TCP_ADDR"),
        "MY_CONTROLROOM_THING",
    ],
)
def test_what_some_part_owns_is_no_noise(name):
    """Settings, the client's and the worker's variables, those of tests, and what Kubernetes adds."""
    assert unknown_variables({name: "1"}) == []


def test_it_is_said_at_start():
    """On standard error, once, before anything else."""
    done = run_cli("up", "--tls-cert", "missing.pem", CONTROLROOM_DATABASEURL="postgresql:///room")
    assert done.stderr.startswith(
        "warning: CONTROLROOM_DATABASEURL is set, but there is no such setting; CONTROLROOM_DATABASE_URL is one\n"
    )
    assert done.stderr.count("warning") == 1
