"""What variables may be called, and hold. Pure."""

import re
from typing import Final

from controlroom.engine.variables.errors import VariableInvalid, VariableNameInvalid

MASK: Final = "********"
"""Stands where the value of a secret one is."""
MOST: Final = 2000
"""Of a workspace, in all scopes."""
LONGEST_NAME: Final = 255
MOST_BYTES: Final = 64 * 1024
"""Of a value. Why: Linux takes no longer single string than twice that in an environment, and tools copy them."""
SECRET_PREFIX: Final = "DBT_ENV_SECRET"  # noqa: S105 - the beginning of names

_NAME: Final = re.compile(r"[A-Z_][A-Z0-9_]*")
_PREFIXES: Final = (
    *("CONTROLROOM_", "LD_", "PYTHON", "GIT_", "UV_", "PIP_"),
    *("DBT_ENGINE_", "DBT_CLOUD_", "DBT_ENV_CUSTOM_ENV_DBT_CLOUD_"),
)
"""Those of the room, of the loader and the interpreter, of the tool and of what a run tells it."""
_PROGRAMS: Final = frozenset({"PATH", "HOME", "USER", "SHELL", "TMPDIR", "IFS", "ENV", "BASH_ENV", "LANG", "TZ"})
_FLAGS_OF_TOOL: Final = """
    ARTIFACT_STATE_PATH CACHE_SELECTED_ONLY CLEAN_PROJECT_FILES_ONLY DEBUG DEFER DEFER_STATE DEFER_TO_STATE
    DOWNLOAD_DIR DOWNLOADS_DIR EMPTY EVENT_TIME_END EVENT_TIME_START EXCLUDE_RESOURCE_TYPES EXPORT_SAVED_QUERIES
    FAIL_FAST FAVOR_STATE FAVOR_STATE_MODE FULL_REFRESH HOST INCLUDE_SAVED_QUERY INDIRECT_SELECTION
    INTROSPECT INVOCATION_ENV LOG_CACHE_EVENTS LOG_FILE_MAX_BYTES LOG_FORMAT LOG_FORMAT_FILE LOG_LEVEL
    LOG_LEVEL_FILE LOG_PATH MACRO_DEBUGGING NO_PRINT PARTIAL_PARSE PARTIAL_PARSE_FILE_DIFF
    PARTIAL_PARSE_FILE_PATH POPULATE_CACHE PP_FILE_DIFF_TEST PP_TEST PRINT PRINTER_WIDTH PROFILE PROFILES_DIR
    PROJECT_DIR QUIET RECORDED_FILE_PATH RECORDER_FILE_PATH RECORDER_MODE RECORDER_ROW_LIMIT RECORDER_TYPES
    RESOURCE_TYPES SAMPLE SEND_ANONYMOUS_USAGE_STATS SHOW_RESOURCE_REPORT SINGLE_THREADED SQLPARSE STATE
    STATIC_PARSER STORE_FAILURES TARGET TARGET_PATH TEST_BINARY_SERIALIZATION TEST_STATE_MODIFIED
    UPLOAD_TO_ARTIFACTS_INGEST_API USE_COLORS USE_COLORS_FILE USE_EXPERIMENTAL_PARSER USE_FAST_TEST_EDGES
    VERSION_CHECK WARN_ERROR WARN_ERROR_OPTIONS WRITE_JSON
"""
"""By which the tool takes its flags, without the `DBT_` (1.11: those of `cli/params.py`, and others that are read)."""
_FLAGS: Final = frozenset(f"DBT_{flag}" for flag in _FLAGS_OF_TOOL.split())


def checked_name(name: str) -> str:
    """The name, if robots and commands can be given a variable of it. Raises VariableNameInvalid."""
    if not _NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        raise VariableNameInvalid(
            name, f"is called by capital letters, digits and _, not more than {LONGEST_NAME}, the first no digit"
        )
    if name in _FLAGS:
        raise VariableNameInvalid(name, "would change how the tool itself works: it is one of its flags")
    if name.startswith(_PREFIXES) or name in _PROGRAMS:
        raise VariableNameInvalid(name, "is not for people to set: programs are told something else by it")
    return name


def checked_value(value: str) -> str:
    """The value, if a program can be given it. Raises VariableInvalid."""
    if "\0" in value or len(value.encode(errors="surrogatepass")) > MOST_BYTES:
        raise VariableInvalid("value", f"has at most {MOST_BYTES:,} bytes, none of them NUL")
    return value


def is_secret(name: str) -> bool:
    """Whether the value of such a variable is sealed, and shown to nobody."""
    return name.startswith(SECRET_PREFIX)
