"""One environment from its specification: packages, the author's own commands, bytecode, closed."""

import asyncio
import shlex
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

import msgspec

from controlroom.robots.environment_spec import EnvironmentSpec
from controlroom.robots.python_versions import OLDEST, wished_minor, written
from controlroom.worker.environments import conda_builder, machine, uv_builder
from controlroom.worker.environments.build_place import BuildPlace, CommandFailed, short_cause
from controlroom.worker.environments.conda_order import Receipt
from controlroom.worker.environments.dates import undated
from controlroom.worker.environments.environment import (
    ADAPTER_MODULE,
    CONNECTION_MODULE,
    Environment,
    EnvironmentFailed,
    EnvironmentKind,
)
from controlroom.worker.environments.folder import Stamp
from controlroom.worker.environments.interpreters import Interpreter, Interpreters, PythonNotHad, is_offline
from controlroom.worker.environments.offered import source_of

_CHANNELS_SECONDS = 300.0
"""For a Python from conda's channels, where nothing else of them was asked for: an index and 40 MB."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What to build where."""

    spec: EnvironmentSpec
    fingerprint: str
    prefix: Path
    strict: bool
    own: Mapping[str, str]
    """The worker's variables, for the settings that are not the build's to see."""


class Built(msgspec.Struct, frozen=True):
    """A finished environment and what it weighs."""

    environment: Environment
    interpreter: Stamp
    bytes: int
    is_substitute: bool
    """Whether it has another Python than the one that was asked for."""


class Finished(msgspec.Struct, frozen=True):
    """What `finishing.py` reports."""

    bytes: int
    files: int
    compiled: int
    linked: int
    has_adapter: bool
    """Whether the library for work items was found, and the room's adapter written beside it."""


class Tools(msgspec.Struct, frozen=True):
    """What builders work with."""

    uv: Path
    interpreters: Interpreters


async def build(place: BuildPlace, tools: Tools, order: Order) -> Built:
    """Build the environment at its prefix.

    Raises EnvironmentFailed or CommandFailed; what lies at the prefix then is the caller's to remove.
    """
    if order.spec.exclude_newer:
        variables = place.variables | {"UV_EXCLUDE_NEWER": order.spec.exclude_newer}
        place = msgspec.structs.replace(place, variables=variables)
    if order.spec.is_pip_only:
        try:
            environment, interpreter = await _with_uv(place, tools, order)
        except PythonNotHad as why:
            environment, interpreter = await _with_conda(place, tools, order, instead=why)
    else:
        environment, interpreter = await _with_conda(place, tools, order)
    await _run_post_install(place, order, environment)
    finished = await _finish(place, environment, order.prefix)
    environment = msgspec.structs.replace(environment, has_adapter=finished.has_adapter)
    is_substitute = bool(_other_patch(order.spec, environment.python_version))
    return Built(environment, Stamp.of(interpreter), finished.bytes, is_substitute)


async def _with_uv(place: BuildPlace, tools: Tools, order: Order) -> tuple[Environment, Path]:
    spec, prefix = order.spec, order.prefix
    choice = await tools.interpreters.choose(spec.python, strict=order.strict, place=place)
    interpreter = choice.interpreter
    said = f"python {written(interpreter.version)}, {_counted(len(spec.pip), 'package')} (uv)"
    place.progress(f"Building environment {order.fingerprint[:8]}: {said}")
    await uv_builder.create(place, tools.uv, interpreter, prefix, seed=bool(spec.post_install))
    python = prefix / "bin" / "python"
    await uv_builder.install(
        place, tools.uv, spec.pip, prefix, python=python, readable=[interpreter.base_prefix, interpreter.path.parent]
    )
    environment = Environment(
        kind=EnvironmentKind.UV,
        fingerprint=order.fingerprint,
        prefix=prefix,
        python=python,
        python_version=written(interpreter.version),
        variables={"VIRTUAL_ENV": str(prefix), "PYTHON_EXE": str(python), "PYTHONNOUSERSITE": "1"},
        path=(prefix / "bin",),
        readable=_readable(prefix, interpreter),
        warnings=(*([choice.warning] if choice.warning else []), *undated(spec, place.variables)),
    )
    return environment, interpreter.path


