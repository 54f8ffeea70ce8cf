"""What dbt's files are made of: manifests, run results, freshness of sources and catalogs become rows.

Pure, and in one pass over a file's pieces, so that a manifest of any size takes the memory of a few hundred nodes.
Files of all versions that dbt-core has written since 1.0 are read (manifest 4 to 12, run results 4 to 6, sources 3,
catalog 1), and later ones as the last known; what only an older version calls otherwise gets the name that it has
today.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from controlroom.sources.columns import Table
from controlroom.sources.dbt_cloud.artifact_tables import (
    CATALOG_COLUMNS,
    CATALOG_TABLES,
    MANIFEST_COLUMNS,
    MANIFEST_DEPENDENCIES,
    MANIFEST_NODES,
    RUN_RESULT_TIMINGS,
    RUN_RESULTS,
    SOURCE_FRESHNESS,
)
from controlroom.sources.dbt_cloud.json_members import BrokenJsonError, Member, members

Row = dict[str, Any]
Part = tuple[Table, Row]
FILES: Final = ("manifest.json", "run_results.json", "sources.json", "catalog.json")
"""Those that are unpacked."""
_SCHEMA: Final = re.compile(r"/([a-z-]+)/v(\d+)\.json")
_NODE_SECTIONS: Final = (
    "nodes",
    "sources",
    "exposures",
    "metrics",
    "groups",
    "semantic_models",
    "saved_queries",
    "unit_tests",
    "functions",
)
_KIND_OF_SECTION: Final[Mapping[str, str]] = {
    "sources": "source",
    "exposures": "exposure",
    "metrics": "metric",
    "groups": "group",
    "semantic_models": "semantic_model",
    "saved_queries": "saved_query",
    "unit_tests": "unit_test",
    "functions": "function",
}
_KEYS_OF_DEFINITIONS: Final = frozenset(
    {
        "type_params",
        "filter",
        "filters",
        "calculation_method",
        "expression",
        "timestamp",
        "time_grains",
        "time_granularity",
        "dimensions",
        "window",
        "node_relation",
        "entities",
        "measures",
        "defaults",
        "primary_entity",
        "query_params",
        "exports",
        "sql",
        "returns",
        "arguments",
    }
)


@dataclass(slots=True)
class Artifact:
    """What a file says of itself."""

    kind: str | None = None
    """manifest, run-results, sources, catalog."""
    schema_version: int | None = None
    dbt_schema_version: str | None = None
    metadata: Row = field(default_factory=dict)
    elapsed_time: float | None = None
    args: Row = field(default_factory=dict)

    def told(self) -> Row:
        """The same, as columns of `run_artifact_get`."""
        known, args = self.metadata, self.args
        return {
            "kind": self.kind,
            "schema_version": self.schema_version,
            "dbt_schema_version": self.dbt_schema_version,
            "dbt_version": known.get("dbt_version"),
            "generated_at": known.get("generated_at"),
            "invocation_id": known.get("invocation_id"),
            "invocation_started_at": known.get("invocation_started_at"),
            "command": args.get("which"),
            "invocation_command": args.get("invocation_command"),
            "dbt_cloud_run_id": _object(known.get("env")).get("DBT_CLOUD_RUN_ID"),
            "project_name": known.get("project_name"),
            "adapter_type": known.get("adapter_type"),
            "elapsed_time": self.elapsed_time,
        }


def described(pieces: Callable[[], Iterable[bytes]]) -> Artifact:
    """What a file says of itself, read as far as is needed. Raises BrokenJsonError."""
    metadata: Row = {}
    for member in members(pieces()):
        if member.section == "metadata":
            if member.key is not None:
                metadata[member.key] = member.value
        elif metadata:
            break
    return _artifact(metadata)


def _artifact(metadata: Row) -> Artifact:
    told = metadata.get("dbt_schema_version")
    url = told if isinstance(told, str) else None
    match = _SCHEMA.search(url or "")
    return Artifact(match[1] if match else None, int(match[2]) if match else None, url, metadata)


def unpacked(
    name: str, pieces: Callable[[], Iterable[bytes]], of: Mapping[str, Any], *, code: bool = False
) -> tuple[Artifact, Iterator[Part]]:
    """What a file says of itself, and its rows, each with its table; `pieces` begins anew at each call.

    `of` tells the `run_id`, `step` and `job_definition_id` that the rows have. What stands behind the rows in the file
    (elapsed time, arguments) is in the artifact once the rows are read. Raises BrokenJsonError, then, too.
    """
    artifact = described(pieces)
    origin = {f"~{key}": of[key] for key in ("run_id", "step", "job_definition_id")} | {
        "~schema_version": artifact.schema_version,
        "~invocation_id": artifact.metadata.get("invocation_id"),
        "~generated_at": artifact.metadata.get("generated_at"),
    }
    read = _READ[name]

    def rows() -> Iterator[Part]:
        position = 0
        section = None
        for member in members(pieces()):
            position = position + 1 if member.section == section else 0
            section = member.section
            if section == "elapsed_time":
                artifact.elapsed_time = _number(member.value)
            elif section == "args" and member.key is not None:
                artifact.args[member.key] = member.value
            elif isinstance(member.value, dict):
                yield from read(member, position, origin, code)

    return artifact, rows()


# ---------------------------------------------------------------------------------------------------- manifest.json
def _manifest(member: Member, position: int, origin: Row, code: bool) -> Iterator[Part]:  # noqa: ARG001, FBT001
    if member.section not in _NODE_SECTIONS:
        return
    node: Row = member.value
    unique_id = node.get("unique_id") or member.key
    yield MANIFEST_NODES, origin | _node(node, member.section, code) | {"unique_id": unique_id}
    for place, (name, column) in enumerate(_object(node.get("columns")).items()):
        if isinstance(column, dict):
            told = origin | {"~unique_id": unique_id, "~position": place, "~name": column.get("name") or name}
            yield MANIFEST_COLUMNS, told | column
    for each in dict.fromkeys(_texts(_object(node.get("depends_on")).get("nodes"))):
        yield MANIFEST_DEPENDENCIES, origin | {"unique_id": unique_id, "depends_on": each}


def _node(node: Row, section: str, code: bool) -> Row:  # noqa: FBT001
    """A node, with the names of today's version."""
    found = dict(node)
    for key, before in (("raw_code", "raw_sql"), ("compiled_code", "compiled_sql")):  # until manifest 6
        older = found.pop(before, None)
        found[key] = found.get(key, older) if code else None
    found.setdefault("resource_type", _KIND_OF_SECTION.get(section))
    found["contract_enforced"] = _object(node.get("contract")).get("enforced")
    found["test_name"] = _object(node.get("test_metadata")).get("name")
    found["test_column"] = node.get("column_name")
    found["tested_node"] = node.get("attached_node") or node.get("tested_node_unique_id")
    for key in ("version", "latest_version"):
        found[key] = None if node.get(key) is None else str(node[key])
    definition = {key: found.pop(key) for key in tuple(found) if key in _KEYS_OF_DEFINITIONS}
    found["definition"] = definition or None
    return found


