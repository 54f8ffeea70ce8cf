"""Whose certificates are believed: those that this machine believes, and those that variables or settings name beside.

Libraries and programs disagree about it: some look into the machine's store, some into a list that they brought along,
some at `SSL_CERT_FILE`, others at `REQUESTS_CA_BUNDLE`, and what is named mostly replaces all else. Behind a company's
proxy, whose authority stands in the machine's store alone, half of them fail. So all that goes out from here asks this
module: our own connections by `context`, other programs by one file with everything in it (`Bundle`), which the
variables that each of them knows name.
"""

import os
import re
import ssl
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from controlroom import whole_files

_STORES: Final = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Arch, Alpine, Gentoo
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  # Fedora, Red Hat
    "/etc/pki/tls/certs/ca-bundle.crt",  # the same, older
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/ssl/certs/ca-bundle.crt",  # NixOS
    "/etc/ssl/cert.pem",  # BSD, and Alpine again
)
"""Where distributions keep their authorities in one file."""

_NAMED: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT")
"""Variables by which people name authorities: files, and folders in OpenSSL's form, several parted by colons."""

VARIABLES: Final = (
    *("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "GIT_SSL_CAINFO"),
    *("AWS_CA_BUNDLE", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"),
)
"""Variables by which other programs are told of one file with all that they shall believe."""

_CERTIFICATE: Final = re.compile(rb"-----BEGIN CERTIFICATE-----\s+[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")
_HASHED: Final = re.compile(r"[0-9a-f]{8}\.\d+")


def system_store() -> Path | None:
    """The machine's authorities in one file; None if it has none."""
    built_in = ssl.get_default_verify_paths().openssl_cafile
    return next((path for path in map(Path, (*_STORES, built_in)) if path.is_file()), None)


def named(environment: Mapping[str, str] = os.environ) -> list[Path]:
    """The files and folders of further authorities that the environment names and that are there."""
    texts = (environment.get(name, "") for name in _NAMED)
    places = (Path(part) for text in texts for part in text.split(os.pathsep) if part)
    return list(dict.fromkeys(place for place in places if place.exists()))


def context(*more: str | Path, environment: Mapping[str, str] = os.environ) -> ssl.SSLContext:
    """For connections of our own: what is believed on this machine, and the authorities in `more`."""
    store = system_store()
    made = ssl.create_default_context(cafile=store)  # without a store: OpenSSL's own idea of one
    # Why: from Python 3.13 on authorities are refused that leave out what RFC 5280 wants of them, as companies' often
    # do, though the machine's other programs, uv and git among them, believe them
    made.verify_flags &= ~ssl.VERIFY_X509_STRICT
    for folder in _system_folders():
        made.load_verify_locations(capath=folder)
    for place in [*named(environment), *map(Path, more)]:
        if place != store:
            _add(made, place)
    return made


def certificates(*more: Path, environment: Mapping[str, str] = os.environ) -> list[bytes]:
    """The certificates of all who are believed, as PEM, each once."""
    return list(dict.fromkeys(found for file in _files(environment, more) for found in _certificates_in(file)))


class Bundle:
    """One file with all certificates that are believed, for other programs; it follows the machine's store."""

    def __init__(self, path: Path, more: Iterable[Path] = ()) -> None:
        """To be written at `path`; `more` are files of authorities beside the machine's and the named ones."""
        self.path = path
        self._more = tuple(more)
        self._environment = {name: os.environ[name] for name in _NAMED if name in os.environ}  # as it is before ours
        self._made_of: object = None

    def refresh(self) -> bool:
        """Write the file if it is not as its sources are; whether there is one.

        There is none where the machine has no store and nobody named an authority: then every program keeps its own.
        """
        sources = [(str(file), _stamp(file)) for file in _files(self._environment, self._more)]
        if sources != self._made_of:
            found = certificates(*self._more, environment=self._environment)
            if not found or (system_store() is None and not named(self._environment)):
                return False
            self.path.parent.mkdir(parents=True, exist_ok=True)
            whole_files.write(self.path, b"\n".join(found) + b"\n", 0o644)
            self._made_of = sources
        return True

    def variables(self) -> dict[str, str]:
        """The variables that tell other programs of it; none if there is no file."""
        return dict.fromkeys(VARIABLES, str(self.path)) if self.refresh() else {}


def _files(environment: Mapping[str, str], more: Iterable[Path]) -> Iterator[Path]:
    store = system_store()
    places = [*([store] if store else []), *_system_folders(), *named(environment), *more]
    for place in dict.fromkeys(places):
        if place.is_dir():
            yield from sorted(file for file in place.iterdir() if _HASHED.fullmatch(file.name))
        else:
            yield place


def _system_folders() -> list[Path]:
    """The machine's store as OpenSSL reads it besides: a folder of certificates by the hashes of their names."""
    folders = {Path("/etc/ssl/certs"), Path(ssl.get_default_verify_paths().openssl_capath)}
    return [*{folder.resolve(): None for folder in sorted(folders) if folder.is_dir()}]


def _certificates_in(file: Path) -> list[bytes]:
    try:
        return [found.replace(b"\r", b"").strip() for found in _CERTIFICATE.findall(file.read_bytes())]
    except OSError:  # a link that leads nowhere is no authority
        return []


def _stamp(file: Path) -> tuple[int, int]:
    try:
        status = file.stat()
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_size)


def _add(made: ssl.SSLContext, place: Path) -> None:
    if place.is_dir():
        made.load_verify_locations(capath=place)
    elif found := _certificates_in(place):
        made.load_verify_locations(cadata=b"\n".join(found).decode("ascii"))