async def _with_conda(
    place: BuildPlace, tools: Tools, order: Order, *, instead: PythonNotHad | None = None
) -> tuple[Environment, Path]:
    """With packages of conda's channels; `instead` tells that only Python is to come from them, and why."""
    spec, prefix = order.spec, order.prefix
    counted = _counted(len(spec.conda), "conda package") if instead is None else f"python {spec.python or ''} of conda"
    said = f"{counted}, {_counted(len(spec.pip), 'pip package')} (rattler)"
    place.progress(f"Building environment {order.fingerprint[:8]}: {said}")
    receipt = await _install_conda(place, order, instead)
    conda_builder.check_pip_is_possible(spec, prefix)
    activation = await conda_builder.activation(place, prefix, receipt.activation)
    interpreter = await _interpreter_in(prefix, place, tools, path=order.own.get("PATH", ""))
    python = conda_builder.interpreter_of(prefix) or interpreter.path
    readable = _readable(prefix, interpreter)
    await uv_builder.install(place, tools.uv, spec.pip, prefix, python=python, readable=readable)
    environment = Environment(
        kind=EnvironmentKind.CONDA,
        fingerprint=order.fingerprint,
        prefix=prefix,
        python=python,
        python_version=written(interpreter.version),
        variables=activation.variables | {"PYTHON_EXE": str(python), "PYTHONNOUSERSITE": "1"},
        path=activation.path,
        readable=readable,
        warnings=(
            *_other_patch(spec, written(interpreter.version)),
            *undated(spec, place.variables if spec.pip else {}, receipt.undated),
        ),
    )
    return environment, interpreter.path


async def _install_conda(place: BuildPlace, order: Order, instead: PythonNotHad | None) -> Receipt:
    """The conda packages. Where only Python was to come from the channels, a failure tells all that was tried."""
    if instead is None:
        return await conda_builder.install(place, order.spec, order.prefix, own=order.own, strict=order.strict)
    if is_offline(order.own):
        raise instead
    try:
        async with asyncio.timeout(_CHANNELS_SECONDS):
            spec = msgspec.structs.replace(order.spec, python=order.spec.python or ">=3.8")
            return await conda_builder.install(place, spec, order.prefix, own=order.own, strict=order.strict)
    except CommandFailed as failure:
        cause = short_cause(failure)
    except TimeoutError:
        cause = f"it took longer than {_CHANNELS_SECONDS:.0f} s"
    channels = ", ".join(conda_builder.channels_of(order.spec))
    raise EnvironmentFailed(f"{instead.message}; not had from conda ({channels}): {cause}")


def _other_patch(spec: EnvironmentSpec, version: str) -> tuple[str, ...]:
    """The warning where conda gave another patch version than the exact one that was asked for."""
    if wished_minor(spec.python) is None or (spec.python or "").strip("= ") == version:
        return ()
    return (f"Python {spec.python} cannot be had: using {version} instead",)


async def _interpreter_in(prefix: Path, place: BuildPlace, tools: Tools, *, path: str) -> Interpreter:
    """The interpreter of a conda environment; without one of its own, the machine's."""
    own = conda_builder.interpreter_of(prefix)
    if own is None:
        return await machine.interpreter(tools.interpreters, place, path=path)
    found = await tools.interpreters.probe(own, place)
    if found is None or found.version < OLDEST:  # 2.7 does not know the options of our question
        needed = f"robots run with Python {written(OLDEST[:2])} and later"
        raise EnvironmentFailed(f"The Python that the conda packages brought does not run or is too old: {needed}")
    return found


async def _run_post_install(place: BuildPlace, order: Order, environment: Environment) -> None:
    """The author's commands, once, in the environment."""
    for command in order.spec.post_install:
        place.progress(f"Post-install: {command}")
        try:
            await place.run(
                _words(command),
                writable=[order.prefix],
                readable=environment.readable,
                variables=environment.activate(place.variables),
            )
        except CommandFailed as failure:
            raise EnvironmentFailed(f"Post-install command failed: {command}: {short_cause(failure)}") from failure


def _words(command: str) -> list[str]:
    """A command line, split like a POSIX shell but not run by one, as robot.yaml's are."""
    try:
        words = shlex.split(command)
    except ValueError as failure:
        raise EnvironmentFailed(f"Post-install command cannot be read: {command}: {failure}") from failure
    # Why the shell: what commands print is for the author to read, and programs are searched on the environment's PATH
    return ["/bin/sh", "-c", 'exec "$@" 1>&2', "sh", *words]


async def _finish(place: BuildPlace, environment: Environment, prefix: Path) -> Finished:
    """Compile, close and weigh it, by its own interpreter."""
    here = files("controlroom.worker.environments")
    program, text = (here.joinpath(f"{name}.py").read_text("utf-8") for name in ("finishing", ADAPTER_MODULE))
    adapter = (ADAPTER_MODULE, text, CONNECTION_MODULE, source_of("_connection"))
    bytecode = prefix.parent.parent / "bytecode"
    report = await place.run(
        [environment.python, "-I", "-S", "-c", program, prefix, bytecode, *adapter],
        writable=[prefix.parent.parent],
        readable=environment.readable,
    )
    return msgspec.json.decode(report, type=Finished)


def _readable(prefix: Path, interpreter: Interpreter) -> tuple[Path, ...]:
    """The environment and the installation of its interpreter, also where that is reached through links."""
    homes = (interpreter.base_prefix, interpreter.path.resolve().parent.parent)
    return tuple(dict.fromkeys((prefix, *homes)))


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