# ------------------------------------------------------------------------------------------------ run_results.json
def _results(member: Member, position: int, origin: Row, code: bool) -> Iterator[Part]:  # noqa: FBT001
    if member.section != "results":
        return
    result: Row = member.value
    timing = [each for each in _listed(result.get("timing")) if isinstance(each, dict)]
    parts = {f"{each.get('name')}_{end}": each.get(end) for each in timing for end in ("started_at", "completed_at")}
    told = origin | result | {key: parts.get(key) for key in _PARTS_OF_TIME} | {"~position": position}
    if not code:
        told["compiled_code"] = None
    yield RUN_RESULTS, told
    for place, each in enumerate(timing):
        yield RUN_RESULT_TIMINGS, origin | each | {"unique_id": result.get("unique_id"), "position": place}


_PARTS_OF_TIME: Final = (
    "compile_started_at",
    "compile_completed_at",
    "execute_started_at",
    "execute_completed_at",
)


# ----------------------------------------------------------------------------------------------------- sources.json
def _freshness(member: Member, position: int, origin: Row, code: bool) -> Iterator[Part]:  # noqa: ARG001, FBT001
    if member.section == "results":
        error = member.value.get("error")
        yield SOURCE_FRESHNESS, origin | member.value | {"error": None if error is None else str(error)}


# ----------------------------------------------------------------------------------------------------- catalog.json
def _catalog(member: Member, position: int, origin: Row, code: bool) -> Iterator[Part]:  # noqa: ARG001, FBT001
    if member.section not in {"nodes", "sources"}:
        return
    table: Row = member.value
    unique_id = table.get("unique_id") or member.key
    stats = {key: each for key, each in _object(table.get("stats")).items() if isinstance(each, dict)}
    yield (
        CATALOG_TABLES,
        origin
        | table
        | {
            "unique_id": unique_id,
            "is_source": member.section == "sources",
            "row_count": _stat(stats, "row_count", "num_rows", "rows"),
            "bytes": _stat(stats, "bytes", "num_bytes", "size"),
            "last_modified": _said(stats, "last_modified"),
        },
    )
    for name, column in _object(table.get("columns")).items():
        if isinstance(column, dict):
            told = {"~unique_id": unique_id, "~name": column.get("name") or name}
            yield CATALOG_COLUMNS, origin | column | told


def _said(stats: Mapping[str, Row], *names: str) -> str | None:
    found = next((stats[name].get("value") for name in names if name in stats), None)
    return None if found is None else str(found)


def _stat(stats: Mapping[str, Row], *names: str) -> float | None:
    return _number(next((stats[name].get("value") for name in names if name in stats), None))


# ------------------------------------------------------------------------------------------------------------- all
_READ: Final[Mapping[str, Callable[[Member, int, Row, bool], Iterator[Part]]]] = {
    "manifest.json": _manifest,
    "run_results.json": _results,
    "sources.json": _freshness,
    "catalog.json": _catalog,
}


def _texts(value: Any) -> Iterator[str]:
    yield from (each for each in _listed(value) if isinstance(each, str))


def _object(value: Any) -> Row:
    """An object; of anything else an empty one."""
    return value if isinstance(value, dict) else {}


def _listed(value: Any) -> list[Any]:
    """A list; of anything else an empty one."""
    return value if isinstance(value, list) else []


def _number(value: Any) -> float | None:
    try:
        return None if value is None or isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None


__all__ = ["FILES", "Artifact", "BrokenJsonError", "Part", "described", "unpacked"]
