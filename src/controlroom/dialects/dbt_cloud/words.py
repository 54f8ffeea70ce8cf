"""What the engine calls things, and what this grammar calls them: the one place where its names become these.

A failure of the engine names a field of its own (`purpose`), in a sentence with nouns of its own (`a target`).
`field_of` says by which key of a body that was sent (`deployment_type`), `told` the sentence in this grammar's nouns.
"""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Final

_IN_CONFIG: Final = ("sslmode", "sslrootcert", "search_path", "role", "connect_timeout", "keepalives_idle", "retries")
_OF_DUCKDB: Final = ("path", "folder", "extensions", "settings")
_OVERRIDES: Final = ("threads", "schema", "target_name", "steps", "generate_docs")

_FIELDS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "CHAIN_INVALID": {"": ("job_completion_trigger_condition",)},
    "COMMAND_REFUSED": {"": ("execute_steps", "steps_override")},
    "CONNECTION_INVALID": {
        "kind": ("adapter_version",),
        "host": ("config.hostname",),
        "port": ("config.port",),
        "database": ("config.dbname",),
        "placement": ("config.worker_id",),
        **{name: (f"config.{name}",) for name in (*_IN_CONFIG, *_OF_DUCKDB)},
    },
    "CONNECTION_MISSING": {"": ("connection_id",)},
    "ENDPOINT_INVALID": {"": ("client_url",)},
    "EXTENDED_ATTRIBUTES_INVALID": {"extended_attributes": ("extended_attributes", "extended_attributes_id")},
    "GIT_URL_INVALID": {"": ("remote_url",)},
    "JOB_INVALID": {
        "threads": ("settings.threads",),
        "timeout": ("execution.timeout_seconds",),
        "commands": ("execute_steps",),
        "follows": ("job_completion_trigger_condition",),
        "tool_version": ("dbt_version",),
        "schedule": ("schedule",),
        "schedule: days of the week": ("schedule.date.days",),
        "schedule: hours": ("schedule.time.hours",),
    },
    "LOGIN_INVALID": {
        "username": ("username",),
        "password": ("password",),
        "schema_name": ("schema",),
        "threads": ("threads",),
        "target_name": ("target_name",),
    },
    "LOGIN_UNFIT": {"credentials_id": ("credentials_id",)},
    "NAME_INVALID": {"": ("name", "key", "full_name")},
    "NOTIFICATION_INVALID": {"": ("external_email",)},
    "NOT_OF_PROJECT": {"": ("repository_id",), "repository": ("repository_id",), "job": ("docs_job_id",)},
    "OVERRIDES_INVALID": {
        "timeout": ("timeout_seconds_override",),
        "tool_version": ("dbt_version_override",),
        "schema_prefix": ("schema_override",),
        **{name: (f"{name}_override",) for name in _OVERRIDES},
        **{
            name: (name,)
            for name in (
                *("git_sha", "git_branch", "azure_pull_request_id", "github_pull_request_id"),
                *("gitlab_merge_request_id", "non_native_pull_request_id"),
            )
        },
    },
    "PROJECT_INVALID": {"subdirectory": ("dbt_project_subdirectory",)},
    "RUN_INVALID": {"cause": ("cause",)},
    "SCHEDULE_RULE_INVALID": {"": ("schedule",)},
    "TARGET_INVALID": {
        "purpose": ("deployment_type",),
        "branch": ("custom_branch",),
        "tool_version": ("dbt_version",),
        "subdirectory": ("dbt_project_subdirectory",),
        "kept": ("supports_docs",),
    },
    "TEXT_TOO_LONG": {"": ("description",)},
    "VARIABLE_INVALID": {
        "value": ("raw_value", "env_var"),
        "number": ("name",),
        "target": ("environment_id",),
        "process": ("job_definition_id",),
        "user": ("user_id",),
    },
    "VARIABLE_NAME_INVALID": {"name": ("name",)},
    "WEBHOOK_INVALID": {"": ("client_url",)},
}
"""By a failure's code, and the engine's field ("" where it names none): the keys that may be meant, the first of a body
first. A name of the engine that does not stand here is told to nobody."""

_NOUNS: Final = {
    "log-in": ("credentials", "credentials"),
    "notice": ("notification", "notifications"),
    "organization": ("account", "accounts"),
    "package": ("repository", "repositories"),
    "phase": ("step", "steps"),
    "process": ("job", "jobs"),
    "target": ("environment", "environments"),
    "workspace": ("project", "projects"),
}
_PLURALS: Final = {"processes": "process"} | {f"{noun}s": noun for noun in _NOUNS if noun != "process"}
_QUOTED: Final = re.compile(r"""((?<!\w)'[^']*'(?!\w)|"[^"]*"|`[^`]*`|https?://\S+)""")
_NOUN: Final = re.compile(
    rf"(?<![\w./-])(?:(?P<article>an?) )?(?P<noun>{'|'.join([*_PLURALS, *_NOUNS])})(?![\w/-]|\.\w)", re.IGNORECASE
)


def field_of(code: str, field: str, keys: Collection[str]) -> str | None:
    """By which of the keys that a body may have a field of the engine was sent; None: by none that is known."""
    meant = _FIELDS.get(code, {}).get(field, ())
    return next((name for name in meant if name.partition(".")[0] in keys), None)


def told(text: str) -> str:
    """A sentence of the engine in this grammar's nouns; what is quoted in it stays."""
    parts = _QUOTED.split(text)
    return "".join(part if place % 2 else _NOUN.sub(_renamed, part) for place, part in enumerate(parts))


def _renamed(found: re.Match[str]) -> str:
    word = found["noun"]
    lower = word.lower()
    one, several = _NOUNS[_PLURALS.get(lower, lower)]
    named = several if lower in _PLURALS else one
    as_written: Callable[[str], str] = str.capitalize if word[0].isupper() else str
    if not (article := found["article"]):
        return as_written(named)
    wanted = "an" if named[0] in "aeiou" else "a"
    bare = named == several  # credentials: a word that has no singular
    if bare:
        return as_written(named)
    return f"{wanted.capitalize() if article[0].isupper() else wanted} {as_written(named)}"
