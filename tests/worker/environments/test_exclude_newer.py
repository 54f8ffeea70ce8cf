"""Environments as on a day of the past: from an index with dates, one without, links, and a conda channel."""

import io
import json
import zipfile

import pytest

from conda_channels import CondaChannel
from controlroom.robots.environment_spec import dated, parse_environment
from controlroom.worker.environments import EnvironmentFailed, freeze
from python_mirror import serving

DAY = "2023-05-02T00:00:00Z"
RELEASES = {"1.0": "2022-01-01T00:00:00Z", "2.0": "2024-01-01T00:00:00Z"}

ALONE = {"NO_PROXY": "127.0.0.1", "UV_FIND_LINKS": "", "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": "/dev/null"}
"""Variables that leave the index the only place of packages."""


def wheel(name: str, version: str) -> bytes:
    """A wheel with nothing in it."""
    buffer = io.BytesIO()
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(buffer, "w") as zipped:
        zipped.writestr(f"{name}.py", f"VERSION = '{version}'\n")
        zipped.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        zipped.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        zipped.writestr(f"{info}/RECORD", "")
    return buffer.getvalue()


@pytest.fixture(params=["dates", "no dates"])
def index(request, tmp_path):
    """A package index with two releases of `toy`, which says when they came, or does not."""
    folder = tmp_path / "index"
    (folder / "simple" / "toy").mkdir(parents=True)
    for version in RELEASES:
        (folder / f"toy-{version}-py3-none-any.whl").write_bytes(wheel("toy", version))
    with serving(folder) as url:
        files = [
            {
                "filename": f"toy-{version}-py3-none-any.whl",
                "url": f"{url}/toy-{version}-py3-none-any.whl",
                "hashes": {},
            }
            | ({"upload-time": date} if request.param == "dates" else {})
            for version, date in RELEASES.items()
        ]
        described = {"meta": {"api-version": "1.1"}, "name": "toy", "versions": list(RELEASES), "files": files}
        (folder / "simple" / "toy" / "index.html").write_text(json.dumps(described))
        yield f"{url}/simple/", request.param == "dates"


async def test_an_index_is_seen_as_on_that_day(make_cache, console, index):
    """Releases after the moment do not count; an index without dates is an error that says so."""
    url, has_dates = index
    cache = make_cache(
        own={"UV_DEFAULT_INDEX": url, "NO_PROXY": "127.0.0.1", "UV_FIND_LINKS": "", "PIP_FIND_LINKS": ""}
    )
    spec = parse_environment("requirements.txt", "toy")

    async with cache.use(spec, progress=console) as newest:
        assert "toy==2.0" in freeze(newest)
    if not has_dates:
        with pytest.raises(EnvironmentFailed, match=f"no packages newer than {DAY} count, and .* tells no dates"):
            async with cache.use(dated(spec, DAY), progress=console):
                pass
        return
    async with cache.use(dated(spec, DAY), progress=console) as environment:
        assert "toy==1.0" in freeze(environment)
        assert environment.warnings == ()
        assert environment.prefix != newest.prefix


async def test_the_workers_own_moment_is_part_of_the_key(make_cache, console, index):
    """`UV_EXCLUDE_NEWER` of a worker makes other environments than those of a worker without it."""
    url, has_dates = index
    own = {"UV_DEFAULT_INDEX": url, **ALONE}
    spec = parse_environment("requirements.txt", "toy" if has_dates else "")

    async with make_cache(own=own).use(spec, progress=console) as newest:
        pass
    async with make_cache(own=own | {"UV_EXCLUDE_NEWER": DAY}).use(spec, progress=console) as environment:
        assert environment.prefix != newest.prefix


async def test_sources_without_dates_are_told(make_cache, console, index, tmp_path):
    """Links, addresses and folders of packages are taken whatever their day: the author reads which."""
    url, _ = index
    place = url.removesuffix("simple/")
    links = tmp_path / "index"
    cache = make_cache(own={"UV_NO_INDEX": "1", "NO_PROXY": "127.0.0.1", "UV_FIND_LINKS": str(links)})
    text = f"toy @ {place}toy-2.0-py3-none-any.whl"

    for _ in range(2):
        async with cache.use(dated(parse_environment("requirements.txt", text), DAY), progress=console) as environment:
            assert "toy" in freeze(environment)
        assert console.lines[-1].startswith(f"Warning: Packages newer than {DAY} do not count, but these tell no dates")
        assert f"{place}toy-2.0-py3-none-any.whl" in console.lines[-1]
        assert str(links) in console.lines[-1]


async def test_a_conda_channel_is_seen_as_on_that_day(make_cache, console, tmp_path):
    """The solver takes what was there then; a package of which no date is known is taken, and told."""
    channel = CondaChannel(tmp_path / "channel")
    channel.add("anvil", "1.0", {"share/anvil": "old"}, timestamp=1640995200000)
    channel.add("anvil", "2.0", {"share/anvil": "new"}, timestamp=1704067200000)
    channel.add("hammer", "1.0", {"share/hammer": "?"})

    for packages, told in (("[anvil]", ""), ("[anvil, hammer]", "hammer=1.0")):
        text = f"channels: [{channel.url}]\ndependencies: {packages}"
        spec = dated(parse_environment("conda.yaml", text), DAY)
        async with make_cache().use(spec, progress=console) as environment:
            assert (environment.prefix / "share/anvil").read_text() == "old"
            assert [warning.rpartition(": ")[2] for warning in environment.warnings] == ([told] if told else [])
