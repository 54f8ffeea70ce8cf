"""An account of a live room, whose runs are worked by hand: they leave what dbt 1.11 has left of the orchard."""

from functools import partial
from pathlib import Path

import pytest

from controlroom.sources import dbt_cloud_source
from dialects.dbt_cloud.conftest import as_, cloud, site  # noqa: F401 - fixtures are found by being here
from sources.conftest import loading  # noqa: F401 - likewise

LEFT = {path.name.replace(".", "_"): path.read_bytes() for path in (Path(__file__).parent / "left").iterdir()}
"""As `Site.work` takes them: `manifest_json` and so on."""


@pytest.fixture
def source(room, cloud, ada):  # noqa: F811 - a fixture
    """Makes the source of the account, with ada's key."""
    return partial(dbt_cloud_source, account_id=cloud.account, api_token=ada.key, base_url=room.url)
