"""Jobs as their authors want them, with what starts them by itself."""

from datetime import datetime, timedelta

from msgspec import Raw, Struct
from msgspec.structs import replace

from controlroom.engine.chains.model import End
from controlroom.engine.jobs.model import JobKind, JobSettings
from controlroom.engine.jobs.timetables import timetable_of
from controlroom.engine.schedules.model import Cron, Rule
from controlroom.ids import ProcessId, TargetId, WorkspaceId
from controlroom.protocol import Command


class Follows(Struct, frozen=True, kw_only=True):
    """Which job's ends start a job, wherever in the organization it is."""

    process: ProcessId
    workspace: WorkspaceId
    ends: tuple[End, ...]


class JobDefinition(Struct, frozen=True, kw_only=True):
    """A job as its author wants it."""

    name: str
    target: TargetId
    commands: tuple[str, ...] = ()
    """As they were typed; `robots.dbt_commands` says which there may be. None: a start brings them."""
    description: str = ""
    kind: JobKind | None = None
    """None: by what starts it."""
    timeout: timedelta | None = None
    settings: JobSettings = JobSettings()
    follows: Follows | None = None
    is_enabled: bool = True
    asides: dict[str, Raw] = {}


class ListedJob(Struct, frozen=True, kw_only=True):
    """A job with all that lists show, also one that was deleted."""

    id: ProcessId
    number: int
    workspace_id: WorkspaceId
    workspace_number: int
    name: str
    description: str
    kind: JobKind
    target_id: TargetId
    target_number: int
    target_name: str
    commands: tuple[Command, ...]
    timeout: timedelta | None
    settings: JobSettings
    asides: dict[str, Raw]
    is_enabled: bool
    is_scheduled: bool
    """Whether it is due by itself, as it would be if it is not enabled."""
    rule: Rule | None
    """Of its schedule, where it has one."""
    next_due: datetime | None
    follows_id: ProcessId | None
    follows_number: int | None
    follows_workspace_id: WorkspaceId | None
    follows_workspace_number: int | None
    follows_ends: tuple[End, ...] | None
    defers_to_number: int | None
    defers_to_target_number: int | None
    failures: int
    """How many of its last runs have failed, one after the other; at most a hundred are looked at."""
    has_succeeded: bool
    """Whether one of them has, so that others can defer to it."""
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None

    @property
    def definition(self) -> JobDefinition:
        """What it is, to be changed."""
        timetable = self.settings.timetable
        if isinstance(self.rule, Cron):
            timetable = timetable_of(self.rule.expression, timetable)
        return JobDefinition(
            name=self.name,
            target=self.target_id,
            commands=tuple(command.name for command in self.commands),
            description=self.description,
            kind=self.kind,
            timeout=self.timeout,
            settings=replace(self.settings, timetable=timetable, is_scheduled=self.is_scheduled, waiting=()),
            follows=self.follows,
            is_enabled=self.is_enabled,
            asides=self.asides,
        )

    @property
    def follows(self) -> Follows | None:
        """Which job's ends start it."""
        if self.follows_id is None or self.follows_workspace_id is None or self.follows_ends is None:
            return None
        return Follows(process=self.follows_id, workspace=self.follows_workspace_id, ends=self.follows_ends)
