"""The environment variables of a project's commands. Pure.

People's own come first, the run's facts over them, the machine's over all; what would be a flag of dbt is left out, so
that a variable changes no engine. Facts are told twice: by their names, and by those that dbt writes into artifacts.
"""

from collections.abc import Mapping
from typing import Final

from controlroom.project_plans import ProjectFacts

_IN_ARTIFACTS: Final = "DBT_ENV_CUSTOM_ENV_"
"""dbt writes variables that begin so into the metadata of artifacts, without this beginning."""

_ENGINE: Final = "DBT_ENGINE_"
_FLAGS: Final = frozenset(
    f"DBT_{name}"
    for name in """
    ARTIFACT_STATE_PATH CACHE_SELECTED_ONLY CLEAN_PROJECT_FILES_ONLY DEBUG DEFER DEFER_STATE DEFER_TO_STATE EMPTY
    EVENT_TIME_END EVENT_TIME_START EXCLUDE_RESOURCE_TYPES EXPORT_SAVED_QUERIES FAIL_FAST FAVOR_STATE FAVOR_STATE_MODE
    FULL_REFRESH HOST INCLUDE_SAVED_QUERY INDIRECT_SELECTION INTROSPECT LOG_CACHE_EVENTS LOG_FILE_MAX_BYTES LOG_FORMAT
    LOG_FORMAT_FILE LOG_LEVEL LOG_LEVEL_FILE LOG_PATH MACRO_DEBUGGING NO_PRINT PARTIAL_PARSE PARTIAL_PARSE_FILE_DIFF
    PARTIAL_PARSE_FILE_PATH POPULATE_CACHE PRINT PRINTER_WIDTH PROFILE PROFILES_DIR PROJECT_DIR QUIET RESOURCE_TYPES
    SAMPLE SEND_ANONYMOUS_USAGE_STATS SHOW_RESOURCE_REPORT SINGLE_THREADED SQLPARSE STATE STATIC_PARSER STORE_FAILURES
    TARGET TARGET_PATH UPLOAD_TO_ARTIFACTS_INGEST_API USE_COLORS USE_COLORS_FILE USE_EXPERIMENTAL_PARSER
    USE_FAST_TEST_EDGES VERSION_CHECK WARN_ERROR WARN_ERROR_OPTIONS WRITE_JSON
    """.split()  # noqa: SIM905 - sixty quoted words are no clearer
)
"""Variables that are flags of dbt 1.11, each known with `DBT_ENGINE_` in front, too."""

_KINDS: Final = {"production": "prod", "staging": "staging"}


def of_project(own: Mapping[str, str], facts: ProjectFacts, place: Mapping[str, str]) -> dict[str, str]:
    """All variables of a command: people's own, the facts of the run, and those of the place and environment."""
    told = of_facts(facts)
    kept = {name: value for name, value in own.items() if not is_flag(name)}
    in_artifacts = {_IN_ARTIFACTS + name: value for name, value in told.items()}
    return {"DBT_ENV": "prod", **kept, **in_artifacts, **told, **place}


def in_artifacts(variables: Mapping[str, str]) -> dict[str, str]:
    """What dbt writes of a command's variables into the metadata of its artifacts."""
    return {
        name.removeprefix(_IN_ARTIFACTS): value for name, value in variables.items() if name.startswith(_IN_ARTIFACTS)
    }


def is_flag(name: str) -> bool:
    """Whether a variable of this name changes how dbt works. Names are as dbt reads them, whatever their case."""
    upper = name.upper()
    return upper in _FLAGS or upper.startswith(_ENGINE)


def of_facts(facts: ProjectFacts) -> dict[str, str]:
    """What a run may know of itself, by the names under which projects look for it (protocols/dbt_cloud §4)."""
    kind = _KINDS.get(facts.target_purpose or "", "dev" if facts.target_kind == "development" else "")
    told = {
        "ACCOUNT_ID": facts.organization,
        "PROJECT_ID": facts.project,
        "JOB_ID": facts.job,
        "RUN_ID": facts.run,
        "RUN_REASON": facts.reason,
        "RUN_REASON_CATEGORY": facts.reason_category,
        "ENVIRONMENT_ID": facts.target,
        "ENVIRONMENT_NAME": facts.target_name,
        "ENVIRONMENT_TYPE": kind,
        "INVOCATION_CONTEXT": "ci" if facts.is_ci else kind or "prod",
    }
    of_change = {
        **({} if facts.pull_request is None else {"PR_ID": facts.pull_request}),
        **({} if facts.sha is None or not facts.is_ci else {"GIT_SHA": facts.sha}),
    }
    return {f"DBT_CLOUD_{name}": str(value) for name, value in (told | of_change).items()}
