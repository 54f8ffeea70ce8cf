"""Deliveries of named messages: what was there comes along, and the release before goes on telling meanwhile."""

import asyncpg
import pytest

from controlroom.engine.deliveries.model import DeliveryKind, NewDelivery
from controlroom.engine.deliveries.store import insert
from controlroom.ids import uuid7
from controlroom.postgres.database import Database
from controlroom.postgres.migrate import migrate, migrations

NAMED = "20261129153000_pre_named_messages.sql"

BY_THE_RELEASE_BEFORE = """
    insert into delivery (id, workspace_id, kind, subscription_id, event_id, event_kind, message_id, grammar,
                          destination, endpoint, body, give_up_at)
    values ($1, $2, 'webhook', $3, $4, 'run.completed', $1, 'robocorp', 'https://example.com', '', '', now())
    on conflict (event_id, subscription_id) do nothing
"""


@pytest.fixture
async def room(new_database):
    """A new database, and a connection to it."""
    dsn = await new_database()
    connection = await asyncpg.connect(dsn)
    yield dsn, connection
    await connection.close()


async def migrated(dsn, folder, wanted):
    for migration in migrations():
        if wanted(migration):
            (folder / migration.name).write_text(migration.sql)
    return await migrate(dsn, folder)


async def a_workspace(connection):
    organization, workspace = uuid7(), uuid7()
    await connection.execute("insert into organization (id, name) values ($1, 'o')", organization)
    await connection.execute(
        "insert into workspace (id, organization_id, name) values ($1, $2, 'w')", workspace, organization
    )
    return workspace


async def test_both_releases_write_deliveries_until_the_older_is_gone(room, tmp_path):
    """Each an event once for a receiver, the older by its constraint; the newer every message of it by its name."""
    dsn, connection = room
    await migrated(dsn, tmp_path, lambda migration: not migration.is_post)
    workspace, subscription, delivery = await a_workspace(connection), uuid7(), uuid7()
    named = [
        NewDelivery(
            workspace_id=workspace,
            kind=DeliveryKind.WEBHOOK,
            subscription_id=subscription,
            event_id=8,
            event_kind="run.completed",
            message_id=uuid7(),
            message_name=name,
            body=b"",
            destination="https://example.com",
        )
        for name in ("over", "well", "well")
    ]

    assert await connection.execute(BY_THE_RELEASE_BEFORE, delivery, workspace, subscription, 7) == "INSERT 0 1"
    assert await connection.execute(BY_THE_RELEASE_BEFORE, uuid7(), workspace, subscription, 7) == "INSERT 0 0"
    database = await Database.connect(dsn)
    try:
        assert len(await insert(database, named)) == 2
        assert await insert(database, named) == []
        await migrate(dsn)
        assert await insert(database, named) == []
    finally:
        await database.close()
    assert await connection.fetchval("select message_name from delivery where id = $1", delivery) == ""


async def test_callbacks_of_before_say_in_whose_words_they_are(room, tmp_path):
    """Those that say so already keep it, and runs without a callback stay without."""
    dsn, connection = room
    await migrated(dsn, tmp_path, lambda migration: migration.name < NAMED)
    workspace, process = await a_workspace(connection), uuid7()
    await connection.execute("insert into process (id, workspace_id, name) values ($1, $2, 'p')", process, workspace)
    runs = {
        uuid7(): '{"callback": {"url": "https://example.com", "events": ["completed"]}}',
        uuid7(): '{"callback": {"url": "https://example.com", "grammar": "other"}}',
        uuid7(): '{"callback": null}',
        uuid7(): "{}",
    }
    for run, parameters in runs.items():
        await connection.execute(
            "insert into run (id, workspace_id, process_id, started_by, parameters) values ($1, $2, $3, 'api', $4)",
            run,
            workspace,
            process,
            parameters,
        )

    await migrate(dsn)

    told = "select parameters -> 'callback' ->> 'grammar' from run where id = $1"
    assert [await connection.fetchval(told, run) for run in runs] == ["robocorp", "other", None, None]
