"""What server and worker say to each other, under `/worker/v1`. Both sides import it; it imports nothing of ours.

A worker is linked once (`link`), opens a session each time it starts (`sessions`), and then runs two loops: it asks
for assignments (`claims`, a long poll) and keeps its leases (`heartbeats`, held by the server until there is an order
to obey). For each assignment it reports what happens. Every report names the attempt; an attempt that has been
overtaken is answered 409 `SUPERSEDED`, upon which the worker ends the robot and forgets it. All reports may be repeated
after a lost answer.

| Call                                                              | Body                | Answer                   |
|-------------------------------------------------------------------|---------------------|--------------------------|
| POST `/worker/v1/link`                                            | `Link`              | `Linked`                 |
| POST `/worker/v1/sessions`                                        | `OpenSession`       | `Session`                |
| DELETE `/worker/v1/sessions/{session}`                            | nothing             | `{}` (a clean good-bye)  |
| POST `/worker/v1/claims`                                          | `Claim`             | `Assignments`            |
| POST `/worker/v1/heartbeats`                                      | `Heartbeat`         | `Orders`                 |
| GET  `/worker/v1/kept`                                            | nothing             | `Keeping`                |
| GET  `/worker/v1/packages/{hash}`                                 | nothing             | the zip                  |
| POST `/worker/v1/step-runs/{id}/attempts/{n}/phases`              | `PhaseReports`      | `{}`                     |
| POST `/worker/v1/step-runs/{id}/attempts/{n}/console?first=&count=&at=` | lines, UTF-8, each ended by LF | `{}`    |
| PUT  `/worker/v1/step-runs/{id}/attempts/{n}/artifacts/{name}?size=&phase=` | the bytes                  | `{}`    |
| POST `/worker/v1/step-runs/{id}/attempts/{n}/artifacts`           | `SmallArtifacts`, MessagePack | `{}`           |
| POST `/worker/v1/step-runs/{id}/attempts/{n}/finish`              | `Finish`            | `{}`                     |
| POST `/worker/v1/step-runs/{id}/attempts/{n}/return`              | `Return`            | `{}`                     |
| GET  `/worker/v1/step-runs/{id}/attempts/{n}/project`             | nothing             | `ProjectPlan`            |
| GET  `/worker/v1/step-runs/{id}/attempts/{n}/project/source`      | nothing             | `ProjectSource`          |
| GET  `/worker/v1/step-runs/{id}/attempts/{n}/project/files/{hash}` | nothing            | the bytes                |
| GET  `/worker/v1/step-runs/{id}/attempts/{n}/database/{hash}`     | nothing             | the bytes                |
| PUT  `/worker/v1/step-runs/{id}/attempts/{n}/database?size=`      | the bytes           | `{}`                     |

An artifact names its phase by the position where one phase's files are told apart from another's: those of commands.
A console batch may end with the line that has no end yet: its last `&unfinished=` bytes, shown and not stored.
A session says what its worker can do beyond the first release (`Ability`); it is given no other work.

Those of `project` are for what is a project's (`ProjectCommands`). The plan holds secrets: it is fetched by the worker
that has the attempt, kept in memory, and never written anywhere. What plan and source name by hash, the files answer.
The database of a plan, or of an assignment, is put before `finish`, also of an attempt that failed: what ends the
attempt makes it the next version.
All but `link` carry `Authorization: Bearer <worker token>`. Errors are `{"error": {"code", "message"}, "message"}`.
"""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

HEARTBEAT_HOLD_SECONDS = 8.0
"""How long the server may hold a heartbeat. Less than a third of the lease, so that two may be lost."""

LEASE_SECONDS = 25.0
"""How long a step run stays with a worker that is silent. Under 30 s, the time within which a loss must be noticed."""

SMALL_ARTIFACTS_BYTES = 512 * 1024
"""What the files of one report of small artifacts may hold together."""

MAX_LINE_BYTES = 64 * 1024
"""A console line is cut here (DESIGN §7)."""

MAX_UNFINISHED_BYTES = 4 * 1024
"""What is shown of a line that has no end yet. Why so little: it is shown to people, again each second, and goes to the
other servers as a notification, which holds less than 8,000 bytes."""


