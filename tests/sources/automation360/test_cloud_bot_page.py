"""The sample of the page on Cloud bot, corrected, runs as a reader of the page would run it."""

import shutil
from pathlib import Path

import duckdb
import pytest
from tests.dialects.automation360.test_deploy import bot, device  # noqa: F401
from tests.sources.automation360.conftest import own_room as room  # noqa: F401

from controlroom.engine.access import user_keys
from sources.samples import SAMPLES, run_sample

SAMPLE = SAMPLES / "cloud_bot_pipeline.py"


@pytest.fixture
def folder(tmp_path, room, root):  # noqa: F811
    """A project folder with the sample, and secrets as the page says; `fill` writes the key in."""
    shutil.copy(SAMPLE, tmp_path)
    (tmp_path / ".dlt").mkdir()

    def fill(key: str) -> Path:
        secrets = f'[sources.cloud_bot_source]\ncontrol_room_url = "{room.url}"\n'
        secrets += f'username = "{root.actor.name}"\napi_key = "{key}"\n'
        (tmp_path / ".dlt" / "secrets.toml").write_text(secrets)
        return tmp_path

    return fill


async def test_the_sample_of_the_page_loads_each_of_its_resources(room, root, bot, device, folder):  # noqa: F811
    """Every row that the page's paths tell is there, over more pages than one."""
    await root.post("/v4/automations/deploy", {"botId": bot, "headlessRequest": {"numberOfExecutions": 101}})
    _, key = await user_keys.make(room.engine, root.actor, root.actor.id)
    place = folder(key)

    said = await run_sample(SAMPLE.name, place, seconds=240)

    assert "contains no failed jobs" in said
    told = {
        "automations": await root.get("/v3/automations", length=1000),
        "executions": await root.get("/v3/automations/executions", length=1000),
        "users": await root.get("/v1/users", length=1000),
        "robots": await root.get("/v1/robots", length=1000),
    }
    tables = {**dict.fromkeys(("automations", "automation_queues", "automation"), "automations")}
    tables |= {**dict.fromkeys(("executions", "execution"), "executions"), "users": "users", "robots": "robots"}
    with duckdb.connect(str(place / "cloud_bot.duckdb"), read_only=True) as database:
        for table, path in tables.items():
            loaded = database.execute(f"select id from cloud_bot_data.{table} order by id").fetchall()
            assert [each[0] for each in loaded] == sorted(row["id"] for row in told[path][path]), table
        assert "token" not in {name for (name,) in database.execute("show tables").fetchall()}
