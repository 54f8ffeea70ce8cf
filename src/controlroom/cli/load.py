"""`controlroom load …`."""

import datetime as dt
import inspect
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, get_origin

from cyclopts import Parameter

from controlroom.cli.address import address
from controlroom.cli.display import Row, show_json, show_table
from controlroom.cli.errors import CommandFailed, Misused
from controlroom.cli.options import HERE, Many, RoomOptions
from controlroom.cli.screen import harmless, terminal

if TYPE_CHECKING:
    from controlroom.sources.columns import Table

_WINDOW = 200_000
"""So many rows are committed at a time: a load that is killed loses no more, and DuckDB merges them in 400 MB."""
Source = Literal["robocorp", "automation360", "dbt_cloud"]


class _Known(NamedTuple):
    """What the options of a room are called by a source."""

    url: str = "base_url"
    workspace: str | None = None
    api_key: str = "api_key"


_SOURCES: Mapping[str, _Known] = {
    "robocorp": _Known(workspace="workspace_id"),
    "automation360": _Known(),
    "dbt_cloud": _Known(workspace="account_id", api_key="api_token"),
}


def load(
    source: Source,
    /,
    *,
    destination: str = "duckdb",
    dataset: str | None = None,
    resources: Many = (),
    full: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    since: dt.datetime | None = None,
    look_back: float | None = None,
    set_: Annotated[Many, Parameter(name="--set")] = (),
    schema_contract: str | None = None,
    list_: Annotated[bool, Parameter(name="--list", negative=(), show_default=False)] = False,
    folder: str | None = None,
    room: RoomOptions = HERE,
) -> None:
    """Load a control room into a database: first all of it, later what is new or has changed.

    What is not said here is read as dlt reads it: from `.dlt/secrets.toml` and `.dlt/config.toml`
    (`[sources.robocorp]`, `[destination.postgres.credentials]` …) or the environment (`SOURCES__ROBOCORP__API_KEY` …).

    Parameters
    ----------
    source
        Whose grammar the control room speaks: `robocorp`, `automation360` or `dbt_cloud`; the vendor's room or ours.
    destination
        `duckdb`, `duckdb:FILE`, `postgres`, `filesystem:FOLDER` (Parquet), or another one by dlt's name for it.
    dataset
        The schema (or folder) of the tables; the source's name if nothing is said.
    resources
        Only these, with commas between them or given several times.
    full
        Read all anew, and let what is gone go.
    since
        Read nothing that is older, like 2026-01-31.
    look_back
        So many hours before the newest row are looked at again for late changes.
    set_
        Another argument of the source, as NAME=VALUE.
    schema_contract
        dlt's: with `freeze`, or `columns=freeze`, a load ends at what the room tells and no column reads.
    list_
        Show what there is to load, and load nothing.
    folder
        Where the load keeps its files while it works.
    """
    _complete()
    if list_:
        _show_resources(source, room)
        return
    from controlroom.sources import running  # noqa: PLC0415 - dlt takes a second
    from controlroom.sources.contracts import contract_of  # noqa: PLC0415 - likewise

    try:
        contract = None if schema_contract is None else contract_of(schema_contract)
    except ValueError as wrong:
        raise Misused(f"--schema-contract: {wrong}") from wrong
    make = running.source_called(source)
    settings = _settings(set_)
    _known_arguments(source, make, settings)
    arguments = {"window": None if full else _WINDOW, **_connection(source, room), **_fitting(make, settings)}
    arguments["full"] = full = full or arguments.get("full") is True
    if since is not None:
        arguments["since"] = since.replace(tzinfo=since.tzinfo or dt.UTC)
    if look_back is not None:
        arguments["look_back"] = dt.timedelta(hours=look_back)
    wanted = [name for each in resources for name in each.split(",") if name]
    with _failures(), _progress() as tell:
        report = running.load(
            partial(_made, partial(make, **arguments)),
            _place(destination),
            name=running.name_of(source, destination, dataset or source),
            dataset=dataset or source,
            folder=folder,
            resources=wanted,
            anew=full,
            tell=tell,
            schema_contract=contract,
        )
    if room.json:
        show_json(asdict(report))
        return
    show_table([{"table": table, "rows": count} for table, count in report.rows.items()], _COLUMNS)
    for remark in report.remarks:
        print(f"Note: {remark}", file=sys.stderr)
    told = f"{sum(report.rows.values()):,} rows in {report.seconds:.1f} s" if report.rows else "Nothing has changed"
    print(f"{told}: {report.destination}, dataset {report.dataset}.", file=sys.stderr)


_COLUMNS = [("table", lambda row: row["table"]), ("rows", lambda row: row["rows"])]


def _complete() -> None:
    """Raises CommandFailed where the extra is missing."""
    try:
        for name in ("dlt", "duckdb", "pyarrow", "orjson"):
            import_module(name)
    except ImportError as missing:
        raise CommandFailed(
            f"loading needs the extra `sources`: {missing.name} is not installed",
            hint='Install it by: pip install "controlroom[sources]"',
        ) from None


