"""From a text to an id: every noun by its id, its number and, where it has one, its name."""

import importlib
import pkgutil
import re
from uuid import UUID

import pytest

import controlroom.engine
from controlroom.engine.access.model import Permission
from controlroom.engine.access.nouns import API_KEY, USER
from controlroom.engine.access.scope import Of, scope_of, scope_of_robot, scoped
from controlroom.engine.nouns import NameAmbiguous, Noun, Ways
from controlroom.engine.processes.store import PROCESS, STEP
from controlroom.engine.queues.store import QUEUE
from controlroom.engine.references import Located, Reference, find, locate, resolve, resolve_all
from controlroom.engine.work_items.store import FILE, WORK_ITEM, put_file
from controlroom.engine.workers.store import WORKER
from controlroom.errors import NotFound
from controlroom.ids import FileId, uuid7


def _nouns():
    modules = pkgutil.walk_packages(controlroom.engine.__path__, "controlroom.engine.")
    values = [value for each in modules for value in vars(importlib.import_module(each.name)).values()]
    return sorted({each for each in values if isinstance(each, Noun)}, key=lambda noun: noun.word)


NOUNS = _nouns()

ROWS = {
    "organization": ("organization (id, name)", "$organization, 'other'"),
    "app_user": ("app_user (id, organization_id, username)", "$id, $organization, 'Åsa'"),
    "user_group": ("user_group (id, organization_id, name)", "$id, $organization, 'Finance'"),
    "role": ("role (id, organization_id, name, permissions)", "$id, $organization, 'auditor', '{}'"),
    "access_grant": (
        "access_grant (id, organization_id, user_id, role_id)",
        "$id, $organization, $app_user, $role",
    ),
    "workspace": ("workspace (id, organization_id, name)", "$id, $organization, 'other'"),
    "invitation": (
        "invitation (id, organization_id, workspace_id, role_id, lookup, expires_at)",
        "$id, $organization, $workspace, $role, $id::text::bytea, clock_now()",
    ),
    "API key": (
        "credential (id, kind, organization_id, workspace_id, name, lookup, sealed)",
        "$id, 'workspace_key', $organization, $workspace, 'deploys', $id::text::bytea, ''",
    ),
    "user credential": (
        "credential (id, kind, organization_id, user_id, identifier, sealed)",
        "$id, 'user_credential', $organization, $app_user, $id::text, ''",
    ),
    "user key": (
        "credential (id, kind, organization_id, user_id, lookup, sealed)",
        "$id, 'user_key', $organization, $app_user, $id::text::bytea, ''",
    ),
    "service token": (
        "credential (id, kind, organization_id, name, lookup)",
        "$id, 'service_token', $organization, 'airflow', $id::text::bytea",
    ),
    "personal token": (
        "credential (id, kind, organization_id, user_id, lookup)",
        "$id, 'personal_token', $organization, $app_user, $id::text::bytea",
    ),
    "package": ("package (id, workspace_id, name)", "$id, $workspace, 'robot'"),
    "package_version": (
        "package_version (id, package_id, version, hash, size, robot)",
        "$id, $package, 1, 'beef', 4, '{}'",
    ),
    "task": ("task (id, package_id, name)", "$id, $package, 'Read'"),
    "worker_group": ("worker_group (id, organization_id, serves_all, name)", "$id, $organization, true, 'fast'"),
    "worker": (
        "worker (id, organization_id, serves_all, name, lookup)",
        "$id, $organization, true, 'wanda', $id::text::bytea",
    ),
    "link token": (
        "credential (id, kind, organization_id, workspace_id, name, lookup, sealed)",
        "$id, 'link_token', $organization, $workspace, 'tower', $id::text::bytea, ''",
    ),
    "process": ("process (id, workspace_id, name)", "$id, $workspace, 'Bills'"),
    "item_model": ("item_model (id, organization_id, name)", "$id, $organization, 'Invoices'"),
    "item_attribute": (
        "item_attribute (id, item_model_id, position, name, kind)",
        "$id, $item_model, 0, 'amount', 'number'",
    ),
    "queue": ("queue (id, workspace_id, name, is_standing)", "$id, $workspace, 'letters', true"),
    "item_job": (
        "item_job (id, workspace_id, operation, filter, matched, fit, asked_by)",
        "$id, $workspace, 'retry', '[]', 0, 0, 'user'",
    ),
    "queue_job": ("queue_job (id, organization_id, kind)", "$id, $organization, 'load'"),
    "queue_consumer": ("queue_consumer (id, workspace_id, queue_id, task_id)", "$id, $workspace, $queue, $task"),
    "step": (
        "step (id, workspace_id, process_id, position, name, queue_id)",
        "$id, $workspace, $process, 0, 'Sum', $queue",
    ),
    "run": ("run (id, workspace_id, process_id, started_by)", "$id, $workspace, $process, 'api'"),
    "step_run": ("step_run (id, workspace_id, run_id, step_id)", "$id, $workspace, $run, $step"),
    "phase": (
        "phase (id, step_run_id, attempt, position, kind, name, state)",
        "$id, $step_run, 1, 0, 'task', 'task', 'skipped'",
    ),
    "artifact": (
        "artifact (id, workspace_id, step_run_id, attempt, name, size, hash)",
        "$id, $workspace, $step_run, 1, 'log.html', 4, 'beef'",
    ),
    "work_item": ("work_item (id, workspace_id, state)", "$id, $workspace, 'new'"),
    "work_item_file": ("work_item_file (id, work_item_id, name, size, hash)", "$id, $work_item, 'a.txt', 4, 'beef'"),
    "secret": ("secret (id, workspace_id, name, sealed)", "$id, $workspace, 'mail', ''"),
    "code_policy": ("code_policy (id, organization_id, name, rules)", "$id, $organization, 'strict', '{S602}'"),
    "code_analysis": (
        "code_analysis (id, workspace_id, package_name, package_hash, package_size, policy)",
        "$id, $workspace, 'robot', 'beef', 4, '{}'",
    ),
    "locker": ("locker (id, organization_id, name)", "$id, $organization, 'Finance'"),
    "shared_secret": (
        "shared_secret (id, organization_id, name, owner_id)",
        "$id, $organization, 'bank', $app_user",
    ),
    "secret_attribute": (
        """secret_attribute (id, shared_secret_id, position, name, is_user_provided, is_masked, is_password)""",
        "$id, $shared_secret, 0, 'password', false, true, true",
    ),
    "secret_value": ("secret_value (id, attribute_id, sealed)", "$id, $secret_attribute, ''"),
    "model_provider": (
        "model_provider (id, organization_id, name, auth)",
        "$id, $organization, 'OpenAI', '{}'",
    ),
    "model_connection": (
        "model_connection (id, provider_id, name, definition)",
        "$id, $model_provider, 'small', '{}'",
    ),
    "shared_asset": (
        "shared_asset (id, organization_id, name, content_type, size, hash)",
        "$id, $organization, 'rates', 'text/plain', 4, 'beef'",
    ),
    "asset": ("asset (id, workspace_id, name)", "$id, $workspace, 'rates'"),
    "webhook": (
        "webhook (id, workspace_id, name, grammar, endpoint, events, sealed)",
        "$id, $workspace, 'bell', 'robocorp', 'https://x', '{}', ''",
    ),
    "saved_view": (
        "saved_view (id, organization_id, workspace_id, list, name, query, user_id)",
        "$id, $organization, $workspace, 'runs', 'Bad ones', 'tab=unresolved', $app_user",
    ),
    "notification": (
        "notification (id, workspace_id, process_id, kind, events, recipients)",
        "$id, $workspace, $process, 'email', '{}', '{a@b.example}'",
    ),
    "provisioner": (
        "provisioner (id, organization_id, serves_all, name, endpoint, sealed)",
        "$id, $organization, true, 'cloud', 'https://x', ''",
    ),
    "delivery": (
        """delivery (id, workspace_id, kind, subscription_id, event_kind, message_id, grammar, destination, body,
                     give_up_at)""",
        "$id, $workspace, 'webhook', $webhook, 'run.completed', $id, 'robocorp', 'x', '', clock_now()",
    ),
    "schedule": (
        """schedule (id, workspace_id, process_id, name, rule, zone, starts_at, missed, grace, overlap, inputs)""",
        "$id, $workspace, $process, 'nightly', '{}', 'UTC', clock_now(), 'skip', '0', 'allow', '{}'",
    ),
    "allocation": ("allocation (id, workspace_id, task_id, most)", "$id, $workspace, $task, 2"),
    "trigger_mapping": ("trigger_mapping (id, workspace_id, task_id, user_id)", "$id, $workspace, $task, $app_user"),
    "chain": (
        "chain (id, workspace_id, process_id, next_process_id, ends, empty)",
        "$id, $workspace, $process, $process, '{completed}', 'skip'",
    ),
    "email_trigger": ("email_trigger (id, process_id, workspace_id, random)", "$id, $process, $workspace, $id::text"),
    "assistant": ("assistant (id, workspace_id, name, task_id)", "$id, $workspace, 'Helper', $task"),
    "assistant_run": (
        "assistant_run (id, workspace_id, assistant_id, user_id, package_version_id)",
        "$id, $workspace, $assistant, $app_user, $package_version",
    ),
    "assistant_artifact": (
        "assistant_artifact (id, workspace_id, assistant_run_id, name, size, hash)",
        "$id, $workspace, $assistant_run, 'log.html', 4, 'beef'",
    ),
    "repository_file": (
        "repository_file (id, organization_id, workspace_id, above, path, name, is_folder)",
        "$id, $organization, $workspace, array[$workspace, $id], '{notes.txt}', 'notes.txt', false",
    ),
    "transfer": (
        "transfer (id, organization_id, user_id, kind, name, wish)",
        "$id, $organization, $app_user, 'export', 'nightly', '{}'",
    ),
    "connection": (
        "connection (id, organization_id, name, kind, settings)",
        """$id, $organization, 'Warehouse', 'duckdb', '{"kind": "duckdb"}'""",
    ),
    "connection_login": ("connection_login (id, workspace_id, kind)", "$id, $workspace, 'duckdb'"),
    "connection_profile": (
        "connection_profile (id, workspace_id, key, connection_id, login_id)",
        "$id, $workspace, 'main', $connection, $connection_login",
    ),
    "extended_attributes": ("extended_attributes (id, workspace_id, attributes)", "$id, $workspace, '{}'"),
    "target": ("target (id, workspace_id, name, kind)", "$id, $workspace, 'Production', 'deployment'"),
    "variable": ("variable (id, workspace_id, name, value)", "$id, $workspace, 'DBT_COLOR', 'red'"),
    "repository_file_version": (
        "repository_file_version (id, file_id, version, hash, size)",
        "$id, $repository_file, 1, 'beef', 4",
    ),
}
"""One row of each table in an order in which they can be written: its columns, and its values.

Credentials of all kinds are one table and several nouns: a row of each.
"""