# What a worker may say in numbers: what it cannot mean is refused before anything is done with it.
Count = Annotated[int, Meta(ge=0, le=2**31 - 1)]
LineNumber = Annotated[int, Meta(ge=0, le=2**62)]
Slots = Annotated[int, Meta(ge=1, le=10_000)]
ExitCode = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
Instant = Annotated[float, Meta(ge=0, le=253_402_300_000)]
"""Unix seconds, up to the year 9999."""


class ErrorCode(StrEnum):
    """Why a step run failed (DESIGN §4.9)."""

    ROBOT_FAILED = "ROBOT_FAILED"
    TIMEOUT = "TIMEOUT"
    TERMINATED = "TERMINATED"
    WORKER_LOST = "WORKER_LOST"
    ENVIRONMENT_FAILED = "ENVIRONMENT_FAILED"
    PACKAGE_INVALID = "PACKAGE_INVALID"
    TASK_NOT_FOUND = "TASK_NOT_FOUND"
    PRE_RUN_SCRIPT_FAILED = "PRE_RUN_SCRIPT_FAILED"


class PhaseKind(StrEnum):
    """The ordered sections of a step run (DESIGN §4.10): a robot ends with its task, commands have one each."""

    ENVIRONMENT = "environment"
    PRE_RUN_SCRIPT = "pre_run_script"
    TASK = "task"
    COMMAND = "command"
    SOURCE = "source"
    """A project's files are fetched."""
    PROFILE = "profile"
    """A project's connection is written down, and its environment made."""


class PhaseState(StrEnum):
    """Where a phase is. From `WAITING` it is begun or skipped."""

    WAITING = "waiting"
    """It is to come, unless a failure skips it."""
    IN_PROGRESS = "in_progress"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"


class Order(StrEnum):
    """What a worker shall do with a step run it holds."""

    CONTINUE = "continue"
    TERMINATE = "terminate"
    """End the process tree now and finish with TERMINATED."""
    PAUSE = "pause"
    """Halt the process tree (SIGSTOP); the time limit rests."""
    ABANDON = "abandon"
    """The attempt is no longer this worker's: end the process tree, report nothing more."""


class OnFailure(StrEnum):
    """What the failure of one command of a list means."""

    SKIP = "skip"
    """The commands after it are skipped, and the step run fails."""
    CONTINUE = "continue"
    """The commands after it run, and the step run fails."""
    IGNORE = "ignore"
    """The commands after it run, and the step run does not fail by it."""


class Ability(StrEnum):
    """What a worker can do that those of the first release could not."""

    COMMANDS = "commands"
    """Run lists of commands, not only tasks."""
    PROJECTS = "projects"
    """Run the commands of a dbt project by a plan."""
    DATABASES = "databases"
    """Give robots the file of a database, and bring its next version."""


ABILITIES = tuple(Ability)
"""What the workers of this release can do."""


class SandboxKind(StrEnum):
    """What encloses the robots of a worker."""

    BWRAP = "bwrap"
    OFF = "off"
    UNAVAILABLE = "unavailable"


class Link(Struct, frozen=True):
    """A new worker presents its link token (one-time, or reusable for a group)."""

    link_token: str
    name: str
    slots: Slots = 1
    worker_id: UUID | None = None
    """The id an on-demand provisioner was told (`runtimeId`), if any."""


class Linked(Struct, frozen=True):
    """The worker's lasting credential. Keep it in a file of mode 0600."""

    worker_id: UUID
    workspace_id: UUID
    """The first of those that it serves; what it is given names its own."""
    name: str
    token: str


class OpenSession(Struct, frozen=True):
    """A worker process has started; whatever an earlier process of this worker held is lost, and said so at once."""

    slots: Slots
    version: str
    platform: str
    sandbox: SandboxKind
    sandbox_note: str = ""
    once: bool = False
    abilities: Annotated[tuple[str, ...], Meta(max_length=100)] = ()
    """What it can do (`Ability`). Text, because a worker may be newer than its server."""
    mixes: bool = False
    """The worker may serve several workspaces although it encloses no robots. Else it is refused: `SANDBOX_MISSING`."""


