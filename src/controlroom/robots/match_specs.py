"""Conda's match specs: how an entry of a conda.yaml names a package.

Forms: `name`, `name=1.2`, `name 1.2.* build*`, `name>=1,<2`, `name=1.2=build`, `channel::name`, `channel/subdir::name`,
`name[version='>=1.2', build='*_cpython', …]`, and the address of a package file. What an entry wishes is honoured or
refused, never forgotten: keys that no solver of ours heeds, conditions that stand in two places, and texts that
solvers read differently are refused. Source: conda's documentation of MatchSpec, and the reading of rattler's parser.
"""

import re
from collections.abc import Mapping

from msgspec import Struct

HONOURED = ("version", "build", "build_number", "channel", "subdir", "url", "fn", "md5", "sha256", "license")
"""The keys in brackets that the solver heeds (`tests/worker/environments/test_conda.py` shows each)."""

_SPEC = re.compile(
    r"(?:(?P<channel>[^\[\]\s'\"=<>!~,|]+)::)?"
    r"(?P<name>[A-Za-z0-9_][A-Za-z0-9_.\-]*)"
    r"(?P<wish>(?:\s|[<>=!~])[^\[\]'\"]*?)?\s*"
    r"(?:\[(?P<keys>[^\[\]]*)\])?"
)
_WISH = re.compile(
    r"(?P<single>=)\s*(?P<version_a>[^\s=<>!~]+)(?:(?:=|\s+)(?P<build_a>\S+))?"  # =1.2  =1.2=build
    r"|(?P<version_b>(?:[<>!=~]=?|===)[^=].*?)(?:(?<![,|\s<>!=~])\s+(?![,|<>!=~])(?P<build_b>\S+))?"  # >=1,<2 build
    r"|(?P<version_c>[0-9*][^\s=]*)(?:(?:=|\s+)(?P<build_c>\S+))?"  # 1.2 build
)
_VERSION = re.compile(r"(?:[<>!=~]=?)?[A-Za-z0-9_.+!\-]*\*?")
_BUILD = re.compile(r"[A-Za-z0-9_.*+\-]+")
_KEY = re.compile(
    r"""\s*(?P<key>[a-z0-9_]+)\s*=\s*(?:'(?P<single>[^']*)'|"(?P<double>[^"]*)"|(?P<bare>[^\s'",]+))\s*"""
)
_FORMS: Mapping[str, re.Pattern[str]] = {
    "build": _BUILD,
    "build_number": re.compile(r"(?:[<>!=]=?)?\d{1,9}"),
    "channel": re.compile(r"\S+"),
    "subdir": re.compile(r"[a-z0-9\-]+"),
    "url": re.compile(r"(?:https?|file)://\S+\.(?:conda|tar\.bz2)"),
    "fn": re.compile(r"[^\s/]+\.(?:conda|tar\.bz2)"),
    "md5": re.compile(r"[0-9a-fA-F]{32}"),
    "sha256": re.compile(r"[0-9a-fA-F]{64}"),
    "license": re.compile(r".+"),
}
_PLATFORM = re.compile(r"(?:linux|osx|win|freebsd|emscripten|wasi|zos)-[a-z0-9_]+")
_ADDRESS = re.compile(r"(?:https?|file)://\S+")
_FILE_NAME = re.compile(r"(?P<name>[A-Za-z0-9_.\-]+)-[^/\-]+-[^/\-]+\.(?:conda|tar\.bz2)")


class MatchSpec(Struct, frozen=True, kw_only=True):
    """A package, and what it must be like."""

    text: str
    """As it was written."""
    name: str
    """In lower case, as conda compares names."""
    version: str = ""
    is_beginning: bool = False
    """Whether the version is written with one `=`: then every version that begins so is meant."""
    build: str = ""
    channel: str = ""
    others: tuple[tuple[str, str], ...] = ()
    """What else is wished, by its key."""

    @property
    def is_version_only(self) -> bool:
        """Whether nothing but the name and perhaps the version is wished."""
        return not (self.build or self.channel or self.others)


class NotUnderstood(ValueError):  # noqa: N818 - a fact about a text; readers turn it into Invalid
    """The text is no match spec, or wishes for something that would be forgotten; the message says what to mend."""


