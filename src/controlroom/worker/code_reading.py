"""The worker reads code: it finds what the rules of a policy mind in a package, and runs nothing of it.

A loop of its own beside the robots, because it takes moments and needs no slot. The reader (ruff) runs enclosed as a
robot does, on a copy, by the rules that were asked for alone: neither settings nor remarks in the package count. When
the worker dies, its lease runs out and another one reads. Idle it costs a long poll.
"""

import asyncio
import os
import shutil
from pathlib import Path
from typing import Final

import msgspec
import structlog
from msgspec import Struct
from ruff import find_ruff_bin

from controlroom.errors import ControlRoomError
from controlroom.protocol import CodeToRead, Finding, FoundInCode
from controlroom.worker import launch, variables
from controlroom.worker.environments.environment import Environment, EnvironmentKind
from controlroom.worker.places import Place
from controlroom.worker.server import Refused, Superseded
from controlroom.worker.workbench import Workbench

_SECONDS: Final = 60.0
_WAIT_SECONDS: Final = 30.0
_MOST: Final = 2_000
"""Findings that are told."""
_MOST_BYTES: Final = 32 << 20
_LONGEST: Final = 500
_NO_PROGRAM: Final = "E999"
"""The rule of what cannot be read as a program, for which the reader has no code."""
_NO_ENVIRONMENT: Final = Environment(
    kind=EnvironmentKind.MACHINE,
    fingerprint="",
    prefix=Path("/usr"),
    python=Path("/usr/bin/python3"),
    python_version="",
)

log = structlog.get_logger(__name__)


class _Spot(Struct, frozen=True):
    row: int
    column: int


class _Told(Struct, frozen=True):
    """A finding as the reader writes it."""

    code: str | None
    message: str
    filename: str
    location: _Spot
    name: str = ""


async def keep_reading(bench: Workbench) -> None:
    """Read whatever waits, one package after the other, until it is cancelled or the server knows no such call."""
    while True:
        try:
            code = await bench.server.ask_for_code(_WAIT_SECONDS)
        except Refused as unknown:  # a server of the release before
            log.info("the server has no code to be read", reason=unknown.message)
            return
        if code is None:
            continue
        try:
            await bench.server.found_in_code(code, await _read(bench, code))
        except Superseded:
            log.warning("another worker has read it meanwhile", analysis=str(code.id))


async def _read(bench: Workbench, code: CodeToRead) -> FoundInCode:
    try:
        package = await bench.packages.get(code.package)
        place = bench.places.make("code")
        try:
            await bench.packages.copy_to(package, place)
            return await _read_in(bench, code, place)
        finally:
            await bench.places.clear(place)
    except ControlRoomError as failed:
        return FoundInCode(message=failed.message)


async def _read_in(bench: Workbench, code: CodeToRead, place: Place) -> FoundInCode:
    reader, findings, said = place.work / "reader", place.temporary / "findings.json", place.folder / "reader.log"
    await asyncio.to_thread(shutil.copy2, find_ruff_bin(), reader)
    reader.chmod(0o755)
    place.own(reader)
    words = (
        *(str(place.inside(reader)), "check", "--isolated", "--no-cache", "--exit-zero", "--ignore-noqa"),
        *("--no-respect-gitignore", "--output-format", "json", "--output-file", str(place.inside(findings))),
        *("--select", ",".join(code.rules), "."),
    )
    command = launch.Command(
        argv=words,
        variables=variables.of_place(place, _NO_ENVIRONMENT, variables.of_machine()),
        working_folder=place.inside(place.robot),
    )
    writing = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        tree = launch.start_tree(
            bench.sandbox,
            command,
            place=place,
            environment=_NO_ENVIRONMENT,
            shown=(),
            passed=(),
            output=(writing, writing),
        )
    finally:
        os.close(writing)
    try:
        async with asyncio.timeout(_SECONDS):
            exit_code = await tree.wait()
    except TimeoutError:
        return FoundInCode(message=f"reading the code took more than {_SECONDS:g} s")
    finally:
        await tree.kill()
    if exit_code != 0:
        words_ = said.read_text(encoding="utf-8", errors="replace")[-_LONGEST:]
        return FoundInCode(message=f"the reader of the code failed: {words_.strip() or exit_code}")
    return await asyncio.to_thread(_findings, findings, place)


def _findings(file: Path, place: Place) -> FoundInCode:
    if file.is_symlink() or file.stat().st_size > _MOST_BYTES:
        return FoundInCode(message="there is more to find in the code than can be told")
    root = place.inside(place.robot)
    told = msgspec.json.decode(file.read_bytes(), type=list[_Told])
    return FoundInCode(findings=tuple(_finding(each, root) for each in told[:_MOST]))


def _finding(told: _Told, root: Path) -> Finding:
    path = Path(told.filename)
    has_code = told.code is not None and told.code[:1].isupper()
    return Finding(
        rule=told.code if told.code is not None and has_code else _NO_PROGRAM,
        label=told.name,
        message=told.message[:_LONGEST],
        path=str(path.relative_to(root) if path.is_relative_to(root) else path)[:_LONGEST],
        line=told.location.row,
        column=told.location.column,
    )
