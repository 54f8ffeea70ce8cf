"""Our own library for robots is in any environment that asks for it, whichever package index there is."""

import asyncio
import subprocess
import sys
import zipfile

import pytest

import controlroom
from controlroom.robots.environment_spec import parse_environment
from controlroom.worker.environments import offered

NO_INDEX = {"UV_NO_INDEX": "true", "UV_DEFAULT_INDEX": "", "PIP_NO_INDEX": "1"}
ASK = "import controlroom_robot as it; print(it.__file__, sorted(it.__all__)[:2])"


async def version_in(environment) -> str:
    """What the environment's own Python says of it, isolated from everything else."""
    words = [
        environment.python,
        "-I",
        "-c",
        f"{ASK}; from importlib.metadata import version; print(version(it.__name__))",
    ]
    answer = await asyncio.to_thread(subprocess.run, words, capture_output=True, text=True, check=True)
    assert str(environment.prefix) in answer.stdout
    return answer.stdout.split()[-1]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("conda.yaml", "dependencies: [python={}, {{pip: [controlroom-robot]}}]"),
        ("conda.yaml", "dependencies: [python={}, controlroom-robot]"),
        ("requirements.txt", f"controlroom-robot=={controlroom.__version__}\n"),
        ("pyproject.toml", '[project]\nname = "a"\nversion = "1"\ndependencies = ["controlroom-robot"]\n'),
    ],
)
async def test_it_is_built_where_no_index_has_it(make_cache, console, file, text):
    """By its name alone, in each form of an environment file; and it is of the worker's release."""
    spec = parse_environment(file, text.format("{}.{}".format(*sys.version_info[:2])) if file == "conda.yaml" else text)

    async with make_cache(own=NO_INDEX).use(spec, progress=console) as environment:
        assert await version_in(environment) == controlroom.__version__


async def test_it_is_built_in_the_sandbox(enclosed_cache, console, spec_of):
    """Where a build sees the folder with the wheel, and nothing else of the worker's."""
    async with enclosed_cache.use(spec_of("controlroom-robot"), progress=console) as environment:
        assert await version_in(environment) == controlroom.__version__


async def test_it_goes_with_conda_packages(make_cache, console, channel):
    """As a pip requirement, though it stands among conda's: no channel has it."""
    spec = parse_environment(
        "conda.yaml",
        f"channels: ['{channel.url}']\ndependencies: [python, anvil, controlroom-robot]",
    )
    assert (spec.conda, spec.pip) == (("anvil",), ("controlroom-robot",))

    async with make_cache(own=NO_INDEX).use(spec, progress=console) as environment:
        assert await version_in(environment) == controlroom.__version__


async def test_a_moment_of_the_past_names_it_nowhere(make_cache, console, spec_of):
    """What the worker offers is of no day; the warning about sources without dates is for the author's own."""
    spec = spec_of("controlroom-robot")

    async with make_cache(own=NO_INDEX | {"UV_EXCLUDE_NEWER": "2024-01-01"}).use(spec, progress=console) as environment:
        assert await version_in(environment) == controlroom.__version__
        assert not any(offered.PACKAGE in warning or "/wheels-" in warning for warning in environment.warnings)


def test_the_wheel_is_whole_and_made_once(tmp_path):
    """Its record names each file with its digest; the same library is the same wheel; all may read it."""
    first, again = (offered.folder_with_wheel(tmp_path) for _ in range(2))
    assert first == again
    [file] = first.iterdir()
    assert file.stat().st_mode & 0o777 == 0o644

    with zipfile.ZipFile(file) as wheel:
        assert wheel.testzip() is None
        names = wheel.namelist()
        record = wheel.read(names[-1]).decode().splitlines()
        assert {"controlroom_robot/__init__.py", "controlroom_robot/py.typed"} <= set(names)
        assert [line.split(",")[0] for line in record] == names
        lines = [line.split(",") for line in record[:-1]]
        for name, digest, size in lines:
            content = wheel.read(name)
            assert (digest, int(size)) == (f"sha256={offered._digest(content)}", len(content))
