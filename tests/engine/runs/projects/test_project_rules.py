"""What a start of a job comes to, and which runs can go on where they failed."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from controlroom.engine.jobs.model import Job, JobKind, JobSettings
from controlroom.engine.locks.model import LockName, LockOf
from controlroom.engine.runs.projects.limits import LONGEST_SECONDS, limit_of, passed
from controlroom.engine.runs.projects.model import ProjectOverrides, PullRequest, PullRequestOf, Stage
from controlroom.engine.runs.projects.retry_rules import EndedPhase, Retry, RetryRefusal, retry_of
from controlroom.engine.runs.projects.rules import SLOTS, fault_of, locks_of, without_locks_of_projects, work_of
from controlroom.ids import ProcessId, TargetId, WorkspaceId, uuid7
from controlroom.project_plans import Purpose
from controlroom.protocol import Command, PhaseState
from controlroom.robots.dbt_commands import CommandRefused
from controlroom.robots.dbt_versions import fault_of as version_fault
from controlroom.robots.dbt_versions import spoken

NOW = datetime(2026, 11, 30, tzinfo=UTC)
DATABASE = LockName("database:7", LockOf.ORGANIZATION)
JOB = Job(
    id=ProcessId(uuid7()),
    number=42,
    workspace_id=WorkspaceId(uuid7()),
    name="Nightly",
    description="",
    kind=JobKind.OTHER,
    target_id=TargetId(uuid7()),
    package_id=None,
    commands=(Command(name="dbt build", words=("dbt", "build")),),
    timeout=timedelta(minutes=5),
    settings=JobSettings(threads=8, generates_docs=True, tool_version="1.11.0"),
    asides={},
    is_enabled=True,
    created_at=NOW,
    updated_at=NOW,
)


def work(job=JOB, **overrides):
    return work_of(job, ProjectOverrides(**overrides), connection_name="W", database=None, tool_version="1.9.0-latest")


# ---------------------------------------------------------------------------------------------------- overrides
def test_a_start_without_overrides_goes_by_its_job():
    """What the job leaves open, the target says; the default name of a target is nobody's word."""
    found = work_of(JOB, None, connection_name="W", database=None, tool_version="1.9.0-latest")

    assert found == work()
    assert (found.commands, found.threads, found.target_name) == (JOB.commands, 8, None)
    assert (found.generates_docs, found.tool_version, found.schema) == (True, "1.11.0", None)
    assert work(replace(JOB, settings=JobSettings())).tool_version == "1.9.0-latest"


def test_each_override_stands_before_the_job():
    """Threads, target name, docs, version, schema, commands, commit and branch of a start count."""
    found = work(
        threads=2,
        target_name="ci",
        generate_docs=False,
        tool_version="1.11.2",
        schema="mine",
        steps=("dbt run -s 'a b'", "dbt test"),
        git_sha="abc123",
        git_branch="feature/x",
    )

    assert (found.threads, found.target_name, found.generates_docs) == (2, "ci", False)
    assert (found.tool_version, found.schema) == ("1.11.2", "mine")
    assert [each.name for each in found.commands] == ["dbt run -s 'a b'", "dbt test"]
    assert found.commands[0].words == ("dbt", "run", "-s", "a b")
    assert (found.git_sha, found.git_branch) == ("abc123", "feature/x")


def test_a_pull_request_has_a_schema_of_its_own():
    """By job and number, unless the start says another; without a prefix none is made up."""
    assert work(github_pull_request_id=12, schema_prefix="cloud").schema == "cloud_pr_42_12"
    assert work(github_pull_request_id=12, schema_prefix="cloud", schema="mine").schema == "mine"
    assert work(schema_prefix="cloud").schema is None
    assert work(non_native_pull_request_id=3).schema is None
    assert work(azure_pull_request_id=3).pull_request == PullRequest(PullRequestOf.AZURE, 3)


@pytest.mark.parametrize(
    "overrides",
    [
        {"threads": 0},
        {"threads": 10_001},
        {"schema": ""},
        {"schema": "a\nb"},
        {"target_name": "x" * 256},
        {"git_branch": "-x"},
        {"git_sha": "not hex"},
        {"github_pull_request_id": 0},
        {"steps": ()},
        {"steps": ("dbt build",) * 101},
        {"tool_version": "zz"},
        {"tool_version": "1"},
        {"tool_version": "1.11 "},
        {"tool_version": "latest-fusion"},
    ],
)
def test_what_no_run_may_have_is_refused(overrides):
    """With a text that names the field."""
    fault = fault_of(ProjectOverrides(**overrides))

    assert fault is not None
    assert fault.field == next(iter(overrides))


@pytest.mark.parametrize("line", ["rm -rf /", "dbt build --profiles-dir /", "dbt 'build", ""])
def test_steps_that_may_not_be_run_are_refused(line):
    """Whoever starts the job."""
    with pytest.raises(CommandRefused):
        fault_of(ProjectOverrides(steps=("dbt build", line)))


