"""Where packages come from: what the worker's own environment and pip's configuration say, in uv's words.

A build sees only what is chosen here. Everything else of the worker's environment (its token, its user's keys) stays
out, because a package's build script is foreign code.
"""

import configparser
import re
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path

_PASSED = frozenset(
    """
    UV_DEFAULT_INDEX UV_INDEX UV_INDEX_URL UV_EXTRA_INDEX_URL UV_INDEX_STRATEGY UV_FIND_LINKS UV_NO_INDEX UV_OFFLINE
    UV_KEYRING_PROVIDER UV_NATIVE_TLS UV_SYSTEM_CERTS UV_INSECURE_HOST UV_HTTP_TIMEOUT UV_HTTP_CONNECT_TIMEOUT
    UV_HTTP_RETRIES UV_REQUEST_TIMEOUT UV_CONCURRENT_DOWNLOADS UV_CONCURRENT_BUILDS UV_CONCURRENT_INSTALLS UV_PRERELEASE
    UV_EXCLUDE_NEWER UV_CONSTRAINT UV_OVERRIDE UV_LINK_MODE UV_CONFIG_FILE UV_PYTHON_DOWNLOADS UV_PYTHON_INSTALL_MIRROR
    UV_PYTHON_DOWNLOADS_JSON_URL
    PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_FIND_LINKS PIP_NO_INDEX PIP_CERT PIP_CLIENT_CERT PIP_TRUSTED_HOST
    HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY http_proxy https_proxy all_proxy no_proxy
    SSL_CERT_FILE SSL_CERT_DIR SSL_CLIENT_CERT REQUESTS_CA_BUNDLE CURL_CA_BUNDLE NODE_EXTRA_CA_CERTS GIT_SSL_CAINFO
    LANG LANGUAGE LC_ALL LC_CTYPE TZ
    """.split()  # noqa: SIM905 - sixty quoted words are no clearer
)
_INDEX_CREDENTIAL = re.compile(r"UV_INDEX_[A-Z0-9_]+_(USERNAME|PASSWORD)")
_CREDENTIALS_IN_URL = re.compile(r"(?<=://)[^/@\s]+@")
_MASK = "‹secret›@"  # noqa: RUF001 - the form that every secret prints in

_PIP_TO_UV = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "no-index": "UV_NO_INDEX",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
}
_UV_TWINS = {"UV_DEFAULT_INDEX": "UV_INDEX_URL", "UV_INDEX": "UV_EXTRA_INDEX_URL"}
_PATH_VARIABLES = (
    *("UV_CONFIG_FILE", "SSL_CERT_FILE", "SSL_CERT_DIR", "SSL_CLIENT_CERT", "REQUESTS_CA_BUNDLE", "PIP_CERT"),
)
_PATH_LISTS = (
    *("UV_FIND_LINKS", "UV_CONSTRAINT", "UV_OVERRIDE", "UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL"),
    *("UV_PYTHON_DOWNLOADS_JSON_URL", "UV_PYTHON_INSTALL_MIRROR"),
)


def variables(own: Mapping[str, str], *, home: Path) -> dict[str, str]:
    """The variables by which a build finds its packages, from the worker's own variables and its user's pip files.

    uv's settings win over pip's, and pip's variables over pip's files. Where an extra index came from pip's settings,
    the best version of all indexes is taken, as pip does.
    """
    passed = {name: value for name, value in own.items() if name in _PASSED or _INDEX_CREDENTIAL.fullmatch(name)}
    for option, value in _pip_settings(own, home).items():
        name = _PIP_TO_UV[option]
        if not value or name in passed or _UV_TWINS.get(name) in passed:
            continue
        # uv separates links by commas and indexes by blanks; pip separates everything by blanks
        passed[name] = ",".join(value.split()) if name == "UV_FIND_LINKS" else " ".join(value.split())
        if option == "extra-index-url":
            passed.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    configuration = Path(own.get("XDG_CONFIG_HOME") or home / ".config") / "uv" / "uv.toml"
    if "UV_CONFIG_FILE" not in passed and configuration.is_file():
        passed["UV_CONFIG_FILE"] = str(configuration)
    return passed


def pip_certificates(own: Mapping[str, str], *, home: Path) -> list[Path]:
    """The file of authorities that pip's settings name, if they do and it is there."""
    file = _pip_settings(own, home).get("cert")
    return [Path(file)] if file and Path(file).is_file() else []


def readable_paths(build_variables: Mapping[str, str]) -> tuple[Path, ...]:
    """The files and folders of this machine that the variables point to: a build must be able to read them."""
    single = (build_variables[name] for name in _PATH_VARIABLES if name in build_variables)
    listed = (re.split(r"[\s,]+", build_variables[name]) for name in _PATH_LISTS if name in build_variables)
    places = (place.rpartition("file://")[2] for place in chain(single, chain.from_iterable(listed)))
    return tuple(sorted({Path(place) for place in places if place.startswith("/") and Path(place).exists()}))


def without_credentials(text: str) -> str:
    """The text with what stands between `://` and `@` masked."""
    return _CREDENTIALS_IN_URL.sub(_MASK, text)


def _pip_settings(own: Mapping[str, str], home: Path) -> dict[str, str]:
    """Pip's settings that matter here, the nearest winning: variables, then the user's file, then the machine's."""
    settings: dict[str, str] = {}
    for file in _pip_files(own, home):
        parser = configparser.RawConfigParser()
        try:
            parser.read(file, encoding="utf-8")
        except (configparser.Error, OSError, UnicodeDecodeError):
            continue  # pip itself will complain about it to its user; a build can do without
        for section in ("global", "install"):
            if parser.has_section(section):
                settings.update({key.replace("_", "-"): value for key, value in parser.items(section)})
    settings.update({option: own[name] for option in _PIP_TO_UV if (name := _pip_variable(option)) in own})
    return {option: settings[option] for option in _PIP_TO_UV if option in settings}


def _pip_variable(option: str) -> str:
    return "PIP_" + option.upper().replace("-", "_")


def _pip_files(own: Mapping[str, str], home: Path) -> Iterator[Path]:
    """Pip's configuration files in the order in which it reads them."""
    yield Path("/etc/xdg/pip/pip.conf")
    yield Path("/etc/pip.conf")
    yield home / ".pip" / "pip.conf"
    yield Path(own.get("XDG_CONFIG_HOME") or home / ".config") / "pip" / "pip.conf"
    if "PIP_CONFIG_FILE" in own:
        yield Path(own["PIP_CONFIG_FILE"])