def _of(noun: Noun) -> str:
    return noun.word if noun.table == "credential" or noun.word == "job" else noun.table


@pytest.fixture
async def rows(engine, team):
    """The id of one row of each table, all of them ada's."""
    ids = {"workspace": team.workspace, "organization": team.organization}
    for table, (columns, values) in ROWS.items():
        if table not in ids:
            ids[table] = uuid7()
            texts = {f"${noun}": f"'{id_}'::uuid" for noun, id_ in ids.items()} | {"$id": f"'{ids[table]}'::uuid"}
            written = re.sub(r"\$\w+", lambda named: texts[named[0]], values)  # noqa: B023 - called at once
            await engine.database.execute(f"insert into {columns} values ({written})")
    await engine.database.execute(
        "insert into linking (credential_id, is_reusable, serves_all) values (%(token)s, false, true)",
        token=ids["link token"],
    )
    ids["job"] = await _process(engine, team.workspace, "nightly")
    await engine.database.execute(
        "insert into job (process_id, workspace_id, target_id, kind) values (%(id)s, %(place)s, %(id)s, 'other')",
        id=ids["job"],
        place=team.workspace,
    )
    return ids


@pytest.fixture
def scope(ada, workspace):
    """The workspace as ada sees it."""
    return scope_of(ada, Permission.READ_PROCESSES, workspace)