def parse_match_spec(text: str) -> MatchSpec:
    """Read an entry. Raises NotUnderstood."""
    text = re.sub(r"\s+#.*", "", text).strip()  # a remark, as conda takes it
    text = re.sub(r"^([^\[<>!~=\s]+\s*)=\s*(?=[<>!~])", r"\1", text)  # `name=>=1`, which older condas took
    if _ADDRESS.fullmatch(text) and "::" not in text.removeprefix("https://"):
        return _of_address(text)
    match = _SPEC.fullmatch(text)
    if match is None:
        raise NotUnderstood("is no conda package")
    version, is_beginning, build = _wish((match["wish"] or "").strip())
    keys = _keys(match["keys"])
    given = {"version": version, "build": build, "channel": match["channel"] or ""}
    for key, value in given.items():
        if value and key in keys:
            raise NotUnderstood(f"says its {key} twice")
    found = given | {key: value for key, value in keys.items() if key in given}
    _check_version(found["version"])
    channel, slash, subdir = found["channel"].rpartition("/")
    is_platform = bool(slash) and _is_platform(subdir)
    if is_platform and "subdir" in keys:
        raise NotUnderstood("says its subdir twice")
    others = {key: value for key, value in keys.items() if key not in given}
    return MatchSpec(
        text=text,
        name=match["name"].lower(),
        version=found["version"],
        is_beginning=is_beginning,
        build=found["build"],
        channel=channel if is_platform else found["channel"],
        others=tuple(sorted((others | ({"subdir": subdir} if is_platform else {})).items())),
    )


def _of_address(text: str) -> MatchSpec:
    address, mark, digest = text.partition("#")
    name = _FILE_NAME.fullmatch(address.rpartition("/")[2])
    if name is None:
        raise NotUnderstood("is no address of a conda package (NAME-VERSION-BUILD.conda or .tar.bz2)")
    if mark:  # Why refused: the solver's parser drops it
        key = "md5" if len(digest) == 32 else "sha256"  # noqa: PLR2004 - digits of the two
        raise NotUnderstood(f"has its hash behind a `#`: write `{name['name']}[url='{address}', {key}='{digest}']`")
    return MatchSpec(text=text, name=name["name"].lower(), others=(("url", address),))


def _wish(text: str) -> tuple[str, bool, str]:
    """Version, whether it is the beginning of one, and build."""
    if not text:
        return "", False, ""
    match = _WISH.fullmatch(text)
    if match is None:
        raise NotUnderstood(f"has the condition `{text}`, which is none; conditions are joined by commas")
    version = match["version_a"] or match["version_b"] or match["version_c"]
    build = match["build_a"] or match["build_b"] or match["build_c"] or ""
    if build and not _BUILD.fullmatch(build):
        raise NotUnderstood(f"has the build `{build}`, which is none; conditions are joined by commas")
    # Why `1.2=build` too: with a build, one `=` means that very version
    return "".join(version.split()), bool(match["single"]) and not build, build


def _keys(text: str | None) -> dict[str, str]:
    """What stands in the brackets."""
    keys: dict[str, str] = {}
    rest = text or ""
    while rest.strip():
        match = _KEY.match(rest)
        end = match.end() if match else 0
        if match is None or rest[end : end + 1] not in {"", ","} or rest[end:].strip() == ",":
            raise NotUnderstood("has brackets that are not of the form [key=value, key='value']")
        key, value = match["key"], match["single"] or match["double"] or match["bare"] or ""
        if key in keys:
            raise NotUnderstood(f"says its {key} twice")
        if key not in HONOURED:
            raise NotUnderstood(f"has the key `{key}` in its brackets, which is not heeded here")
        _check_value(key, value)
        keys[key] = value
        rest = rest[end + 1 :]
    return keys


def _check_value(key: str, value: str) -> None:
    form = _FORMS.get(key)
    if not value or (form is not None and not form.fullmatch(value)):
        raise NotUnderstood(f"has `{value}` as its {key}, which is none")


def _check_version(version: str) -> None:
    clauses = re.split(r"[,|]", version) if version else []
    if not all(_VERSION.fullmatch(clause) and clause.strip("<>!=~") for clause in map(str.strip, clauses)):
        raise NotUnderstood(f"has `{version}` as its version, which cannot be read")


def _is_platform(text: str) -> bool:
    return text == "noarch" or _PLATFORM.fullmatch(text) is not None
