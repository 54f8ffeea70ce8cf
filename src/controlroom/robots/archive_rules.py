"""What a package may not be.

Names that lead out of its folder or mean different things on different systems, devices, encryption, names
that stand twice, and archives that would fill a disk or a memory.
"""

import os
import re
import stat
import zipfile
import zlib
from pathlib import PurePosixPath
from typing import IO

from msgspec import Struct

from controlroom.errors import Invalid
from controlroom.robots.links import Kind, kind_of
from controlroom.robots.yaml_text import invalid


class ArchiveLimits(Struct, frozen=True):
    """How much a package may hold. Sizes are in bytes, unpacked."""

    max_files: int = 20_000
    max_total: int = 2 << 30
    max_file: int = 1 << 30
    max_ratio: int = 200
    """Unpacked to packed, for what is larger than `ratio_from`. Why 200: text and logs reach 20, zeros 1,000."""
    ratio_from: int = 16 << 20
    max_depth: int = 64
    max_name: int = 1024
    """Of a whole path in UTF-8; one part of it has at most the 255 bytes that file systems take."""


DEFAULT_LIMITS = ArchiveLimits()


_LONGEST_PART = 255
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_IS_ENCRYPTED = 0x1 | 0x40
_IS_UTF_8 = 0x800
_UNICODE_PATH = 0x7075
_FIELD_HEAD = 4
_LONGEST_LINK = 1024
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DRIVE = re.compile(r"[A-Za-z]:")
_END = b"PK\x05\x06"
_END_SIZE = 22
_LOCATOR_64 = b"PK\x06\x07"
_LOCATOR_64_SIZE = 20
_LONGEST_COMMENT = 1 << 16
_ENTRY = 512  # Why: 46 bytes and a name; generous on average, so that only archives made to hurt are longer.


def check_directory(file: IO[bytes], limits: ArchiveLimits) -> None:
    """Refuse a table of contents that is too long, before the zip library reads all of it into memory."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(size - _END_SIZE - _LOCATOR_64_SIZE - _LONGEST_COMMENT, 0))
    tail = file.read()
    file.seek(0)
    at_end = len(tail) - _END_SIZE
    is_plain = tail[at_end:].startswith(_END) and tail.endswith(b"\0\0") if at_end >= 0 else False
    at = at_end if is_plain else tail.rfind(_END)
    if at < 0 or len(tail) < at + _END_SIZE:
        raise invalid("The package is no zip file, or not all of it came")
    if tail[max(at - _LOCATOR_64_SIZE, 0) : at].startswith(_LOCATOR_64):
        raise too_large("The package has the form for more than 65,535 files or 4 GiB")
    if int.from_bytes(tail[at + 12 : at + 16], "little") > limits.max_files * _ENTRY:
        raise too_large(f"The package has more than {limits.max_files} files")


def checked_entries(package: zipfile.ZipFile, limits: ArchiveLimits) -> dict[str, zipfile.ZipInfo]:
    """All entries by their normal names, in the archive's order; raises Invalid at the first that must not be."""
    infos = package.infolist()
    if len(infos) > limits.max_files:
        raise too_large(f"The package has {len(infos)} files; {limits.max_files} are allowed")
    entries: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        name = checked_name(written_name(info), limits)
        _check_kind(info, name)
        if name in entries:
            raise invalid(f"The package has `{name}` twice")
        if name:  # not for an entry of the top folder itself
            entries[name] = info
    _check_sizes(infos, limits)
    if len({info.header_offset for info in infos}) < len(infos):
        raise invalid("The package has two names for the same content")
    for name in entries:
        for parent in PurePosixPath(name).parents:
            above = entries.get(str(parent))
            if above is not None and kind_of_entry(above) is not Kind.FOLDER:
                raise invalid(f"The package has `{parent}` as a file and as a folder")
    return entries


