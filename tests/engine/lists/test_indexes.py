"""PostgreSQL tells what it reads for a page: from the index that the field names, and no more than the page needs."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

import controlroom.engine
from controlroom.engine.access import audit
from controlroom.engine.access.invitations.listings import INVITATIONS
from controlroom.engine.access.scope import Of, within
from controlroom.engine.allocations.listings import ALLOCATIONS
from controlroom.engine.analyses.listings import CODE_POLICIES
from controlroom.engine.assets.listings import ASSETS, SHARED_ASSETS
from controlroom.engine.assistants.listings import ASSISTANT_RUNS, ASSISTANTS
from controlroom.engine.connections.listings import EXTENDED_ATTRIBUTES, LOGINS, PROFILES
from controlroom.engine.deliveries.listings import DELIVERIES
from controlroom.engine.item_models.store import ITEM_MODELS
from controlroom.engine.job_definitions.listings import JOBS
from controlroom.engine.lists import composer
from controlroom.engine.lists.model import (
    NEWEST_FIRST,
    After,
    AllOf,
    AnyOf,
    Asked,
    Compare,
    Direction,
    Kind,
    Listing,
    Operator,
    Skip,
    Sort,
    Unset,
    Within,
    equal,
)
from controlroom.engine.model_connections.listings import MODELS
from controlroom.engine.notifications.listings import NOTIFICATIONS
from controlroom.engine.packages.listings import PACKAGES, TASKS
from controlroom.engine.processes.listings import PROCESSES
from controlroom.engine.provisioners.listings import PROVISIONERS
from controlroom.engine.queues.listings import CONSUMERS as QUEUE_CONSUMERS
from controlroom.engine.queues.listings import QUEUE_ITEMS, QUEUES
from controlroom.engine.runs.human_tasks import OPEN_TASKS
from controlroom.engine.runs.listings import RUNS, STEP_RUNS
from controlroom.engine.runs.occupation import OCCUPIED
from controlroom.engine.schedules.listings import SCHEDULES
from controlroom.engine.targets.listings import TARGETS
from controlroom.engine.transfers.listings import TRANSFERS
from controlroom.engine.triggers.mappings import TRIGGER_MAPPINGS
from controlroom.engine.vault.listings import SECRETS
from controlroom.engine.vault.shared.listings import SECRET_ATTRIBUTES
from controlroom.engine.work_items.listings import ITEMS
from controlroom.engine.workers.listings import RUNNERS, WORKER_GROUPS, WORKERS
from controlroom.engine.workers.whole_groups import WHOLE_GROUPS
from controlroom.ids import OrganizationId, WorkspaceId, uuid7
from controlroom.postgres.statement import statement

WORKSPACES = 4
ROWS = 3000
"""Of each noun in each workspace."""
PAGE = 20
BY_START = (Sort("started_at", Direction.DESCENDING),)
OLDEST_START = (Sort("started_at"), Sort("id", Direction.DESCENDING))
BY_TIME = (Sort("at", Direction.DESCENDING), Sort("id", Direction.DESCENDING))


@pytest.fixture(scope="module")
async def organization(engine) -> Of:
    """An organization of four workspaces with thousands of runs, step runs, items and events; another is beside it."""
    db = engine.database
    for _ in range(2):
        scope = Of(OrganizationId(uuid7()), tuple(WorkspaceId(uuid7()) for _ in range(WORKSPACES)))
        await db.execute("insert into organization (id, name) values (%(id)s, 'Acme')", id=scope.organization)
        for workspace in scope.workspaces:
            await _fill(db, scope.organization, workspace)
        await db.execute(
            """
            insert into event (organization_id, kind, actor_kind, at)
            select %(organization)s, 'user.created', 'user', clock_now() - interval '1 second' * (random() * 86400)
              from generate_series(1, 1000)
            """,
            organization=scope.organization,
        )
    for table in ("run", "step_run", "work_item", "event", "process", "step", "workspace"):
        await db.execute(f"vacuum analyze {table}")
    return scope


async def _fill(db, organization, workspace) -> None:
    ids = {"organization": organization, "ws": workspace, "process": uuid7(), "queue": uuid7(), "step": uuid7()}
    for sql in (
        "insert into workspace (id, organization_id, name) values (%(ws)s, %(organization)s, gen_random_uuid()::text)",
        "insert into process (id, workspace_id, name) values (%(process)s, %(ws)s, 'Invoices')",
        "insert into queue (id, workspace_id, name) values (%(queue)s, %(ws)s, 'in')",
        """
        insert into step (id, workspace_id, process_id, position, name, queue_id)
        values (%(step)s, %(ws)s, %(process)s, 0, 'Read', %(queue)s)
        """,
        f"""
        insert into run (id, workspace_id, process_id, started_by, started_at)
        select gen_random_uuid(), %(ws)s, %(process)s, 'api',
               case when random() > 0.1 then clock_now() - interval '1 second' * (random() * 86400) end
          from generate_series(1, {ROWS})
        """,
        """
        insert into step_run (id, workspace_id, run_id, step_id, started_at)
        select gen_random_uuid(), run.workspace_id, run.id, %(step)s, run.started_at
          from run where workspace_id = %(ws)s
        """,
        """
        insert into work_item (id, workspace_id, process_id, run_id, step_id, queue_id, state)
        select gen_random_uuid(), run.workspace_id, process_id, run.id, %(step)s, %(queue)s, 'pending'
          from run where workspace_id = %(ws)s
        """,
        """
        insert into event (organization_id, workspace_id, kind, actor_kind, run_id, at)
        select %(organization)s, run.workspace_id, 'run.started', 'system', run.id,
               clock_now() - interval '1 second' * (random() * 86400)
          from run where workspace_id = %(ws)s
        """,
    ):
        await db.execute(sql, **{name: value for name, value in ids.items() if f"%({name})s" in sql})


class Column(msgspec.Struct):
    """A column as the database describes it."""

    name: str
    is_nullable: bool


class Read(msgspec.Struct):
    """What a statement has read."""

    indexes: set[str]
    rows: int
    """Rows of the listing's table, or entries of its indexes, that were looked at."""
    sorted: int
    """Rows of the largest sort."""