class Session(Struct, frozen=True):
    """The session every later call names, with the settings that the server asks for."""

    session: UUID
    worker_id: UUID
    workspace_id: UUID
    """The first of those that the worker serves."""
    name: str
    heartbeat_hold_seconds: float = HEARTBEAT_HOLD_SECONDS
    lease_seconds: float = LEASE_SECONDS
    artifact_bytes: int = 0
    """How large an artifact may be: a larger one need not be sent to hear that. 0: not told."""


class Held(Struct, frozen=True):
    """A step run that the worker is executing, with the last order it obeyed."""

    step_run_id: UUID
    attempt: Count
    order: Order = Order.CONTINUE


class Claim(Struct, frozen=True):
    """Ask for up to `free` assignments, waiting up to `wait_seconds` for the first."""

    session: UUID
    free: Count
    wait_seconds: float
    running: tuple[UUID, ...] = ()
    """Step runs the worker knows of. One that it holds but does not list was lost on the way: it comes again."""


class PackageRef(Struct, frozen=True):
    """The exact package version to run: a zip, by content."""

    hash: str
    size: int
    name: str
    folder: str | None = None
    """Where the robot lies in it; None where whoever took the package did not say: the least deep one."""


class RobotTask(Struct, frozen=True, tag="task"):
    """A task of the package's robot."""

    name: str


class Command(Struct, frozen=True, kw_only=True):
    """One command of a list: a program and its arguments, which no shell reads."""

    name: str
    words: Annotated[tuple[str, ...], Meta(min_length=1)]
    variables: dict[str, str] = {}
    """Environment variables of this command alone; they win over the step's."""
    on_failure: OnFailure = OnFailure.SKIP
    always_run: bool = False
    """It runs even where a failure skips the others: to clean up, to report."""


class Commands(Struct, frozen=True, tag="commands"):
    """Commands run in their order in one place and environment, each a phase of its own."""

    commands: Annotated[tuple[Command, ...], Meta(min_length=1)]


class ProjectCommands(Struct, frozen=True, tag="project"):
    """Commands of a dbt project. What is run and with what is told by its plan, which the worker asks for.

    There may be none: then each start brings its own, or a run does nothing but fetch and prepare.
    """

    commands: tuple[Command, ...]


Work = RobotTask | Commands | ProjectCommands
"""What a step run does."""


class AskForCode(Struct, frozen=True):
    """Ask for code to read, waiting up to `wait_seconds` for it."""

    wait_seconds: float


class CodeToRead(Struct, frozen=True, kw_only=True):
    """A package whose code is to be read, and nothing of it run: by which rules, named by code or how several begin."""

    id: UUID
    attempt: Count
    package: PackageRef
    rules: tuple[str, ...]


class CodeToReads(Struct, frozen=True):
    """What asking for code brought: nothing, when the wait ran out."""

    code: CodeToRead | None = None


class Finding(Struct, frozen=True, kw_only=True):
    """Something in a program that a rule minds."""

    rule: str
    """Its code."""
    label: str = ""
    """Its name."""
    message: str
    path: str
    """Of the file, in the package."""
    line: int
    column: int


class FoundInCode(Struct, frozen=True, kw_only=True):
    """What was found in the code of a package."""

    findings: tuple[Finding, ...] = ()
    message: str = ""
    """Why the code could not be read; empty if it was."""


class DatabaseFile(Struct, frozen=True, kw_only=True, tag="room"):
    """The database is a file that the room keeps: the worker works on a copy, and puts that back."""

    connection: int
    """Its number."""
    name: str
    hash: str | None
    """Of the version to begin with; None where there is none yet."""
    size: int
    most_bytes: int
    """How large the next version may be."""