@pytest.fixture
def strange(cleo, team):
    """What cleo sees: another organization's workspace."""
    return scope_of(cleo, Permission.READ_PROCESSES, team.other_workspace)


async def _number(engine, table, id_):
    return await engine.database.value(f"select number from {table} where id = %(id)s", id=id_)


async def _name(engine, noun, id_):
    return await engine.database.value(f"select {noun.name} from {noun.table} where id = %(id)s", id=id_)


async def _process(engine, workspace, name):
    id_ = uuid7()
    await engine.database.execute(
        "insert into process (id, workspace_id, name) values (%(id)s, %(workspace)s, %(name)s)",
        id=id_,
        workspace=workspace,
        name=name,
    )
    return id_


async def test_whatever_has_a_number_is_a_noun(engine):
    """Each table with numbers is declared once, so that every grammar can ask for its rows."""
    tables = await engine.database.all(
        str,
        """
        select table_name::text
          from information_schema.columns join information_schema.tables using (table_schema, table_name)
         where table_schema = 'public' and column_name = 'number' and table_type = 'BASE TABLE'
        """,
    )

    assert sorted(tables) == sorted({noun.table for noun in NOUNS})
    assert sorted([*ROWS, "job"]) == sorted(_of(noun) for noun in NOUNS)


@pytest.mark.parametrize("noun", NOUNS, ids=_of)
async def test_every_noun_is_found_in_each_way(engine, rows, scope, strange, noun):
    """By id, by number and, where it has one, by name; an outsider finds it in no way."""
    id_ = rows[_of(noun)]
    texts = [str(id_), str(await _number(engine, noun.table, id_))]
    if noun.name is not None:
        texts.append(await _name(engine, noun, id_))

    for text in texts:
        assert await resolve(engine.database, scope, noun, text) == id_
        assert await find(engine.database, strange, noun, text) in {None, strange.workspace}  # each has a `Default`
        if noun.table != "workspace":
            with pytest.raises(NotFound) as failure:
                await resolve(engine.database, strange, noun, text)
            assert type(failure.value) is type(noun.missing(text))