async def read(engine, listing: Listing, whose: Within, asked: Asked) -> Read:
    """Run the statement of a page, and see what PostgreSQL did for it."""
    composed = composer.rows(listing, whose, asked)
    [plan] = await engine.database.value(
        f"explain (analyze, format json, timing off) {composed.sql}", **composed.values
    )
    found = Read(set(), 0, 0)
    _see(plan["Plan"], listing, found)
    return found


def _see(node: dict, listing: Listing, found: Read) -> None:
    for below in node.get("Plans", ()):
        _see(below, listing, found)
    rows = round((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"])
    if node.get("Relation Name") == listing.table:
        found.rows += rows
        assert node["Node Type"] != "Seq Scan"
    if "Index Name" in node:
        found.indexes.add(node["Index Name"])
    if node["Node Type"] in {"Sort", "Incremental Sort"}:
        [below] = node["Plans"]
        found.sorted = max(found.sorted, round(below["Actual Rows"] * below["Actual Loops"]))


LISTS = [
    (RUNS, NEWEST_FIRST, "run_of_workspace"),
    (RUNS, BY_START, "run_by_start"),
    (RUNS, OLDEST_START, "run_by_start"),
    (STEP_RUNS, NEWEST_FIRST, "step_run_of_workspace"),
    (STEP_RUNS, BY_START, "step_run_by_start"),
    (ITEMS, NEWEST_FIRST, "work_item_of_workspace"),
    (audit.EVENTS, BY_TIME, "event_by_time"),
]


@pytest.mark.parametrize("workspaces", [1, WORKSPACES])
@pytest.mark.parametrize(("listing", "sort", "index"), LISTS, ids=lambda value: value if isinstance(value, str) else "")
async def test_pages_of_an_organization_are_read_from_the_index(engine, organization, listing, sort, index, workspaces):
    """The first one and those in the middle, where starts are unknown, too: of each workspace one page at most."""
    whose = within(replace(organization, workspaces=organization.workspaces[:workspaces]))
    probes = workspaces * (3 if sort is OLDEST_START else 2 if sort is BY_START else 1)
    batch = 40 if sort is OLDEST_START else 0  # PostgreSQL sorts rows of one start by id, some dozens at a time
    starts = [None, *await places(engine, organization, listing, sort)]
    for start in starts:
        seen = await read(engine, listing, whose, Asked(sort=sort, start=start, length=PAGE))
        assert index in seen.indexes
        # of each range a page in each workspace; and the page itself, whole
        assert seen.rows <= probes * (PAGE + batch) + PAGE
        assert seen.sorted <= probes * (PAGE + batch)


async def test_a_place_is_a_condition_of_the_index_for_all_values(engine, organization):
    """Also when PostgreSQL plans the statement once for whichever workspace and whichever row."""
    whose = within(replace(organization, workspaces=organization.workspaces[:1]))
    start = (await places(engine, organization, RUNS, BY_START))[0]
    for sort, after in ((NEWEST_FIRST, After(start.position[-1:])), (BY_START, start)):
        composed = composer.rows(RUNS, whose, Asked(sort=sort, start=after, length=PAGE))
        asked = statement(composed.sql)
        async with engine.database.transaction() as tx:
            for setting in ("plan_cache_mode = force_generic_plan", "enable_seqscan = off", "enable_bitmapscan = off"):
                await tx.execute(f"set local {setting}")
            await tx.execute(f"prepare listing as {asked.text}")
            values = ", ".join("null" if value is None else f"'{value}'" for value in asked.arguments(composed.values))
            plan = await tx.all(str, f"explain execute listing ({values})")
            await tx.execute("deallocate listing")

        [condition] = [line for line in plan if "Index Cond" in line and "workspace_id" in line]
        assert "<" in condition
        assert not [line for line in plan if "Sort" in line]


async def places(engine, organization, listing, sort) -> list[After]:
    """The position of a row in the middle of the list, and of one without a start where there are such."""
    names = list(dict.fromkeys([key.field for key in sort] + ["id"]))
    columns = ", ".join(f"{listing.named[name].column} as {name}" for name in names)
    conditions = ["true", f"{listing.named['started_at'].column} is null"] if "started_at" in names else ["true"]
    found = []
    for condition in conditions:
        order = ", ".join(f"{key.field} {key.direction.value}" for key in sort)
        row = await engine.database.value(
            f"""
            select to_jsonb(middle) from (
                select {columns} from {listing.table} where {listing.tenant} = any(%(workspaces)s) and {condition}
                 order by {order} offset (select count(*) / 2 from {listing.table}
                                            where {listing.tenant} = any(%(workspaces)s) and {condition}) limit 1
            ) as middle
            """,
            workspaces=list(organization.workspaces),
        )
        found.append(After(tuple(row[name] for name in names)))
    return found


async def test_what_happened_in_all_of_an_organization_is_read_from_its_index(engine, organization):
    """Workspaces and what is outside of them, in one list by time, and each for itself."""
    whose = Within.one("%(organization)s", organization=organization.organization)
    for listing, index in ((audit.EVERYWHERE, "event_of_organization"), (audit.OUTSIDE, "event_outside_workspaces")):
        seen = await read(engine, listing, whose, Asked(sort=BY_TIME, length=PAGE))
        assert index in seen.indexes
        assert seen.sorted == 0
        assert seen.rows <= PAGE


async def test_an_offset_counts_off_ids_and_reads_the_page_alone(engine, organization):
    """What is skipped are entries of the index; rows are read whole for the page only."""
    whose = within(organization)
    seen = await read(engine, STEP_RUNS, whose, Asked(sort=BY_START, start=Skip(500), length=PAGE))

    assert seen.rows <= WORKSPACES * (500 + PAGE) + PAGE
    assert seen.sorted <= WORKSPACES * (500 + PAGE)


@pytest.mark.parametrize(
    ("listing", "sort", "index"),
    [entry for entry in LISTS if entry[0] is not ITEMS],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_is_skipped_is_read_from_the_index_alone(engine, organization, listing, sort, index):
    """No row is visited for its sake."""
    composed = composer.rows(listing, within(organization), Asked(sort=sort, start=Skip(500), length=PAGE))
    plan = await engine.database.all(str, f"explain {composed.sql}", **composed.values)

    [read_from] = [line for line in plan if f"using {index} " in line]
    assert "Index Only Scan" in read_from


async def test_what_is_told_instead_is_counted_from_the_index(engine, organization):
    """Step runs since a moment, those that wait by their making: in all workspaces those alone, not all that were."""
    ago = datetime.now(UTC) - timedelta(minutes=10)
    waits = AllOf((Unset("started_at"), Compare("created_at", Operator.GE, ago + timedelta(days=1))))
    since = AnyOf((Compare("started_at", Operator.GE, ago), waits))
    composed = composer.total(STEP_RUNS, within(organization), since)
    [plan] = await engine.database.value(
        f"explain (analyze, format json, timing off) {composed.sql}", **composed.values
    )
    found = Read(set(), 0, 0)
    _see(plan["Plan"], STEP_RUNS, found)

    assert found.indexes & {"step_run_by_start"}
    assert found.rows < WORKSPACES * ROWS / 2


async def test_a_filtered_page_of_one_run_is_read_from_the_runs_index(engine, organization):
    """A condition with an index of its own takes it."""
    [run] = await engine.database.all(
        object, "select run_id from step_run where workspace_id = %(ws)s limit 1", ws=organization.workspaces[0]
    )
    seen = await read(engine, STEP_RUNS, within(organization), Asked(filter=equal(run_id=run), length=PAGE))

    assert "step_run_of_run" in seen.indexes
    assert seen.rows <= 2 * WORKSPACES


async def test_what_failed_of_a_process_is_counted_from_an_index_of_such(engine, organization):
    """Also by a plan for whichever process: others' failures are not looked at, nor what went well of the process."""
    db, workspace = engine.database, organization.workspaces[0]
    kept = await db.value("select process_id from run where workspace_id = %(ws)s limit 1", ws=workspace)
    await db.execute(
        f"""
        insert into work_item (id, workspace_id, process_id, queue_id, state, exception_type)
        select uuidv7(), workspace_id, case when n % 100 = 0 then process_id else gen_random_uuid() end, queue_id,
               'failed', 'business'
          from (select * from work_item where workspace_id = %(ws)s limit 1) as one, generate_series(1, {ROWS}) n
        """,
        ws=workspace,
    )
    await db.execute("vacuum analyze work_item")
    asked = equal(process_id=kept, state="failed")
    composed = composer.totals(ITEMS, within(replace(organization, workspaces=(workspace,))), [asked], most=10)
    text = statement(composed.sql)
    for mode in ("force_custom_plan", "force_generic_plan"):
        async with db.transaction() as tx:
            await tx.execute(f"set local plan_cache_mode = {mode}")
            await tx.execute(f"prepare counted as {text.text}")
            values = ", ".join(f"'{value}'" for value in text.arguments(composed.values))
            plan = await tx.all(str, f"explain (analyze, timing off) execute counted ({values})")
            await tx.execute("deallocate counted")
        [at] = [number for number, line in enumerate(plan) if " on work_item" in line]
        assert "Index Only Scan using work_item_aside_of_process" in plan[at]
        assert "Removed by Filter" not in "".join(plan[at : at + 4])
    assert await db.one(list[int], composed.statement, **composed.values) == [11]


@pytest.mark.parametrize("of", ["= 'failed'", "= 'invalid'", "in ('in_progress', 'held')"])
async def test_what_keeps_a_run_from_its_end_is_read_from_an_index_of_such(engine, organization, of):
    """Also by a plan for whichever run: whatever of it is done is not looked at."""
    db, workspace = engine.database, organization.workspaces[0]
    run = await db.value("select run_id from step_run where workspace_id = %(ws)s limit 1", ws=workspace)
    await db.execute(
        f"""
        insert into work_item (id, workspace_id, process_id, queue_id, step_id, run_id, state)
        select uuidv7(), workspace_id, process_id, queue_id, gen_random_uuid(), %(run)s, 'done'
          from (select * from work_item where workspace_id = %(ws)s limit 1) as one, generate_series(1, {ROWS})
        """,
        ws=workspace,
        run=run,
    )
    await db.execute("vacuum analyze work_item")
    async with db.transaction() as tx:
        await tx.execute("set local plan_cache_mode = force_generic_plan")
        await tx.execute(f"prepare kept(uuid) as select from work_item where run_id = $1 and state {of} limit 1")
        plan = await tx.all(str, f"explain (analyze, timing off) execute kept('{run}')")
        await tx.execute("deallocate kept")

    assert any("using work_item_unsettled on work_item" in line for line in plan), plan
    assert not any("Removed by Filter" in line for line in plan), plan


async def test_a_scope_of_several_workspaces_lists_those_that_exist(engine, organization):
    """A deleted workspace, or one of another organization, has no rows."""
    db = engine.database
    other = await db.value(
        "select id from workspace where organization_id <> %(organization)s limit 1",
        organization=organization.organization,
    )
    whose = within(Of(organization.organization, (organization.workspaces[0], WorkspaceId(other))))
    ours = composer.total(RUNS, whose, Compare("priority", Operator.EQ, 0))

    assert await db.value(ours.sql, **ours.values) == ROWS
    nothing = composer.rows(RUNS, within(Of(organization.organization, ())), Asked(length=5))
    assert await db.all(object, nothing.sql, **nothing.values) == []


LISTINGS = [
    OPEN_TASKS,
    RUNS,
    STEP_RUNS,
    ITEMS,
    audit.EVENTS,
    ASSISTANT_RUNS,
    DELIVERIES,
    SCHEDULES,
    ALLOCATIONS,
    TRIGGER_MAPPINGS,
    NOTIFICATIONS,
    TRANSFERS,
    CODE_POLICIES,
    QUEUES,
    QUEUE_ITEMS,
    QUEUE_CONSUMERS,
    ITEM_MODELS,
    WORKERS,
    RUNNERS,
    WHOLE_GROUPS,
    JOBS,
    PACKAGES,
    ASSETS,
    SECRETS,
    ASSISTANTS,
    TASKS,
    TARGETS,
    LOGINS,
    PROFILES,
    EXTENDED_ATTRIBUTES,
    WORKER_GROUPS,
    OCCUPIED,
    PROVISIONERS,
    INVITATIONS,
    SHARED_ASSETS,
    SECRET_ATTRIBUTES,
    MODELS,
    PROCESSES,
]

KINDS = {
    Kind.ID: {"uuid"},
    Kind.INTEGER: {"integer", "bigint"},
    Kind.NUMBER: {"double precision"},
    Kind.TEXT: {"text"},
    Kind.INSTANT: {"timestamp with time zone"},
    Kind.TRUTH: {"boolean"},
    Kind.JSON: {"jsonb"},
}


@pytest.mark.parametrize("listing", [*LISTINGS, audit.OUTSIDE, audit.EVERYWHERE])
async def test_every_field_of_every_list_can_be_asked_for(engine, listing):
    """Each column is there and of the kind that its field says, and each index that is named exists."""
    db = engine.database
    indexes = set(
        await db.all(str, "select indexname from pg_indexes where tablename = %(table)s", table=listing.table)
    )
    for name, field in listing.named.items():
        assert field.index is None or field.index in indexes
        kind = await db.value(
            f"select pg_typeof((select {field.column} from {listing.table} {listing.joins} limit 1))::text"
        )
        assert kind in KINDS[field.kind]
        if field.is_sortable:
            composed = composer.rows(
                listing, within(Of(uuid7(), (uuid7(), uuid7()))), Asked(sort=(Sort(name),), length=1)
            )
            assert await db.all(object, composed.sql, **composed.values) == []


async def test_a_field_that_is_not_nullable_has_a_value_in_every_row(engine):
    """The columns say it: otherwise an order would lose the rows without one."""
    for listing in LISTINGS:
        told = await engine.database.all(
            Column,
            """
            select column_name as name, is_nullable = 'YES' as is_nullable
              from information_schema.columns where table_name = %(table)s
            """,
            table=listing.table,
        )
        columns = {column.name: column.is_nullable for column in told}
        for field in listing.named.values():
            table, _, column = field.column.partition(".")
            if table == listing.table and field.name != "queue_id":  # `always` says that it is there
                assert columns[column] == field.is_nullable, (listing.noun, field.name)


def test_nobody_but_a_scope_says_whose_rows_a_list_has():
    """A part of a list is made by `access/scope.py`; of what is no workspace's, by the noun that knows who sees it."""
    engine = Path(controlroom.engine.__path__[0])
    makers = {
        str(file.relative_to(engine))
        for file in engine.rglob("*.py")
        if re.search(r"\bWithin(\.one|\.several)?\(", file.read_text()) and file.parent.name != "lists"
    }

    of_organizations = {
        "access/audit.py",
        "access/groups/listings.py",
        "access/places.py",
        "connections/listings.py",
        "repository/rights.py",
        "transfers/listings.py",
        "vault/lockers/listings.py",
        "vault/shared/listings.py",
        "workers/listings.py",
    }
    assert makers <= {"access/scope.py"} | of_organizations