class Assignment(Struct, frozen=True, kw_only=True):
    """One attempt of one step run: all that a worker needs for it."""

    step_run_id: UUID
    attempt: Count
    workspace_id: UUID
    organization_id: UUID
    process_id: UUID
    process_name: str
    run_id: UUID
    step_id: UUID
    step_name: str
    work_item_id: UUID | None
    """The item bound in the claim; None for a step run that works without items."""
    package: PackageRef
    work: Work
    task: str = ""
    """The task's name once more, for workers of the release before, which read no `work`; empty for commands."""
    token: str
    """What the robot calls the runtime APIs with. Dies with the attempt."""
    variables: dict[str, str]
    """The step's environment variables."""
    timeout_seconds: float | None
    share_environments: bool = False
    """Whether the workspace has its environments with all those of its organization that say so, too."""
    exclude_newer: str | None = None
    """A time with its zone: packages of the world that are newer do not count in the robot's environment."""
    database: DatabaseFile | None = None
    """What its step works on, which no other run does meanwhile. A plan tells that of a project's."""
    has_robot_api: bool = False
    """Whether robots may call `/robot/v1`: the room's own adapter for work items does. No server before 0.2 says so."""
    paused: bool = False
    """Begin nothing before the order to continue: it was paused when it was another's, or before this answer came."""

    @property
    def share(self) -> str:
        """Whose robots may have the same environments: the workspace's, or of all in the organization that share."""
        return str(self.organization_id if self.share_environments else self.workspace_id)


class Assignments(Struct, frozen=True):
    """What the claim brought: nothing, when the wait ran out."""

    assignments: tuple[Assignment, ...] = ()


class Kept(Struct, frozen=True, kw_only=True):
    """A task that is to be begun at once whenever it is called: interpreters for it are kept started."""

    package: PackageRef
    task: str
    workspace_id: UUID
    organization_id: UUID
    share_environments: bool = False
    exclude_newer: str | None = None
    count: Count
    """So many of them, and no more than the worker has slots."""

    @property
    def share(self) -> str:
        """As of an assignment."""
        return str(self.organization_id if self.share_environments else self.workspace_id)


class Keeping(Struct, frozen=True):
    """What a worker shall keep ready, for those workspaces that it serves."""

    kept: tuple[Kept, ...] = ()


class Heartbeat(Struct, frozen=True):
    """Prolong the leases of what the worker runs; held by the server until an order differs from the ones told."""

    session: UUID
    held: tuple[Held, ...]
    hold_seconds: float = HEARTBEAT_HOLD_SECONDS
    free: Count = 0
    trouble: str = ""
    """Why the worker takes no work for now; empty if it does."""


class Orders(Struct, frozen=True):
    """One order for each step run that the heartbeat named."""

    orders: tuple[Held, ...] = ()


class PhaseReport(Struct, frozen=True, kw_only=True):
    """A phase as it stands.

    The report of the first phase that does not only prepare marks that the robot has begun: from then on a lost worker
    fails the attempt instead of having it repeated. It must be acknowledged before robot code runs. Environment, source
    and profile prepare, and commands that say so.
    """

    position: Count
    kind: PhaseKind
    name: str
    state: PhaseState
    started_at: Instant | None = None
    """Unix seconds, by the worker's clock."""
    ended_at: Instant | None = None
    first_line: LineNumber | None = None
    """Number of the first console line of the phase (lines count from 0 in an attempt)."""
    last_line: LineNumber | None = None
    message: str = ""
    exit_code: ExitCode | None = None
    """Of the phase's program, once it has ended."""

    is_preparation: bool = False
    """It is of the kind of commands and yet runs nothing of the project's own: its worker may still be lost."""


class PhaseReports(Struct, frozen=True):
    """Phases that changed since the last report."""

    phases: tuple[PhaseReport, ...]


class SmallArtifact(Struct, frozen=True):
    """A file that an attempt left, whole."""

    name: str
    content: bytes


class SmallArtifacts(Struct, frozen=True):
    """Several files in one report, all of them stored or none: at most `SMALL_ARTIFACTS_BYTES` of content together."""

    artifacts: Annotated[tuple[SmallArtifact, ...], Meta(min_length=1, max_length=64)]
    phase: Count | None = None
    """Position of the phase that left them; None for the step run as a whole."""


class StepRunError(Struct, frozen=True):
    """Why a step run failed, for people."""

    code: ErrorCode
    message: str = ""


class Finish(Struct, frozen=True, kw_only=True):
    """The attempt has ended; console and artifacts have been sent before. `error` is None for success."""

    exit_code: ExitCode | None
    error: StepRunError | None = None
    phases: tuple[PhaseReport, ...] = ()
    console_lines: LineNumber = 0
    """How many lines were sent; with fewer at hand the server answers 409 `CONSOLE_INCOMPLETE` (`have`)."""


class Return(Struct, frozen=True):
    """The worker could not begin the attempt: no robot code has run. It is given to another worker."""

    reason: str
