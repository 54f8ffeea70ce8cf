"""The tables of what dbt leaves: nodes of manifests, results of runs, freshness of sources, columns of catalogs.

Every row says of which run and step it is, and by which version of dbt's schema it was written: `schema_version` 12 of
a manifest is not 4 of run results. A file is a row of `run_artifact_get`, and the others are its parts.
"""

import datetime as dt
from typing import Any, Final

from controlroom.sources.columns import FLAG, INTEGER, JSON, NUMBER, TEXT, TIME, Column, Table, child


def moment_of(epoch: Any) -> str | None:
    """A moment that is written as seconds since 1970."""
    if isinstance(epoch, bool) or not isinstance(epoch, int | float):
        return epoch if isinstance(epoch, str) else None
    try:
        return dt.datetime.fromtimestamp(epoch, dt.UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return None


def _origin(what: str) -> tuple[Column, ...]:
    """Whose a part of a file is; `~` stands before the file's own."""
    return (
        Column("run_id", INTEGER, f"Of which run {what} is.", at="~run_id"),
        Column("step", INTEGER, "Of which step of it; 0 is the last one of a run that told of none.", at="~step"),
        Column("job_definition_id", INTEGER, "Of which job that run is.", at="~job_definition_id"),
        Column(
            "schema_version", INTEGER, "The version of dbt's schema that its file was written by.", at="~schema_version"
        ),
        Column("invocation_id", TEXT, "The invocation of dbt that has written it.", at="~invocation_id"),
        Column("generated_at", TIME, "When its file was written.", at="~generated_at"),
    )


# Keys of nodes that say what the file says once, what another table holds, or how dbt itself works.
_NODE_PASSED_OVER: Final = frozenset(
    {
        "columns",
        "depends_on",
        "docs",
        "build_path",
        "checksum.name",
        "unrendered_config",
        "unrendered_database",
        "unrendered_schema",
        "config_call_dict",
        "doc_blocks",
        "refs",
        "sources",
        "metrics",
        "functions",
        "extra_ctes",
        "extra_ctes_injected",
        "defer_relation",
        "quoting",
        "external",
        "root_path",
        "compiled",
        "deferred",
        "time_spine",
        "test_metadata",
        "column_name",
        "file_key_name",
        "attached_node",
        "contract",
        "overrides",
        "given",
        "expect",
        "tested_node_unique_id",
        "this_input_node_unique_id",
    }
)

MANIFEST_NODES: Final = Table(
    name="manifest_nodes",
    description="Nodes of manifests: models, tests, seeds, snapshots, analyses, operations, functions, sources, "
    "exposures, metrics, semantic models, saved queries, unit tests and groups.",
    key=("run_id", "step", "unique_id"),
    columns=(
        *_origin("it"),
        Column("unique_id", TEXT, "The node, as dbt names it everywhere."),
        Column("resource_type", TEXT, "model, test, seed, snapshot, source, exposure …"),
        Column("name", TEXT, "What it is called."),
        Column("package_name", TEXT, "Of which package it is."),
        Column("path", TEXT, "Its file, below the folder of its kind."),
        Column("original_file_path", TEXT, "Its file, below the project."),
        Column("fqn", JSON, "The names of its folders, and its own."),
        Column("database_name", TEXT, "The database that it is made in.", at="database"),
        Column("schema_name", TEXT, "The schema that it is made in.", at="schema"),
        Column("alias", TEXT, "What it is called there."),
        Column("identifier", TEXT, "Likewise, of a source."),
        Column("relation_name", TEXT, "All three, quoted."),
        Column("description", TEXT, "What is written of it."),
        Column("materialized", TEXT, "table, view, incremental …", at="config.materialized"),
        Column("enabled", FLAG, "Whether it is part of the project.", at="config.enabled"),
        Column("config", JSON, "How it is configured."),
        Column("tags", JSON, "Its tags."),
        Column("meta", JSON, "What people have written beside it."),
        Column("group_name", TEXT, "The group that it is in.", at="group"),
        Column("access", TEXT, "Who may refer to it."),
        Column("language", TEXT, "sql or python."),
        Column("checksum", TEXT, "The digest of its file.", at="checksum.checksum"),
        Column("raw_code", TEXT, "Its code as written, where `code` asks for it."),
        Column("compiled_code", TEXT, "Its code as run, where `code` asks for it."),
        Column("compiled_path", TEXT, "The file of its code as run."),
        Column("patch_path", TEXT, "The file that describes it."),
        Column("version", TEXT, "The version of the model."),
        Column("latest_version", TEXT, "The version that is meant without one."),
        Column("deprecation_date", TIME, "From when on it is not to be used."),
        Column("primary_key", JSON, "The columns that tell its rows apart."),
        Column("constraints", JSON, "What holds of its rows."),
        Column("contract_enforced", FLAG, "Whether its columns are a promise."),
        Column("test_name", TEXT, "Of a generic test: which."),
        Column("test_column", TEXT, "Of a generic test: the column."),
        Column("tested_node", TEXT, "Of a test: the node that it is of."),
        Column("severity", TEXT, "Of a test: what its failure is.", at="config.severity"),
        Column("source_name", TEXT, "Of a source: the source that the table is in."),
        Column("source_description", TEXT, "Of a source: what is written of that."),
        Column("source_meta", JSON, "Of a source: what people have written beside that."),
        Column("loader", TEXT, "Of a source: what brings it."),
        Column("loaded_at_field", TEXT, "Of a source: the column that tells when."),
        Column("loaded_at_query", TEXT, "Of a source: the query that tells when."),
        Column("freshness", JSON, "Of a source: how old it may be."),
        Column("type", TEXT, "Of an exposure: dashboard, notebook …; of a metric: simple, ratio …"),
        Column("label", TEXT, "Of an exposure or a metric: how people call it."),
        Column("maturity", TEXT, "Of an exposure: how far it is."),
        Column("url", TEXT, "Of an exposure: where it is."),
        Column("owner_name", TEXT, "Of an exposure or a group: whose it is.", at="owner.name"),
        Column("owner_email", TEXT, "Likewise: where that is reached.", at="owner.email"),
        Column("model", TEXT, "Of a semantic model or a unit test: the model."),
        Column("definition", JSON, "Of a metric, a semantic model, a saved query: what it is made of."),
        Column("created_at", TIME, "When dbt first read it.", read=moment_of),
    ),
    passed_over=_NODE_PASSED_OVER,
)
MANIFEST_COLUMNS: Final = Table(
    name="manifest_columns",
    description="Columns of nodes, as the project describes them.",
    key=("run_id", "step", "unique_id", "name"),
    columns=(
        *_origin("it"),
        Column("unique_id", TEXT, "The node that it is of.", at="~unique_id"),
        Column("position", INTEGER, "Its place among those that are described, from 0.", at="~position"),
        Column("name", TEXT, "What it is called.", at="~name"),
        Column("data_type", TEXT, "What it holds."),
        Column("description", TEXT, "What is written of it."),
        Column("tags", JSON, "Its tags."),
        Column("meta", JSON, "What people have written beside it."),
        Column("quote", FLAG, "Whether it is quoted."),
        Column("constraints", JSON, "What holds of its values."),
        Column("granularity", TEXT, "Of a time: how fine it is."),
    ),
    passed_over=frozenset({"name", "config", "doc_blocks"}),
)
MANIFEST_DEPENDENCIES: Final = Table(
    name="manifest_dependencies",
    description="What nodes depend on: an edge a row.",
    key=("run_id", "step", "unique_id", "depends_on"),
    columns=(
        *_origin("it"),
        Column("unique_id", TEXT, "The node that depends."),
        Column("depends_on", TEXT, "The node that it depends on."),
    ),
)

RUN_RESULTS: Final = Table(
    name="run_results",
    description="What came of each node in each step: of a model its build, of a test its failures.",
    key=("run_id", "step", "unique_id"),
    columns=(
        *_origin("it"),
        Column("position", INTEGER, "Its place in the file, from 0.", at="~position"),
        Column("unique_id", TEXT, "The node."),
        Column("status", TEXT, "success, error, skipped, partial success, no-op; of tests pass, fail, warn, error."),
        Column("message", TEXT, "What the database or dbt said."),
        Column("failures", INTEGER, "Of a test: how many rows fail it."),
        Column("execution_time", NUMBER, "How long it took, in seconds."),
        Column("thread_id", TEXT, "By which thread."),
        Column("compile_started_at", TIME, "When its compilation began."),
        Column("compile_completed_at", TIME, "When that was over."),
        Column("execute_started_at", TIME, "When its execution began."),
        Column("execute_completed_at", TIME, "When that was over."),
        Column("rows_affected", INTEGER, "How many rows the database wrote.", at="adapter_response.rows_affected"),
        Column("bytes_processed", INTEGER, "How many bytes it read.", at="adapter_response.bytes_processed"),
        Column("adapter_response", JSON, "What the database answered."),
        Column("relation_name", TEXT, "What was made."),
        Column("compiled", FLAG, "Whether it was compiled."),
        Column("compiled_code", TEXT, "Its code as run, where `code` asks for it."),
        Column("batch_results", JSON, "Of a microbatch model: what came of its batches."),
    ),
    passed_over=frozenset({"timing", "node"}),
)
RUN_RESULT_TIMINGS: Final = Table(
    name="run_result_timings",
    description="The parts of each node's time: compile and execute.",
    key=("run_id", "step", "unique_id", "position"),
    columns=(
        *_origin("it"),
        Column("unique_id", TEXT, "The node."),
        Column("position", INTEGER, "The place of the part, from 0."),
        Column("name", TEXT, "compile or execute."),
        Column("started_at", TIME, "When the part began."),
        Column("completed_at", TIME, "When it was over."),
    ),
)
SOURCE_FRESHNESS: Final = Table(
    name="source_freshness",
    description="How fresh each table of the sources was.",
    key=("run_id", "step", "unique_id"),
    columns=(
        *_origin("it"),
        Column("unique_id", TEXT, "The table of a source."),
        Column("status", TEXT, "pass, warn, error, or runtime error."),
        Column("error", TEXT, "Why it could not be told."),
        Column("max_loaded_at", TIME, "When it was last loaded."),
        Column("snapshotted_at", TIME, "When that was looked at."),
        Column("age_seconds", NUMBER, "What lies between.", at="max_loaded_at_time_ago_in_s"),
        Column("warn_after_count", INTEGER, "From what age on it is a warning …", at="criteria.warn_after.count"),
        Column("warn_after_period", TEXT, "… in minutes, hours or days.", at="criteria.warn_after.period"),
        Column("error_after_count", INTEGER, "From what age on it is an error …", at="criteria.error_after.count"),
        Column("error_after_period", TEXT, "… in minutes, hours or days.", at="criteria.error_after.period"),
        Column("filter", TEXT, "Which rows were looked at.", at="criteria.filter"),
        Column("execution_time", NUMBER, "How long the look took, in seconds."),
        Column("thread_id", TEXT, "By which thread."),
        Column("adapter_response", JSON, "What the database answered."),
    ),
    passed_over=frozenset({"timing"}),
)
CATALOG_TABLES: Final = Table(
    name="catalog_tables",
    description="Tables and views as the database has them.",
    key=("run_id", "step", "unique_id"),
    columns=(
        *_origin("it"),
        Column("unique_id", TEXT, "The node."),
        Column("is_source", FLAG, "Whether it is a source's."),
        Column("type", TEXT, "What the database says that it is.", at="metadata.type"),
        Column("database_name", TEXT, "The database.", at="metadata.database"),
        Column("schema_name", TEXT, "The schema.", at="metadata.schema"),
        Column("name", TEXT, "What it is called there.", at="metadata.name"),
        Column("owner", TEXT, "Whose it is.", at="metadata.owner"),
        Column("comment", TEXT, "What is written of it there.", at="metadata.comment"),
        Column("row_count", NUMBER, "How many rows it has, where the database tells."),
        Column("bytes", NUMBER, "How large it is, where the database tells."),
        Column("last_modified", TEXT, "When it was changed, where the database tells."),
        Column("stats", JSON, "All that the database tells."),
    ),
    passed_over=frozenset({"columns"}),
)
CATALOG_COLUMNS: Final = Table(
    name="catalog_columns",
    description="Columns of tables and views as the database has them.",
    key=("run_id", "step", "unique_id", "name"),
    columns=(
        *_origin("it"),
        Column("unique_id", TEXT, "The node that it is of.", at="~unique_id"),
        Column("position", INTEGER, "Its place in the table, from 1.", at="index"),
        Column("name", TEXT, "What it is called.", at="~name"),
        Column("type", TEXT, "What the database says that it holds."),
        Column("comment", TEXT, "What is written of it there."),
    ),
    passed_over=frozenset({"name"}),
)
PARTS: Final = (
    MANIFEST_NODES,
    MANIFEST_COLUMNS,
    MANIFEST_DEPENDENCIES,
    RUN_RESULTS,
    RUN_RESULT_TIMINGS,
    SOURCE_FRESHNESS,
    CATALOG_TABLES,
    CATALOG_COLUMNS,
)
"""What files are made of."""

RUN_ARTIFACTS: Final = Table(
    name="run_artifacts",
    description="The files that the steps of runs have left.",
    key=("run_id", "step", "path"),
    columns=(
        Column("run_id", INTEGER, "Of which run it is."),
        Column("step", INTEGER, "Of which step of it; 0 is the last one of a run that told of none."),
        Column("path", TEXT, "Where it lies among what the step has left."),
        Column("job_definition_id", INTEGER, "Of which job the run is."),
        Column("project_id", INTEGER, "Of which project."),
        Column("environment_id", INTEGER, "In which environment."),
        Column("finished_at", TIME, "When the run ended."),
    ),
)
RUN_ARTIFACT_GET: Final = Table(
    name="run_artifact_get",
    description="The files that were read, each with what it says of itself.",
    key=("run_id", "step", "path"),
    columns=(
        Column("run_id", INTEGER, "Of which run it is."),
        Column("step", INTEGER, "Of which step of it; 0 is the last one of a run that told of none."),
        Column("path", TEXT, "Where it lies among what the step has left."),
        Column("job_definition_id", INTEGER, "Of which job the run is."),
        Column("project_id", INTEGER, "Of which project."),
        Column("environment_id", INTEGER, "In which environment."),
        Column("kind", TEXT, "manifest, run-results, sources, catalog; what it says that it is."),
        Column("schema_version", INTEGER, "The version of that."),
        Column("dbt_schema_version", TEXT, "Both, as it says them."),
        Column("dbt_version", TEXT, "The version of dbt."),
        Column("generated_at", TIME, "When it was written."),
        Column("invocation_id", TEXT, "By which invocation of dbt."),
        Column("invocation_started_at", TIME, "When that began."),
        Column("command", TEXT, "What dbt did: build, run, test, generate …"),
        Column("invocation_command", TEXT, "As it was typed."),
        Column("dbt_cloud_run_id", TEXT, "The run as dbt was told of it."),
        Column("project_name", TEXT, "What the project is called."),
        Column("adapter_type", TEXT, "What speaks to the database."),
        Column("elapsed_time", NUMBER, "How long dbt took, in seconds."),
        Column("part_count", INTEGER, "How many rows were made of it, in all tables."),
        Column("error", TEXT, "Why it could not be read, if so."),
        Column("size", INTEGER, "How many bytes it has."),
        Column("sha256", TEXT, "Its digest."),
        Column("stored_at", TEXT, "Where it was put, where `files` asks for that."),
    ),
    passed_over=frozenset({"finished_at"}),
    children=tuple(child(each.name, each, parent=("run_id", "step")) for each in PARTS),
)
