"""Small dbt projects, and plans for them."""

import shlex
from typing import Any

from controlroom.project_plans import PlannedPhase, ProjectFacts, ProjectPlan, Purpose, Tool
from controlroom.protocol import OnFailure, PhaseKind

SHOP = {
    "dbt_project.yml": "name: shop\nversion: '1.0'\nprofile: shop\nmodel-paths: [models]\n",
    "models/orders.sql": "select 1 as id, '{{ env_var('DBT_COLOUR', 'none') }}' as colour",
    "models/totals.sql": "{{ config(materialized='table') }}\nselect count(*) as n from {{ ref('orders') }}",
    "models/schema.yml": "models:\n  - name: orders\n    columns:\n      - name: id\n        data_tests: [unique]\n",
    "seeds/people.csv": "id,name\n1,ada\n2,ben\n",
}
FACTS = ProjectFacts(
    organization=1,
    organization_name="Acme",
    project=2,
    project_name="Shop",
    job=3,
    job_name="Nightly",
    run=4,
    target=5,
    target_name="Production",
    target_kind="deployment",
    target_purpose="production",
    reason="because",
    reason_category="other",
    is_ci=False,
)
DUCKDB = {"type": "duckdb", "schema": "main"}


def phases(*commands: str, freshness: bool = False, docs: bool = False) -> tuple[PlannedPhase, ...]:
    """The phases of a run with these commands."""
    found = [
        PlannedPhase(kind=PhaseKind.SOURCE, name="Clone git repository"),
        PlannedPhase(kind=PhaseKind.PROFILE, name="Create profile from connection Test"),
        _command("dbt deps", Purpose.DEPS),
    ]
    if freshness:
        found.append(_command("dbt source freshness", Purpose.FRESHNESS, OnFailure.IGNORE))
    found += [_command(line, Purpose.OWN) for line in commands]
    if docs:
        found.append(_command("dbt docs generate", Purpose.DOCS, OnFailure.IGNORE))
    return tuple(found)


def _command(line: str, purpose: Purpose, on_failure: OnFailure = OnFailure.SKIP) -> PlannedPhase:
    name = f"Invoke dbt with `{line}`"
    return PlannedPhase(
        kind=PhaseKind.COMMAND, name=name, words=tuple(shlex.split(line)), on_failure=on_failure, purpose=purpose
    )


def plan(*commands: str, freshness: bool = False, docs: bool = False, **fields: Any) -> ProjectPlan:
    """A plan for these commands on DuckDB."""
    values: dict[str, Any] = {
        "phases": phases(*commands, freshness=freshness, docs=docs),
        "tool": Tool("1.11", "duckdb"),
        "subdirectory": "",
        "threads": 2,
        "target_name": "prod",
        "output": {**DUCKDB, "path": ":memory:"},
        "secrets": (),
        "variables": {},
        "facts": FACTS,
        **fields,
    }
    return ProjectPlan(**values)
