"""What a load asks of a room, from what each verb costs: cores of its servers and of its database, a table of them."""

from collections.abc import Mapping, Sequence

from msgspec import Struct


class Cost(Struct, frozen=True):
    """Seconds of processor that one call takes, with what the room does because of it."""

    server: float
    database: float


class Load(Struct, frozen=True):
    """A day of a room."""

    items: int = 10_000_000
    """Work items worked off; each is the output of another, the dear way to make one."""
    workers: int = 1_000
    """All busy, one step run each."""
    schedules: int = 10_000
    occurrences: int = 24
    """A day, of each schedule; each is a run of one step run, and these work off all items."""
    console_batches: float = 2.0
    """For each item."""
    phases: int = 2
    """Reports of a step run's phases."""
    artifacts: int = 2
    """Calls that bring small artifacts, of each step run."""
    reads: float = 50.0
    """Of the API, each second: people, scripts and dashboards."""
    heartbeat_seconds: float = 8.0
    peak: float = 3.0
    """The busiest hour, of an average one."""

    @property
    def step_runs(self) -> int:
        """A day."""
        return self.schedules * self.occurrences

    def calls(self) -> dict[str, float]:
        """How often each verb is called in an average second."""
        items, step_runs = self.items / _DAY, self.step_runs / _DAY
        return {
            OUTPUT: items,
            RESERVE: items,
            PAYLOAD: items,
            RELEASE: items,
            CONSOLE: items * self.console_batches,
            OCCURRENCE: step_runs,
            CLAIM: step_runs,
            PHASES: step_runs * self.phases,
            ARTIFACTS: step_runs * self.artifacts,
            FINISH: step_runs,
            HEARTBEAT: self.workers / self.heartbeat_seconds,
            READ: self.reads,
        }


_DAY = 86_400

START = "start of a run, one payload"
BULK = "item brought by a start with many"
CLAIM = "claim of a step run"
PHASES = "report of phases"
HEARTBEAT = "heartbeat"
CONSOLE = "console batch of 10 lines"
LONG_CONSOLE = "console line, in batches of 2,000"
ARTIFACTS = "artifact of 10 KB"
FINISH = "finish of a step run"
RESERVE = "reserve of an item"
PAYLOAD = "read of its payload"
OUTPUT = "output create"
RELEASE = "release of an item"
CREATE = "item created by the API"
READ = "API read of a run"
LIST = "API list of 50 runs"
OCCURRENCE = "occurrence of a schedule, with its run"
WAITING = "second of a waiting worker"

VERBS = (
    *(START, BULK, OCCURRENCE, CLAIM, PHASES, HEARTBEAT, CONSOLE, LONG_CONSOLE, ARTIFACTS, FINISH),
    *(RESERVE, PAYLOAD, OUTPUT, RELEASE, CREATE, READ, LIST, WAITING),
)


def cores(load: Load, costs: Mapping[str, Cost]) -> Cost:
    """Cores that an average second of the load keeps busy."""
    calls = load.calls()
    return Cost(
        sum(rate * costs[verb].server for verb, rate in calls.items()),
        sum(rate * costs[verb].database for verb, rate in calls.items()),
    )


LOADS = (
    Load(items=100_000, workers=20, schedules=100),
    Load(items=1_000_000, workers=100, schedules=1_000),
    Load(),
    Load(items=30_000_000, workers=3_000, schedules=30_000),
)


def loads(costs: Mapping[str, Cost]) -> str:
    """What loads ask for, as Markdown: cores of servers and database, on average and in the busiest hour."""
    lines = ["| A day | Servers | Database | Servers, peak | Database, peak |", "|---|---:|---:|---:|---:|"]
    for load in LOADS:
        found = cores(load, costs)
        figures = [found.server, found.database, found.server * load.peak, found.database * load.peak]
        what = f"{load.items:,} items, {load.workers:,} workers, {load.schedules:,} schedules"
        lines.append(f"| {what} | {' | '.join(f'{each:.2f}' for each in figures)} |")
    return "\n".join(lines)


def table(measured: Sequence[tuple[int, Mapping[str, Cost]]]) -> str:
    """Costs by verb, for each number of server processes, as Markdown: milliseconds of server and database."""
    heads = [f"{part}, {servers} process{'es' if servers > 1 else ''}" for servers, _ in measured for part in _PARTS]
    lines = [f"| Verb | {' | '.join(heads)} |", "|---|" + "---:|" * len(heads)]
    for verb in VERBS:
        cells = [each for _, costs in measured for each in (costs[verb].server, costs[verb].database)]
        lines.append(f"| {verb} | {' | '.join(_milliseconds(each) for each in cells)} |")
    return "\n".join(lines)


_PARTS = ("server", "database")


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.2f}" if seconds >= 0.0001 else f"{seconds * 1000:.4f}"
