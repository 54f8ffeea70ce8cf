"""What a start of a job comes to: what the run goes by, which locks it wants. Pure."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from controlroom.engine.jobs.model import Job, JobKind
from controlroom.engine.locks.model import LockName, LockOf
from controlroom.engine.runs.projects.model import (
    NO_OVERRIDES,
    ProjectOverrides,
    ProjectWork,
    PullRequest,
    PullRequestOf,
)
from controlroom.ids import ConnectionId
from controlroom.protocol import Command
from controlroom.robots import dbt_commands, dbt_versions

SLOTS: Final = LockName("run-slots", LockOf.ORGANIZATION)
"""Each run of a project holds one of these, but for those that try changes out."""

MOST_STEPS: Final = 100
"""Commands of one start. Why: each is a phase with files of its own, and nobody reads so many."""
MOST_THREADS: Final = 10_000
_LONGEST_TEXT: Final = 255
_DEFAULT_TARGET_NAME: Final = "default"
"""What jobs say who say nothing: the log-in's name counts then."""
_LARGEST: Final = 2**53 - 1
_TEXTS: Final = ("git_sha", "git_branch", "schema", "schema_prefix", "tool_version", "target_name")
_PULL_REQUESTS: Final = {
    "github_pull_request_id": PullRequestOf.GITHUB,
    "gitlab_merge_request_id": PullRequestOf.GITLAB,
    "azure_pull_request_id": PullRequestOf.AZURE,
    "non_native_pull_request_id": PullRequestOf.OTHER,
}
_REF: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/@+-]{0,199}")
_SHA: Final = re.compile(r"[0-9a-fA-F]{4,64}")


class OverrideFault(NamedTuple):
    """What is wrong with an override."""

    field: str
    why: str


def fault_of(overrides: ProjectOverrides) -> OverrideFault | None:
    """Why no run may have the overrides; None if one may. Raises CommandRefused for a step that may not be run."""
    commands_of(overrides.steps or ())
    return next(_faults(overrides), None)


def _faults(overrides: ProjectOverrides) -> Iterator[OverrideFault]:
    for field in _TEXTS:
        text = getattr(overrides, field)
        if text is not None and not (0 < len(text) <= _LONGEST_TEXT and text.isprintable()):
            yield OverrideFault(field, f"has 1 to {_LONGEST_TEXT} printable characters")
    if overrides.tool_version is not None and (why := dbt_versions.fault_of(overrides.tool_version)):
        yield OverrideFault("tool_version", why)
    if overrides.git_branch is not None and not _REF.fullmatch(overrides.git_branch):
        yield OverrideFault("git_branch", "is no name of a branch")
    if overrides.git_sha is not None and not _SHA.fullmatch(overrides.git_sha):
        yield OverrideFault("git_sha", "is no commit")
    if overrides.threads is not None and not 1 <= overrides.threads <= MOST_THREADS:
        yield OverrideFault("threads", f"are 1 to {MOST_THREADS:,}")
    for field in _PULL_REQUESTS:
        number = getattr(overrides, field)
        if number is not None and not 0 < number <= _LARGEST:
            yield OverrideFault(field, "is a number above 0")
    if overrides.steps is not None and not 1 <= len(overrides.steps) <= MOST_STEPS:
        yield OverrideFault("steps", f"are 1 to {MOST_STEPS} commands")


def commands_of(lines: tuple[str, ...]) -> tuple[Command, ...]:
    """Lines as commands, verbatim by name. Raises CommandRefused."""
    return tuple(Command(name=line, words=dbt_commands.read(line).words) for line in lines)


def pull_request_of(overrides: ProjectOverrides) -> PullRequest | None:
    """The change that a run tries out, whoever keeps it."""
    for field, of in _PULL_REQUESTS.items():
        number = getattr(overrides, field)
        if number is not None:
            return PullRequest(of, number)
    return None


def work_of(
    job: Job,
    overrides: ProjectOverrides | None,
    *,
    connection_name: str,
    database: ConnectionId | None,
    tool_version: str | None,
) -> ProjectWork:
    """What a run of the job goes by; the target says `tool_version`, if the job says none."""
    given, settings = overrides or NO_OVERRIDES, job.settings
    pull_request = pull_request_of(given)
    return ProjectWork(
        commands=job.commands if given.steps is None else commands_of(given.steps),
        connection_name=connection_name,
        threads=given.threads or settings.threads,
        target_name=given.target_name or _said(settings.target_name),
        tool_version=given.tool_version or settings.tool_version or tool_version,
        generates_docs=settings.generates_docs if given.generate_docs is None else given.generate_docs,
        checks_freshness=settings.checks_freshness,
        schema=given.schema or _schema_of(job, given.schema_prefix, pull_request),
        git_sha=given.git_sha,
        git_branch=given.git_branch,
        pull_request=pull_request,
        defer_to_process=settings.defer_to_process,
        defer_to_target=settings.defer_to_target,
        database=database,
    )


def _said(target_name: str) -> str | None:
    return None if target_name in {"", _DEFAULT_TARGET_NAME} else target_name


def _schema_of(job: Job, prefix: str | None, pull_request: PullRequest | None) -> str | None:
    """The schema of a pull request's own, where its changes are tried out."""
    return None if prefix is None or pull_request is None else f"{prefix}_pr_{job.number}_{pull_request.number}"


def is_apart(kind: JobKind) -> bool:
    """Whether runs of such a job wait neither for a slot nor for each other: they try changes out."""
    return kind is JobKind.CI


def locks_of(job: Job, database: LockName | None) -> tuple[LockName, ...]:
    """What a run holds until it ends: its job, a slot, and the file that it writes, whichever project that is of."""
    locks: tuple[LockName, ...] = () if is_apart(job.kind) else (serial_lock(job.number), SLOTS)
    return locks if database is None else (*locks, database)


def serial_lock(job: int) -> LockName:
    """Runs of one job come one after the other."""
    return LockName(f"job:{job}")


def without_locks_of_projects(locks: tuple[LockName, ...]) -> tuple[LockName, ...]:
    """What remains of a run's locks when what it wanted as a project's is left out: another run asks anew."""
    return tuple(lock for lock in locks if lock != SLOTS and not lock.name.startswith(("job:", "database:")))
