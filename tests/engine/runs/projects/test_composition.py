"""Of which phases a run of a project consists."""

from hypothesis import given
from hypothesis import strategies as st

from controlroom.engine.runs.projects.composition import DEPS, PROFILE, SOURCE, line_of, phases_of
from controlroom.engine.runs.projects.model import ProjectWork, RetryPoint
from controlroom.ids import RunId, StepRunId, uuid7
from controlroom.project_plans import Purpose
from controlroom.protocol import Command, OnFailure, PhaseKind

LINES = st.sampled_from(["dbt build", "dbt run -s `x`", "dbt  test --select 'a b'", "dbt seed"])


def command(line: str) -> Command:
    return Command(name=line, words=tuple(line.split()))


WORKS = st.builds(
    ProjectWork,
    commands=st.lists(LINES, min_size=1, max_size=5).map(lambda lines: tuple(map(command, lines))),
    connection_name=st.text(min_size=1, max_size=9),
    threads=st.integers(1, 9),
    generates_docs=st.booleans(),
    checks_freshness=st.booleans(),
    schema=st.none() | st.just("dev"),
)
POINT = RetryPoint(run=RunId(uuid7()), step_run=StepRunId(uuid7()), attempt=1, phase=4)


def test_the_steps_are_named_as_foreign_programs_cut_them():
    """Clone, profile, deps; freshness first; the commands verbatim; docs last."""
    work = ProjectWork(
        commands=(command("dbt build -s  x"),),
        connection_name="Ware `house`",
        threads=4,
        checks_freshness=True,
        generates_docs=True,
    )

    assert [phase.name for phase in phases_of(work)] == [
        "Clone git repository",
        "Create profile from connection Ware `house`",
        "Invoke dbt with `dbt deps`",
        "Invoke dbt with `dbt source freshness`",
        "Invoke dbt with `dbt build -s  x`",
        "Invoke dbt with `dbt docs generate`",
    ]


def test_the_profile_step_tells_another_schema():
    """A schema that the start or its pull request says stands in the name of the profile's step."""
    work = ProjectWork(commands=(command("dbt build"),), connection_name="W", threads=1, schema="c_pr_5_12")

    assert phases_of(work)[PROFILE].name == "Create profile from connection W (override schema to 'c_pr_5_12')"


@given(WORKS)
def test_every_run_begins_and_ends_alike(work):
    """Whatever is asked for: three phases first, the commands in their order, and what is beside them may fail."""
    phases = phases_of(work)
    kinds = [phase.kind for phase in phases]
    assert kinds[SOURCE] is PhaseKind.SOURCE
    assert kinds[PROFILE] is PhaseKind.PROFILE
    assert set(kinds[DEPS:]) == {PhaseKind.COMMAND}
    assert phases[DEPS].purpose is Purpose.DEPS
    assert [line_of(phase) for phase in phases if phase.purpose is Purpose.OWN] == [each.name for each in work.commands]
    assert [phase.words for phase in phases if phase.purpose is Purpose.OWN] == [each.words for each in work.commands]
    assert (phases[DEPS + 1].purpose is Purpose.FRESHNESS) == work.checks_freshness
    assert (phases[-1].purpose is Purpose.DOCS) == work.generates_docs
    for phase in phases:
        beside = phase.purpose in {Purpose.FRESHNESS, Purpose.DOCS}
        assert phase.on_failure is (OnFailure.IGNORE if beside else OnFailure.SKIP)


@given(WORKS)
def test_a_retry_goes_on_with_the_first_command(work):
    """The command that failed is called as it was typed, and run as `dbt retry`; freshness is not asked again."""
    retrying = ProjectWork(
        commands=work.commands,
        connection_name=work.connection_name,
        threads=work.threads,
        generates_docs=work.generates_docs,
        checks_freshness=work.checks_freshness,
        retry=POINT,
    )

    first, *others = phases_of(retrying)[DEPS + 1 :]

    assert (first.purpose, first.words, line_of(first)) == (Purpose.RETRY, ("dbt", "retry"), work.commands[0].name)
    assert [line_of(each) for each in others if each.purpose is Purpose.OWN] == [
        each.name for each in work.commands[1:]
    ]
    assert Purpose.FRESHNESS not in {each.purpose for each in others}
