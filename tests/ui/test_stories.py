"""Each verb of the console is walked through a browser by some story (`tests/e2e/test_stories_of_*.py`)."""

import runpy
from pathlib import Path

from console_walk import routes

TESTS = Path(__file__).parents[1]
ELSEWHERE = {
    "/login/oidc/link": ("e2e/test_oidc.py", "test_an_account_with_a_password_is_never_taken_in_silence"),
    "/w/{workspace:str}/items/jobs/{number:str}/stop": (
        "ui/items/test_items.py",
        "test_all_that_match_are_done_by_a_job_that_reports",
    ),
    "/w/{workspace:str}/runs/{number:str}/retry": (
        "ui/jobs/test_jobs.py",
        "test_a_run_of_a_job_goes_on_where_it_failed",
    ),
}
"""Verbs that need a provider of identities, a dbt project that fails, or luck: the test that walks each."""


def test_every_verb_is_in_a_story():
    """A further one is not without: whoever makes it adds it to the story of its noun, which fails until it does it."""
    files = [runpy.run_path(str(file)) for file in TESTS.glob("e2e/test_stories_of_*.py")]
    told = set().union(*(each.walks for file in files for each in file.values() if hasattr(each, "walks")))

    assert sorted(routes("POST").keys() - told - ELSEWHERE.keys()) == []
    assert ELSEWHERE.keys() - routes("POST").keys() == set()
    assert told & ELSEWHERE.keys() == set(), "it need not be named: a story walks it"
    for file, test in ELSEWHERE.values():
        assert f"def {test}(" in (TESTS / file).read_text(), (file, test)
