"""Of which phases a run of a project consists. Pure: what the run goes by goes in, the phases in their order come out.

Clone, profile and packages come first, always; then how fresh the sources are, if that is asked for; then the commands,
verbatim; then the documents, if they are asked for. A command that fails skips all after it. What was asked for beside
the commands may fail without that.
"""

from typing import Final

from controlroom.engine.runs.projects.model import ProjectWork
from controlroom.project_plans import PlannedPhase, Purpose
from controlroom.protocol import OnFailure, PhaseKind

SOURCE, PROFILE, DEPS = range(3)
"""The positions of what comes first."""

SOURCE_NAME: Final = "Clone git repository"

_BEFORE: Final = "Invoke dbt with `"
_BEHIND: Final = "`"
_DEPS: Final = ("dbt", "deps")
_FRESHNESS: Final = ("dbt", "source", "freshness")
_DOCS: Final = ("dbt", "docs", "generate")
_RETRY: Final = ("dbt", "retry")


def name_of(line: str) -> str:
    """What a phase is called that runs a command: foreign programs cut the line out from between the quotes."""
    return f"{_BEFORE}{line}{_BEHIND}"


def line_of(phase: PlannedPhase) -> str:
    """The line that a phase runs; "" of what is no command."""
    return "" if phase.purpose is None else phase.name[len(_BEFORE) : -len(_BEHIND)]


def phases_of(work: ProjectWork) -> tuple[PlannedPhase, ...]:
    """The phases of a run in their order: the place of each is its position."""
    phases = [
        PlannedPhase(kind=PhaseKind.SOURCE, name=SOURCE_NAME),
        PlannedPhase(kind=PhaseKind.PROFILE, name=_profile_name(work)),
        _phase(Purpose.DEPS, _DEPS),
    ]
    commands = list(work.commands)
    if work.retry is not None:
        phases.append(_phase(Purpose.RETRY, _RETRY, line=commands.pop(0).name))
    elif work.checks_freshness:
        phases.append(_phase(Purpose.FRESHNESS, _FRESHNESS, on_failure=OnFailure.IGNORE))
    phases += [_phase(Purpose.OWN, command.words, line=command.name) for command in commands]
    if work.generates_docs:
        phases.append(_phase(Purpose.DOCS, _DOCS, on_failure=OnFailure.IGNORE))
    return tuple(phases)


def _profile_name(work: ProjectWork) -> str:
    name = f"Create profile from connection {work.connection_name}"
    return name if work.schema is None else f"{name} (override schema to '{work.schema}')"


def _phase(
    purpose: Purpose, words: tuple[str, ...], *, line: str | None = None, on_failure: OnFailure = OnFailure.SKIP
) -> PlannedPhase:
    return PlannedPhase(
        kind=PhaseKind.COMMAND,
        name=name_of(" ".join(words) if line is None else line),
        words=words,
        on_failure=on_failure,
        purpose=purpose,
    )