@pytest.mark.parametrize("noun", [each for each in NOUNS if each.table != "organization"], ids=_of)
async def test_a_lost_robot_finds_nothing(engine, rows, robot, end, noun):
    """As long as its attempt lives, it finds what its workspace has; then nothing."""
    text = str(rows[_of(noun)])
    scope = scope_of_robot(robot)
    assert await find(engine.database, scope, noun, text) == rows[_of(noun)]

    await end(robot)

    assert await find(engine.database, scope, noun, text) is None


@pytest.mark.parametrize("noun", [each for each in NOUNS if "deleted_at" in each.there and not each.joined], ids=_of)
async def test_what_is_deleted_is_not_found(engine, rows, scope, noun):
    """Neither by id nor by number nor by name."""
    id_ = rows[_of(noun)]
    await engine.database.execute(f"update {noun.table} set deleted_at = clock_now() where id = %(id)s", id=id_)

    for text in (str(id_), str(await _number(engine, noun.table, id_)), "Bills"):
        assert await find(engine.database, scope, noun, text) is None


async def test_several_are_found_at_once(engine, rows, scope):
    """Of several nouns, in the order in which they were asked for, the same one twice if it was named twice."""
    number = await _number(engine, "work_item", rows["work_item"])
    asked = [
        Reference(PROCESS, "Bills"),
        Reference(WORKER, str(rows["worker"])),
        Reference(WORK_ITEM, str(number)),
        Reference(PROCESS, str(rows["process"]).upper()),
        Reference(USER, "åSA"),
    ]

    found = await resolve_all(engine.database, scope, asked)

    assert found == [rows[table] for table in ("process", "worker", "work_item", "process", "app_user")]
    assert await resolve_all(engine.database, scope, []) == []
    with pytest.raises(NotFound, match="no process Bulls"):
        await resolve_all(engine.database, scope, [*asked, Reference(PROCESS, "Bulls")])


