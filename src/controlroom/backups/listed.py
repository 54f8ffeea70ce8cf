"""Objects that a backup lists and does not hold: a restored room needs them where they are."""

from pathlib import Path
from typing import IO, Final

from msgspec import Struct

from controlroom.backups.archive import BackupDamaged, entries
from controlroom.backups.progress import Progress
from controlroom.objects.store import ObjectStore

LIST: Final = "objects.list"
_SOME: Final = 5
"""Names told. Why so few: whoever needs all of them lists the bucket; these say of which kind the loss is."""


class Missing(Struct, frozen=True, kw_only=True):
    """What a store lacks of a list."""

    listed: int
    count: int
    some: tuple[str, ...]
    """The first few, in order."""


def line(digest: str, size: int) -> bytes:
    """An object in the list."""
    return f"{digest} {size}\n".encode()


async def missing(path: Path, objects: ObjectStore, progress: Progress) -> Missing:
    """See which listed objects are not in a store, or not as long as they were. Raises BackupDamaged, Unavailable.

    Needs about 150 bytes of memory for each listed object, and lists the store once.
    """
    wanted = _listed(path)
    listed = len(wanted)
    async for digest, size, _ in objects.hashes():
        progress.add(size)
        if wanted.get(bytes.fromhex(digest)) == size:
            del wanted[bytes.fromhex(digest)]
    lost = sorted(wanted)
    return Missing(listed=listed, count=len(lost), some=tuple(each.hex() for each in lost[:_SOME]))


def _listed(path: Path) -> dict[bytes, int]:
    """Size by hash; the hash as bytes, for there may be millions."""
    for entry in entries(path):
        if entry.name == LIST:
            return dict(_pairs(entry.content))
    return {}


def _pairs(content: IO[bytes]) -> list[tuple[bytes, int]]:
    try:
        return [(bytes.fromhex(digest), int(size)) for digest, size in (each.decode().split(" ") for each in content)]
    except ValueError as broken:
        raise BackupDamaged(f"{LIST}: {broken}") from broken