def checked_name(name: str, limits: ArchiveLimits) -> str:
    """The normal form of a name, empty for the top folder. Raises Invalid for one that no honest tool writes."""
    shown = ascii(name[:120])
    if "\\" in name:
        raise invalid(f"The package has a name with a backslash: {shown}; use a tool that writes forward slashes")
    if _CONTROL.search(name):
        raise invalid(f"The package has a name with a control character: {shown}")
    if name.startswith("/") or _DRIVE.match(name):
        raise invalid(f"The package has an absolute name: {shown}")
    path = PurePosixPath(name)
    if ".." in path.parts:
        raise invalid(f"The package has a name that leads out of its folder: {shown}")
    try:
        lengths = [len(part.encode()) for part in path.parts]
    except UnicodeEncodeError:
        raise invalid(f"The package has a name that is no text: {shown}") from None
    if len(lengths) > limits.max_depth or sum(lengths) + len(lengths) > limits.max_name:
        raise too_large(f"The package has too long or too deep a name: {shown}")
    if any(length > _LONGEST_PART for length in lengths):
        raise too_large(f"The package has a name of more than {_LONGEST_PART} bytes: {shown}")
    return "/".join(path.parts)


def written_name(info: zipfile.ZipInfo) -> str:
    """The name of an entry as whoever packed it wrote it.

    The flag that says UTF-8 is left out by Info-ZIP and by macOS, which write UTF-8 all the same; a field of Info-ZIP's
    may have the name in UTF-8 beside one in an older code. What is none of these is in code page 437, as the format
    says.
    """
    if info.flag_bits & _IS_UTF_8:
        return info.orig_filename
    raw = info.orig_filename.encode("cp437")
    try:
        return (_unicode_path(info.extra, zlib.crc32(raw)) or raw).decode()
    except UnicodeDecodeError:
        return info.orig_filename


def _unicode_path(extra: bytes, crc: int) -> bytes | None:
    """The name in the extra field 0x7075 (APPNOTE 4.6.9), if it belongs to the name with this checksum."""
    while len(extra) >= _FIELD_HEAD:
        kind, size = int.from_bytes(extra[:2], "little"), int.from_bytes(extra[2:4], "little")
        field, extra = extra[4 : 4 + size], extra[4 + size :]
        if kind == _UNICODE_PATH and field[:1] == b"\1" and int.from_bytes(field[1:5], "little") == crc:
            return field[5:] or None
    return None


def kind_of_entry(info: zipfile.ZipInfo) -> Kind:
    """What an entry is: its mode says it, else its name, where what packed it knows no modes."""
    mode = info.external_attr >> 16
    if stat.S_IFMT(mode) in {0, stat.S_IFREG}:
        return Kind.FOLDER if info.is_dir() else Kind.FILE
    return kind_of(mode)


def _check_kind(info: zipfile.ZipInfo, name: str) -> None:
    kind = kind_of_entry(info)
    if kind is Kind.OTHER:
        raise invalid(f"`{name}` is neither file nor folder")
    if kind is Kind.LINK and info.file_size > _LONGEST_LINK:
        raise invalid(f"`{name}` is a link of more than {_LONGEST_LINK} bytes")
    if info.flag_bits & _IS_ENCRYPTED:
        raise invalid(f"The package is encrypted (`{name}`)")
    if info.compress_type not in _METHODS:
        raise invalid(f"The package uses a compression other than deflate (`{name}`)")


def _check_sizes(infos: list[zipfile.ZipInfo], limits: ArchiveLimits) -> None:
    for info in infos:
        if info.file_size > limits.max_file:
            raise too_large(f"`{info.filename}` has {info.file_size} bytes; {limits.max_file} are allowed")
        _check_ratio(f"`{info.filename}`", info.file_size, info.compress_size, limits)
    check_total(sum(info.file_size for info in infos), sum(info.compress_size for info in infos), limits)


def check_total(total: int, packed: int, limits: ArchiveLimits) -> None:
    """Refuse a package whose content is too much in all, or much more than what was sent."""
    if total > limits.max_total:
        raise too_large(f"The package unpacks to {total} bytes; {limits.max_total} are allowed")
    _check_ratio("The package", total, packed, limits)


def _check_ratio(what: str, size: int, packed: int, limits: ArchiveLimits) -> None:
    if size > limits.ratio_from and size > packed * limits.max_ratio:
        raise too_large(f"{what} unpacks to more than {limits.max_ratio} times its size")


def too_large(message: str) -> Invalid:
    """The failure of a package beyond the limits."""
    return Invalid(message, code="PACKAGE_TOO_LARGE")
