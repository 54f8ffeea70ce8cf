"""What a load inside the room goes by: what is said, where secrets stand, and what is refused."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.sources.package.settings import (
    DATABASE,
    DATASET,
    DESTINATION,
    HERE,
    NEEDED,
    RESOURCES,
    SOURCE,
    Unusable,
    missing_in,
    settings,
)

KEY = {"workspace_id": "w-1", "api_key": "crk-very-secret"}
STEP = {SOURCE: "robocorp", DATABASE: "/robot/database/room.duckdb"}


def test_a_step_with_a_database_loads_into_its_file():
    """Arguments of the source stand where dlt looks for them; the dataset is called like the source."""
    wanted = settings(STEP, KEY)

    assert (wanted.destination, wanted.dataset) == ("duckdb:/robot/database/room.duckdb", "robocorp")
    assert wanted.values == {"sources.robocorp.workspace_id": "w-1", "sources.robocorp.api_key": "crk-very-secret"}


def test_a_destination_that_is_named_wins_and_has_its_own_secrets():
    """By dlt's names."""
    variables = {**STEP, DESTINATION: "postgres", DATASET: "rooms", RESOURCES: "process_runs,workers"}
    wanted = settings(variables, {**KEY, "destination.postgres.credentials": "postgresql://…"})

    assert (wanted.destination, wanted.dataset, wanted.resources) == ("postgres", "rooms", ("process_runs", "workers"))
    assert wanted.values["destination.postgres.credentials"] == "postgresql://…"


def test_here_is_the_room_as_its_worker_reaches_it():
    """Whatever address the secret has."""
    variables = {**STEP, SOURCE: "automation360", HERE: "yes", "RC_API_URL_V1": "http://room:8170/api/v1"}
    wanted = settings(variables, {"username": "ada", "api_key": "secret-key"})

    assert wanted.values["sources.automation360.base_url"] == "http://room:8170"


def test_a_start_says_what_it_wants_of_it():
    """Its payload goes before what the step says; a time without a zone is UTC."""
    wanted = settings({**STEP, RESOURCES: "workers"}, KEY, {"resources": [], "full": True, "since": "2026-01-31"})

    assert (wanted.resources, wanted.full) == ((), True)
    assert wanted.since == dt.datetime(2026, 1, 31, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("variables", "secret", "payload", "why"),
    [
        ({**STEP, SOURCE: "nothing"}, KEY, None, "robocorp, automation360, dbt_cloud"),
        (STEP, {"workspace_id": "w"}, None, "api_key"),
        ({SOURCE: "robocorp"}, KEY, None, "no database"),
        (STEP, KEY, {"since": "yesterday"}, "since"),
        (STEP, KEY, {"resources": "workers"}, "list of names"),
    ],
)
def test_what_nothing_can_be_loaded_by_is_told(variables, secret, payload, why):
    """In words that say what is missing."""
    with pytest.raises(Unusable, match=why):
        settings(variables, secret, payload)


def test_a_secret_is_measured_by_the_way_of_logging_in_that_it_comes_nearest_to():
    """A password does where there is no key."""
    assert missing_in("automation360", ["base_url", "username", "password"]) == ()
    assert missing_in("automation360", ["base_url"]) in {("username", "api_key"), ("username", "password")}
    assert {missing_in(source, []) for source in NEEDED} == {keys[0] for keys in NEEDED.values()}


@given(st.text(min_size=4, alphabet="abc:/@!"), st.text(alphabet="abc:/@! "))
def test_no_secret_stands_in_what_is_told(secret, text):
    """Whatever stands around it, and wherever dlt puts it."""
    wanted = settings(STEP, {**KEY, "api_key": secret, "destination.postgres.password": secret[::-1]})

    told = wanted.masked(f"{text}{secret}{secret[::-1]}{text}")

    assert secret not in told
    assert secret[::-1] not in told
    assert secret not in repr(wanted)
