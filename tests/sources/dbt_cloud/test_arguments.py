"""What the source is told, and by what."""

import pytest

from controlroom.sources import dbt_cloud_source
from controlroom.sources.arguments import NotConfigured
from controlroom.sources.dbt_cloud.source import root_of


@pytest.mark.parametrize(
    ("said", "root"),
    [
        ("https://cloud.getdbt.com", "https://cloud.getdbt.com"),
        ("cloud.getdbt.com", "https://cloud.getdbt.com"),
        ("https://ab123.us1.dbt.com/", "https://ab123.us1.dbt.com"),
        ("https://cloud.getdbt.com/api/v2/", "https://cloud.getdbt.com"),
        ("http://127.0.0.1:8170/api/v3", "http://127.0.0.1:8170"),
        ("http://127.0.0.1:8170/api", "http://127.0.0.1:8170"),
    ],
)
def test_an_address_is_taken_with_the_path_of_the_api_or_without(said, root):
    """And a bare host is asked by https."""
    assert root_of(said) == root


def test_a_token_of_something_else_is_not_sent(monkeypatch):
    """A bare variable of the shell is nobody's configuration."""
    monkeypatch.setenv("API_TOKEN", "of something else")
    monkeypatch.setenv("ACCOUNT_ID", "7")
    with pytest.raises(NotConfigured, match="SOURCES__DBT_CLOUD__ACCOUNT_ID"):
        dbt_cloud_source(api_token="t")
    with pytest.raises(NotConfigured, match="SOURCES__DBT_CLOUD__API_TOKEN"):
        dbt_cloud_source(account_id=7)


def test_the_configuration_of_the_source_is_taken(monkeypatch):
    """From its own section of the environment, as dlt names it."""
    monkeypatch.setenv("SOURCES__DBT_CLOUD__API_TOKEN", "t")
    monkeypatch.setenv("SOURCES__DBT_CLOUD__ACCOUNT_ID", "7")
    assert {"runs", "run_artifact_get"} <= set(dbt_cloud_source().resources)


def test_every_row_of_the_page_is_a_resource():
    """By the names that the page's table has."""
    page = "account accounts projects environments jobs job runs run run_artifacts run_artifact_get repositories users"
    found = dbt_cloud_source(account_id=7, api_token="t").resources
    assert {*page.split(), "connections"} == set(found)


def test_a_file_that_is_none_of_dbts_is_refused():
    """By name, before anything is asked."""
    with pytest.raises(ValueError, match=r"manifest\.yml"):
        dbt_cloud_source(account_id=7, api_token="t", artifacts=["manifest.yml"])