# ---------------------------------------------------------------------------------------------------- locks
@pytest.mark.parametrize("kind", list(JobKind))
def test_tries_of_changes_run_apart(kind):
    """They hold neither their job nor a slot, but a file has one writer whoever that is."""
    locks = locks_of(replace(JOB, kind=kind), DATABASE)

    assert locks[-1] == DATABASE
    assert (LockName("job:42") in locks) == (SLOTS in locks) == (kind is not JobKind.CI)
    assert DATABASE not in locks_of(JOB, None)


def test_a_run_that_is_started_again_asks_anew():
    """What somebody has asked for beside stays."""
    mine = LockName("mine")

    assert without_locks_of_projects((*locks_of(JOB, DATABASE), mine)) == (mine,)


# ---------------------------------------------------------------------------------------------------- limits
@given(st.none() | st.floats(0.001, 3e6))
def test_no_run_takes_longer_than_a_day(seconds):
    """Whatever its job says; what is told names the limit that was passed."""
    assert 0 < limit_of(seconds) <= LONGEST_SECONDS
    is_own = seconds is not None and seconds <= LONGEST_SECONDS
    assert ("its job" in passed(seconds)) == is_own
    assert "86,400 seconds" in passed(None)
    assert "300 seconds" in passed(300)


@pytest.mark.parametrize(
    ("version", "number"),
    [(None, "1.11"), ("1.11.4-latest", "1.11"), ("latest", "1.11"), ("v1.7", "1.7"), ("2.0.0-preview", "2.0")],
)
def test_versions_are_read_as_numbers(version, number):
    """What names none is what the room has."""
    assert spoken(version) == number
    assert version is None or version_fault(version) is None


@pytest.mark.parametrize("version", ["zz", "", "1", "1.", "1.11.", "1.111111", "x1.11", "1.11;", "1.11 ", "latest-2"])
def test_what_is_no_version_is_refused_with_what_is_had(version):
    """Nobody is told a version that no run was asked for."""
    assert "1.11" in version_fault(version)


# ---------------------------------------------------------------------------------------------------- retries
def phase(position, state, subcommand="build", purpose=Purpose.OWN, *, has_results=True):
    line = f"dbt {subcommand}" if subcommand else ""
    return EndedPhase(
        position=position, state=state, line=line, subcommand=subcommand, purpose=purpose, has_results=has_results
    )


FIRST = (
    phase(0, PhaseState.SUCCEEDED, "", None, has_results=False),
    phase(1, PhaseState.SUCCEEDED, "", None, has_results=False),
    phase(2, PhaseState.SUCCEEDED, "deps", Purpose.DEPS, has_results=False),
)
FAILED = (*FIRST, phase(3, PhaseState.FAILED), phase(4, PhaseState.SKIPPED, "test"))


def found(stage=Stage.FAILED, *, is_latest=True, tool_version="1.11", phases=FAILED):
    return retry_of(stage, is_latest=is_latest, tool_version=tool_version, phases=phases)


def test_a_failed_run_goes_on_with_what_failed_and_what_was_skipped():
    """In their order."""
    assert found() == Retry(FAILED[3], (FAILED[4],))


@pytest.mark.parametrize("stage", [each for each in Stage if each is not Stage.FAILED])
def test_only_failures_are_retried(stage):
    """Not what is under way, went well or was stopped."""
    assert found(stage) is RetryRefusal.NOT_FAILED


def test_the_reasons_why_a_run_is_not_retried():
    """An older run, an old version, a command that cannot go on, one without results, and no command at all."""
    no_results = (*FIRST, phase(3, PhaseState.FAILED, has_results=False))
    no_command = (phase(0, PhaseState.FAILED, "", None, has_results=False),)
    freshness = phase(3, PhaseState.FAILED, "source freshness", Purpose.FRESHNESS)

    assert found(is_latest=False) is RetryRefusal.NOT_LATEST
    assert found(tool_version="1.5.9") is RetryRefusal.UNSUPPORTED_VERSION
    assert found(phases=(*FIRST, phase(3, PhaseState.FAILED, "parse"))) is RetryRefusal.UNSUPPORTED_COMMAND
    assert found(phases=(*FIRST[:2], phase(2, PhaseState.FAILED, "deps", Purpose.DEPS))) is (
        RetryRefusal.UNSUPPORTED_COMMAND
    )
    assert found(phases=no_results) is RetryRefusal.NO_RESULTS
    assert found(phases=no_command) is RetryRefusal.NO_RESULTS
    assert found(phases=(*FIRST, freshness, phase(4, PhaseState.FAILED))) == Retry(phase(4, PhaseState.FAILED), ())


@given(st.lists(st.sampled_from(list(PhaseState)), max_size=6), st.booleans())
def test_what_is_skipped_lies_behind_what_failed(states, is_latest):
    """Whatever the phases are, a retry begins with a failure and goes on with what was never begun."""
    phases = [phase(3 + place, state) for place, state in enumerate(states)]
    answer = found(is_latest=is_latest, phases=[*FIRST, *phases])

    if isinstance(answer, Retry):
        assert is_latest
        assert answer.failed.state is PhaseState.FAILED
        assert all(each.state is PhaseState.SKIPPED for each in answer.skipped)
        assert all(each.position > answer.failed.position for each in answer.skipped)
    else:
        assert answer is (RetryRefusal.NO_RESULTS if is_latest else RetryRefusal.NOT_LATEST)
