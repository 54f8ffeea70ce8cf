"""Bundles: bots and files of a repository as one zip file, with a table of contents; encrypted, if there is a password.

Encrypted ones are of WinZip's AES form (AE-2, 256 bits), which the usual programs open. The table of contents is
`manifest.json`; contents lie in `files/`, named by their place in it. Bundles are read by machines that do not trust
who made them: no name in one is ever a path here, and what a bundle says of its size is not believed.
"""

import zlib
from pathlib import Path
from typing import IO, Any, Final
from zipfile import BadZipFile

import msgspec
from msgspec import Struct

from controlroom.errors import Invalid
from controlroom.robots.archive_rules import DEFAULT_LIMITS, check_directory

MANIFEST: Final = "manifest.json"
MOST_FILES: Final = 5_000
_MOST_MANIFEST: Final = 16 << 20
_PIECE: Final = 1 << 20


class Packed(Struct, frozen=True, kw_only=True):
    """A bot or file in a bundle."""

    path: list[str]
    """Names from the workspace on, its own last."""
    is_package: bool
    content_type: str = ""
    description: str = ""
    has_errors: bool = False
    version: int = 0
    """Which one it was where it came from."""
    folder: str = ""
    """Where the robot lies in the zip of a package."""
    size: int = 0
    has_content: bool = True
    needs: list[tuple[int, str, str]] = []
    """What it needs: place in the bundle; which task of it, if it is a package; which task of this one needs it."""


class PackedValue(Struct, frozen=True, kw_only=True):
    """An asset in a bundle."""

    workspace: str
    """Empty: of the organization."""
    name: str
    content_type: str
    file: int
    """The number of its content."""


class Manifest(Struct, frozen=True, kw_only=True):
    """The table of contents."""

    format: int = 1
    name: str
    made_at: str
    made_by: str
    entries: list[Packed]
    values: list[PackedValue] = []


class BundleInvalid(Invalid):
    """This is no bundle, or a broken one."""

    code = "BUNDLE_INVALID"


class PasswordWrong(Invalid):
    """The bundle is encrypted, by another password or by one that was not given."""

    code = "BUNDLE_PASSWORD_WRONG"


def pack(target: Path, manifest: bytes, contents: list[Path], password: str | None) -> int:
    """Write a bundle; how many bytes it has. Contents are numbered in their order; what is a zip is not pressed."""
    import pyzipper  # type: ignore[import-untyped]  # noqa: PLC0415 - 8 MB, for those who export

    with pyzipper.AESZipFile(target, "w", compression=pyzipper.ZIP_DEFLATED, compresslevel=6) as bundle:
        if password:
            bundle.setpassword(password.encode())
            bundle.setencryption(pyzipper.WZ_AES, nbits=256)
        bundle.writestr(MANIFEST, manifest)
        for number, path in enumerate(contents):
            is_zip = _begins(path, b"PK")
            press = pyzipper.ZIP_STORED if is_zip else pyzipper.ZIP_DEFLATED
            bundle.write(path, name_of(number), compress_type=press)
    return target.stat().st_size


def unpack(archive: Path, folder: Path, password: str | None, most_bytes: int) -> Manifest:
    """Write the contents of a bundle into a folder, each named by its number; what it says of them.

    Raises BundleInvalid, PasswordWrong.
    """
    import pyzipper  # noqa: PLC0415 - see above

    try:
        with archive.open("rb") as file:
            check_directory(file, DEFAULT_LIMITS)
            with pyzipper.AESZipFile(file) as bundle:
                if password:
                    bundle.setpassword(password.encode())
                return _unpacked(bundle, folder, most_bytes)
    except RuntimeError as refused:
        if "password" in str(refused).lower():
            raise PasswordWrong("The archive is encrypted, and this is not its password.") from refused
        raise BundleInvalid(f"This is no archive of bots that can be read: {refused}.") from refused
    except (BadZipFile, pyzipper.zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as broken:
        raise BundleInvalid(f"This is no archive of bots: {broken}.") from broken


def name_of(number: int) -> str:
    """What the content with a number is called in a bundle."""
    return f"files/{number:05}"


def _unpacked(bundle: Any, folder: Path, most_bytes: int) -> Manifest:
    names = set(bundle.namelist())
    if MANIFEST not in names:
        raise BundleInvalid(f"This is no archive of bots: there is no {MANIFEST} in it.")
    with bundle.open(MANIFEST) as file:
        text = file.read(_MOST_MANIFEST + 1)
    if len(text) > _MOST_MANIFEST:
        raise BundleInvalid(f"{MANIFEST} is too long.")
    try:
        manifest = msgspec.json.decode(text, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as broken:
        raise BundleInvalid(f"{MANIFEST} is not as expected: {broken}.") from broken
    numbers = [number for number, entry in enumerate(manifest.entries) if entry.has_content]
    numbers += [value.file for value in manifest.values]
    if len(numbers) > MOST_FILES or any(not 0 <= number < 2 * MOST_FILES for number in numbers):
        raise BundleInvalid(f"An archive has at most {MOST_FILES} files.")
    left = most_bytes
    for number in numbers:
        if name_of(number) not in names:
            raise BundleInvalid(f"{name_of(number)} is missing in the archive.")
        with bundle.open(name_of(number)) as file:
            left -= _copy(file, folder / f"{number:05}", left)
    return manifest


def _copy(file: IO[bytes], target: Path, most: int) -> int:
    written = 0
    with target.open("wb") as out:
        while piece := file.read(_PIECE):
            written += len(piece)
            if written > most:
                raise BundleInvalid("The archive has more in it than is taken at once.")
            out.write(piece)
    return written


def _begins(path: Path, by: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(by)) == by