# ---------------------------------------------------------------------------------------------------- what is asked
def _connection(source: str, room: RoomOptions) -> dict[str, Any]:
    """The arguments that say which room: from the options, for ours from the rooms known here; the rest is dlt's."""
    known = _SOURCES[source]
    if source == "robocorp" and not (_configured(source, "api_key") and room.api_key is None):
        found = address(room)
        return {
            known.url: found.url,
            "workspace_id": found.workspace,
            known.api_key: found.api_key,
            "verify": found.ca_file or True,
        }
    said = {known.url: room.url, known.api_key: room.api_key}
    if known.workspace is not None:
        said[known.workspace] = room.workspace
    ours = {os.environ.get(f"CONTROLROOM_{name}") for name in ("WORKSPACE", "API_KEY")}  # of the robocorp grammar
    return {name: value for name, value in said.items() if value is not None and value not in ours}


def _configured(source: str, name: str) -> bool:
    import dlt  # noqa: PLC0415 - dlt takes a second

    return dlt.secrets.get(f"sources.{source}.{name}") is not None


def _settings(said: tuple[str, ...]) -> dict[str, Any]:
    """`NAME=VALUE`, with numbers, true, false and lists as TOML has them, else as text."""
    import tomllib  # noqa: PLC0415 - few need it

    found: dict[str, Any] = {}
    for each in said:
        name, equals, value = each.partition("=")
        if not equals:
            raise Misused(f"--set {each}: it needs a name and a value, like --set payload=nested")
        try:
            found[name] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            found[name] = value
    return found


def _known_arguments(source: str, make: Callable[..., Any], said: Mapping[str, Any]) -> None:
    """Raises Misused where one of them is no argument of the source."""
    has = inspect.signature(make).parameters
    if unknown := sorted(said.keys() - has.keys()):
        raise Misused(f"--set {unknown[0]}: {source} has no such argument", hint=f"It has {', '.join(sorted(has))}.")


def _fitting(make: Callable[..., Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments as the source takes them. Raises Misused for what is of another type."""
    kinds = {name: parameter.annotation for name, parameter in inspect.signature(make).parameters.items()}
    return {name: _fits(name, kinds[name], value) for name, value in said.items()}


def _fits(name: str, kind: Any, value: Any) -> Any:
    import msgspec  # noqa: PLC0415 - few need it

    wanted = {dt.timedelta: "a number of hours, like 36", Sequence[str]: "a list, like a,b"}.get(kind)
    try:
        if kind is dt.timedelta:
            return dt.timedelta(hours=msgspec.convert(value, float, strict=False))
        if isinstance(value, dt.date):
            value = value if isinstance(value, dt.datetime) else dt.datetime.combine(value, dt.time())
            value = value.replace(tzinfo=value.tzinfo or dt.UTC)
        if kind == Sequence[str] and isinstance(value, str):
            value = value.split(",")
        if get_origin(kind) is Literal:  # the source says which
            return value
        return msgspec.convert(value, kind, strict=False)
    except (msgspec.ValidationError, OverflowError):
        raise Misused(
            f"--set {name}={value}: it is {wanted or inspect.formatannotation(kind)}, and not {value!r}"
        ) from None


def _made(make: Callable[[], Any]) -> Any:
    """The source. Raises Misused where the value of an argument makes no sense to it."""
    from controlroom.sources.arguments import NotConfigured  # noqa: PLC0415 - dlt takes a second

    try:
        return make()
    except NotConfigured:
        raise
    except (TypeError, ValueError) as refused:
        raise Misused(f"the source cannot be made of these arguments: {refused}") from refused


def _place(destination: str) -> str:
    """DuckDB has a file of this folder, unless dlt's configuration names one."""
    import dlt  # noqa: PLC0415 - dlt takes a second

    if destination == "duckdb" and dlt.secrets.get("destination.duckdb.credentials") is None:
        return "duckdb:controlroom.duckdb"
    return destination


def _show_resources(source: str, room: RoomOptions) -> None:
    tables: tuple[Table, ...] = import_module(f"controlroom.sources.{source}.tables").TABLES
    rows: list[Row] = [
        {"resource": table.name, "tables": [each.name for each in table.all], "description": table.description}
        for table in tables
    ]
    if room.json:
        show_json(rows)
        return
    show_table(
        rows,
        [
            ("resource", lambda row: row["resource"]),
            ("further tables", lambda row: ", ".join(row["tables"][1:])),
            ("what", lambda row: row["description"]),
        ],
    )


# ---------------------------------------------------------------------------------------------------- while it works
@contextmanager
def _progress() -> "Iterator[Any]":
    """A bar for each table on the terminal; nothing where nobody watches."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console  # noqa: PLC0415  # only who watches pays for it
    from rich.markup import escape  # noqa: PLC0415
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TextColumn("{task.completed:,.0f}"),
        TimeElapsedColumn(),
    )
    tasks: dict[tuple[str, str], TaskID] = {}
    with Progress(*columns, console=Console(file=terminal(sys.stderr)), transient=True) as bars:

        def tell(step: str, what: str, count: int) -> None:
            if what.startswith("_dlt"):
                return
            bar = (step, what)
            if bar not in tasks:
                tasks[bar] = bars.add_task(escape(harmless(f"{step.split(' ', maxsplit=1)[0]} {what}")), total=None)
            bars.advance(tasks[bar], count)

        yield tell


@contextmanager
def _failures() -> Iterator[None]:
    """What went wrong, in a sentence, and with what may help at the prompt."""
    from controlroom.sources.failures import told  # noqa: PLC0415 - dlt takes a second

    try:
        yield
    except CommandFailed:
        raise
    except Exception as failed:
        said = told(failed)
        if said is None:
            raise
        if said.is_misuse:
            raise Misused(said.message, hint=said.hint) from failed
        raise CommandFailed(said.message, hint=said.hint) from failed