async def test_a_name_that_several_have_names_none(engine, workspace, scope):
    """The failure tells their ids; an id or a number tells them apart."""
    ids = [await _process(engine, workspace, "Twice") for _ in range(2)]

    with pytest.raises(NameAmbiguous, match=f"process Twice: {ids[0]}, {ids[1]}") as failure:
        await resolve(engine.database, scope, PROCESS, "Twice")

    assert (failure.value.code, failure.value.fields["ids"]) == ("PROCESS_NAME_AMBIGUOUS", [str(id_) for id_ in ids])
    number = await _number(engine, "process", ids[1])
    assert await resolve(engine.database, scope, PROCESS, str(number)) == ids[1]


async def test_what_nobody_chooses_comes_first(engine, workspace, scope):
    """Who is called like another's id or number does not take its place; a grammar without numbers means the name."""
    first = await _process(engine, workspace, "first")
    number = str(await _number(engine, "process", first))
    like_number = await _process(engine, workspace, number)
    await _process(engine, workspace, str(first))

    assert await resolve(engine.database, scope, PROCESS, number) == first
    assert await resolve(engine.database, scope, PROCESS, str(first)) == first
    assert await resolve(engine.database, scope, PROCESS, number, Ways.ID_OR_NAME) == like_number
    assert await find(engine.database, scope, PROCESS, number, Ways.ID) is None


async def test_a_number_of_another_noun_is_none_of_this(engine, rows, scope):
    """The numbers are of one sequence: a worker's is no process's."""
    number = await _number(engine, "worker", rows["worker"])

    assert await find(engine.database, scope, PROCESS, str(number)) is None


async def test_a_bare_tasks_process_has_no_name(engine, rows, workspace, scope):
    """It is found by its id and number; its name is the task's. A step's own queue likewise."""
    await engine.database.execute(
        "update process set implicit_task_id = %(task)s where id = %(id)s", task=rows["task"], id=rows["process"]
    )
    await engine.database.execute("update queue set is_standing = false where id = %(id)s", id=rows["queue"])

    assert await find(engine.database, scope, PROCESS, "Bills") is None
    assert await find(engine.database, scope, PROCESS, str(rows["process"])) == rows["process"]
    assert await find(engine.database, scope, QUEUE, "letters") is None
    assert await find(engine.database, scope, QUEUE, str(rows["queue"])) == rows["queue"]


async def test_a_file_in_anothers_place_is_another(engine, rows, seen):
    """A file that replaces one of its name is found by its own number; nobody gets it who asks for the one before."""
    before = await _number(engine, "work_item_file", rows["work_item_file"])
    after = FileId(uuid7())

    async with scoped(engine.database, seen) as tx:
        await put_file(tx, rows["work_item"], after, name="a.txt", size=5, digest="beaf")

    number = await _number(engine, "work_item_file", after)
    assert await resolve(engine.database, seen, FILE, str(number)) == after
    assert await find(engine.database, seen, FILE, str(before)) is None


async def test_several_workspaces_are_looked_through(engine, ada, team, scope):
    """What the scope has of several workspaces is found in each; those of other organizations are none of them."""
    second = uuid7()
    await engine.database.execute(
        "insert into workspace (id, organization_id, name) values (%(id)s, %(organization)s, 'Second')",
        id=second,
        organization=team.organization,
    )
    there = await _process(engine, second, "There")
    await _process(engine, team.other_workspace, "There")
    whole = Of(team.organization, (team.workspace, second, team.other_workspace))

    assert await resolve(engine.database, whole, PROCESS, "There") == there
    assert await locate(engine.database, whole, PROCESS, "There") == Located(there, Of(team.organization, (second,)))
    assert await find(engine.database, scope, PROCESS, "There") is None


async def test_no_text_breaks_it(engine, scope):
    """Whatever a caller sends names nothing, and says so."""
    for text in ("", "\0", "\ud800", "9" * 400, "-1", "%(id)s", "'; drop table process; --", "0" * 32):
        for noun in (PROCESS, STEP, API_KEY, USER):
            assert await find(engine.database, scope, noun, text) is None
    assert isinstance(await engine.database.one(UUID, "select gen_random_uuid()"), UUID)
