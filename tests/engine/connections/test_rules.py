"""What connections may be, and what a tool is given of them."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from controlroom.engine.connections.errors import (
    AttributesInvalid,
    ConnectionInvalid,
    ConnectionMissing,
    LoginInvalid,
    LoginUnfit,
)
from controlroom.engine.connections.model import (
    ConnectionKind,
    DuckdbSettings,
    LoginDefinition,
    Overrides,
    PostgresSettings,
    Storage,
)
from controlroom.engine.connections.rules import (
    MASK,
    checked_attributes,
    checked_login,
    checked_settings,
    hidden,
    kept,
    literal,
    output_of,
    secrets_of,
    target_name_of,
)
from controlroom.ids import WorkerId, uuid7

SERVER = PostgresSettings(host="db.example", database="sales", sslmode="require")
FILE = DuckdbSettings(path="sales.duckdb", extensions=["json"], settings={"memory_limit": "1GB"})
ADA = LoginDefinition(kind=ConnectionKind.POSTGRES, username="ada", password="hunter22", schema_name="marts", threads=8)
NOTHING = Overrides()


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        (PostgresSettings(host="", database="x"), "host"),
        (PostgresSettings(host="/var/run/postgresql", database="x"), "host"),
        (PostgresSettings(host="h", port=0, database="x"), "port"),
        (PostgresSettings(host="h", database=" "), "database"),
        (PostgresSettings(host="h", database="x", sslmode="perhaps"), "sslmode"),
        (DuckdbSettings(path="../x.duckdb"), "path"),
        (DuckdbSettings(path="a/b.duckdb"), "path"),
        (DuckdbSettings(path=":memory:"), "path"),
        (DuckdbSettings(folder="/data"), "folder"),
        (DuckdbSettings(storage=Storage.WORKER), "folder"),
        (DuckdbSettings(storage=Storage.WORKER, folder="/data/../etc", worker_id=WorkerId(uuid7())), "folder"),
        (DuckdbSettings(storage=Storage.WORKER, folder="/data"), "placement"),
        (DuckdbSettings(extensions=["x'; drop"]), "extensions"),
        (DuckdbSettings(settings={"s3_secret_access_key": "x"}), "settings"),
    ],
)
def test_settings_lead_somewhere(settings, field):
    """A server has an address, a file a plain name; what is with workers says where, and with whom."""
    with pytest.raises(ConnectionInvalid) as refused:
        checked_settings(settings)
    assert refused.value.fields["field"] == field


def test_a_file_with_workers_needs_a_placement():
    """One worker or one group has the folder."""
    checked_settings(DuckdbSettings(storage=Storage.WORKER, folder="/data", worker_id=WorkerId(uuid7())))


@pytest.mark.parametrize(
    "login",
    [LoginDefinition(kind=ConnectionKind.POSTGRES, **wrong) for wrong in ({"threads": 0}, {"username": "a\nb"})],
)
def test_a_log_in_can_be_written_down(login):
    """Threads are positive, names are lines."""
    with pytest.raises(LoginInvalid):
        checked_login(login)


def test_a_server_is_told_with_who_logs_in():
    """The output of a profile for PostgreSQL, as the tool reads it."""
    assert output_of(SERVER, ADA, {}, NOTHING) == {
        "type": "postgres",
        "host": "db.example",
        "port": 5432,
        "dbname": "sales",
        "user": "ada",
        "password": "hunter22",
        "schema": "marts",
        "threads": 8,
        "sslmode": "require",
    }


def test_a_file_needs_nobody():
    """The output for DuckDB has a schema without a log-in, and no path: that is the worker's."""
    assert output_of(FILE, None, {}, NOTHING) == {
        "type": "duckdb",
        "schema": "main",
        "threads": 4,
        "extensions": ["json"],
        "settings": {"memory_limit": "1GB"},
    }


def test_a_run_says_last():
    """Attributes go over settings, and a run's own words over all."""
    over = Overrides(schema="pr_7", threads=2, target_name="ci")

    output = output_of(SERVER, ADA, {"schema": "other", "keepalives_idle": 5}, over)

    assert (output["schema"], output["threads"], output["keepalives_idle"]) == ("pr_7", 2, 5)
    assert target_name_of(ADA, over) == "ci"
    assert target_name_of(None, NOTHING) == "default"


def test_nobody_logs_in_with_another_kinds_log_in():
    """A server wants a user of its own kind."""
    with pytest.raises(LoginUnfit):
        output_of(FILE, ADA, {}, NOTHING)
    with pytest.raises(ConnectionMissing):
        output_of(SERVER, None, {}, NOTHING)


@pytest.mark.parametrize("ours", ["type", "path", "Plugins", "module_paths"])
def test_attributes_leave_the_room_its_own(ours):
    """What the worker says about a file, and which code is loaded, is not for attributes."""
    with pytest.raises(AttributesInvalid):
        checked_attributes({ours: "x"})


def test_secrets_of_attributes_are_masked_and_kept():
    """A mask hides each secret, and stands for it when it is brought back; a named variable is no secret."""
    clear = {
        "secrets": [{"type": "s3", "secret": "s3cr3t!", "key_id": "me"}],
        "private_key": "{{ env_var('DBT_ENV_SECRET_KEY') }}",
        "nested": {"token": "abcdef"},
    }

    shown = hidden(clear)

    assert shown["nested"] == {"token": MASK}
    assert shown["private_key"] == clear["private_key"]
    assert "s3cr3t!" not in str(shown)
    assert kept(shown, clear) == clear
    assert set(secrets_of(ADA, clear)) >= {"hunter22", "s3cr3t!", "abcdef"}


jsons = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["token", "schema", "password", "a"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["token", "role", "passwd", "b"]), jsons, max_size=4))
def test_what_is_shown_brought_back_is_what_there_was(attributes):
    """Whoever edits what they were shown changes no secret."""
    assert kept(hidden(attributes), attributes) == attributes


def _rendered(template: str) -> str:
    """What the tool makes of a template that is one string, as its lexer reads strings."""
    inside = re.fullmatch(r'\{\{ "((?:[^"\\]|\\.)*)" \}\}', template)
    assert inside is not None
    return inside[1].encode("ascii", "backslashreplace").decode("unicode-escape")


@given(st.text() | st.text(alphabet="{}%#\"'\\\n\r ä"))
@example("{{ x }}")
@example('{{"}}"')
@example("a\\{{\n}}")
@example("{% raw %}{% endraw %}")
def test_no_password_is_a_template(text):
    """Whatever somebody's password is, the tool reads just that."""
    written = literal(text)
    if written == text:
        assert not any(mark in text for mark in ("{{", "{%", "{#"))
    else:
        assert _rendered(written) == text
