"""The pages of the sources tell their tables as they are."""

import pytest

from controlroom.sources.automation360.source import automation360_source
from controlroom.sources.automation360.tables import TABLES as OF_AUTOMATION360
from controlroom.sources.dbt_cloud.source import dbt_cloud_source
from controlroom.sources.dbt_cloud.tables import TABLES as OF_DBT_CLOUD
from controlroom.sources.robocorp.source import robocorp_source
from controlroom.sources.robocorp.tables import TABLES as OF_ROBOCORP
from sources.documents import DOCUMENTS, SOURCES, document

NOWHERE = "http://127.0.0.1:1"


@pytest.mark.parametrize("source", SOURCES)
def test_a_page_tells_the_tables_of_its_source(source):
    """Else `make coverage-table` has not been called."""
    text = (DOCUMENTS / f"{source}.md").read_text(encoding="utf-8")

    assert document(source, text) == text


def test_the_declared_tables_are_those_of_the_resources():
    """`controlroom load SOURCE --list` tells the ones, `--resources` takes the others."""
    of_robocorp = robocorp_source(workspace_id="w", api_key="k", base_url=NOWHERE)
    of_automation360 = automation360_source(NOWHERE, username="ada", api_key="k")
    of_dbt_cloud = dbt_cloud_source(account_id=1, api_token="t", base_url=NOWHERE)
    assert {*of_robocorp.resources} == {table.name for table in OF_ROBOCORP}
    assert {*of_automation360.resources} == {table.name for table in OF_AUTOMATION360}
    assert {*of_dbt_cloud.resources} == {table.name for table in OF_DBT_CLOUD}
