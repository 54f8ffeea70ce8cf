"""What the console's pages load, as `assets/build.py` makes it."""

import gzip
import hashlib
import importlib.util
import json
import re
from pathlib import Path

import brotli
import pytest

PROJECT = Path(__file__).parents[2]
STATIC = PROJECT / "src/controlroom/ui/static"
_spec = importlib.util.spec_from_file_location("assets_build", PROJECT / "assets/build.py")
build = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(build)


@pytest.fixture(scope="module")
def files():
    return json.loads((STATIC / "manifest.json").read_text())["files"]


def test_what_lies_there_was_made_of_what_lies_here():
    """The folder is current, so that making it again does nothing, with or without npm."""
    assert build.is_current()
    assert not build.make()


def test_files_are_named_by_their_content(files):
    """A browser may keep them for ever: what changes has another name."""
    for name, file in files.items():
        digest = hashlib.sha256((STATIC / file).read_bytes()).hexdigest()[:12]
        stem, _, suffix = name.rpartition(".")
        assert file == f"{stem}.{digest}.{suffix}"


def test_files_lie_there_compressed(files):
    """Whatever is no font lies there by brotli and by gzip, too."""
    for file in files.values():
        if not file.endswith(".woff2"):
            content = (STATIC / file).read_bytes()
            assert brotli.decompress((STATIC / f"{file}.br").read_bytes()) == content
            assert gzip.decompress((STATIC / f"{file}.gz").read_bytes()) == content


def test_the_style_sheet_is_layered_and_loads_what_is_there(files):
    """Every rule stands in one of the layers; its fonts lie beside it."""
    css = (STATIC / files["console.css"]).read_text()
    assert css.startswith("@layer base,shell,parts,pages;")
    assert {*re.findall(r"^@layer (\w+)\{", css, re.MULTILINE)} == {*build.LAYERS}
    assert {*re.findall(r"url\(([^)#]+)\)", css)} == {file for file in files.values() if file.endswith(".woff2")}


def test_the_sprite_has_what_is_named_and_no_more(files):
    """Icons by our names for them, and the shapes of the states."""
    sprite = (STATIC / files["icons.svg"]).read_text()
    states = re.findall(r'<symbol id="(s-[\w-]+)"', (PROJECT / "assets/states.svg").read_text())
    assert re.findall(r'<symbol id="([\w-]+)"', sprite) == [*build.icons(), *states]
    assert "<path" in sprite


def test_first_page_fits_its_budget(files):
    """On the wire: style sheet, htmx, scripts, icons and two fonts; html comes to it."""
    loaded = [files[name] for name in ("console.css", "htmx.js", "console.js", "icons.svg")]
    size = sum((STATIC / f"{file}.br").stat().st_size for file in loaded)
    size += sum((STATIC / files[font]).stat().st_size for font in ("inter-latin.woff2", "jetbrains-mono-latin.woff2"))
    assert size <= 130_000


def test_the_lock_names_no_host():
    """Packages are pinned by version and digest, whichever registry has them."""
    packages = json.loads((PROJECT / "assets/package-lock.json").read_text())["packages"]
    packages.pop("")
    assert packages
    for name, package in packages.items():
        assert "resolved" not in package, name
        assert package["integrity"].startswith("sha512-")
    wanted = json.loads((PROJECT / "assets/package.json").read_text())
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted["dependencies"].values())
