"""The folder of built environments, shared by every worker of a machine that is given the same one.

    index/KEY.json           an environment that is ready: this file, renamed into place, is what makes it so
    index/KEY.lock           held by the one who builds or removes it
    index/GENERATION.lock    held (shared) by those who use it
    shares/SHARE/environments/GENERATION/   where it lies, named by its key and a random part
    shares/SHARE/{uv,bytecode,conda}/       packages as downloaded, linked into the environments
    pythons/ tools/ aliases/ tmp/           downloaded interpreters, uv for the build's user, other small things

Environments cannot be moved (scripts name their interpreter), so each is built at its own final path, which nobody
knows until the index names it. Whatever dies half-way leaves a generation that no index file names: the next builder of
the same key, or a pruner, removes it. Locks are the kernel's and die with their holder. After a power failure an
environment may be older than its index file, since only the latter is synced: then remove the folder; it is a cache.

Builds write below their share, never in the index: what they build cannot pretend to be another's environment.
"""

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from controlroom import whole_files
from controlroom.worker.environments.build_place import RunAs, give_to, make_open, remove_tree
from controlroom.worker.environments.environment import Environment
from controlroom.worker.environments.locks import FileLock

_DOWNLOADS = ("uv", "bytecode", "conda")


class Stamp(msgspec.Struct, frozen=True):
    """A file as it was; an environment whose base interpreter was exchanged or removed is not used again."""

    path: Path
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, path: Path) -> "Stamp":
        """The file as it is now, behind its links."""
        real = path.resolve()
        status = real.stat()
        return cls(real, status.st_size, status.st_mtime_ns)

    def holds(self) -> bool:
        """Whether the file is still that one."""
        with suppress(OSError):
            return Stamp.of(self.path) == self
        return False


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """An index file."""

    environment: Environment
    generation: str
    bytes: int
    interpreter: Stamp
    substituted_among: str = ""
    """Where another Python than the asked one was taken: the signature of the interpreters that there were."""


class EnvironmentsFolder:
    """What lies in the folder, and who may take or remove it."""

    def __init__(self, root: Path, run_as: RunAs | None) -> None:
        self.root = root
        self._run_as = run_as
        self._index = root / "index"
        for folder in (root, root / "shares", root / "tools", root / "aliases", root / "pythons", root / "tmp"):
            make_open(folder)
        self._index.mkdir(mode=0o700, exist_ok=True)
        give_to(run_as, root / "pythons")

    def key_lock(self, key: str) -> Path:
        """The lock of those who build or remove the environment of a key."""
        return self._index / f"{key}.lock"

    def new_prefix(self, key: str, share_key: str) -> Path:
        """Where the next generation of a key's environment is to be built. The folder itself is left to the build."""
        share = self._share(share_key)
        for folder in (share, *(share / name for name in ("environments", *_DOWNLOADS))):
            if folder.name in _DOWNLOADS and folder.is_dir() and self._is_foreign(folder):
                remove_tree(folder)  # downloads of a copied cache, in which the build's user could not write
            if not folder.is_dir() or self._is_foreign(folder):
                make_open(folder)
                give_to(self._run_as, folder)
        return share / "environments" / f"{key}-{secrets.token_hex(3)}"

    @contextmanager
    def new_home(self) -> Iterator[Path]:
        """An empty folder for one build's commands; the caller removes it, or, if the caller dies, a pruner."""
        name = f"build-{secrets.token_hex(6)}"
        lock = FileLock.try_take(self._index / f"{name}.lock", exclusive=True)
        home = self.root / "tmp" / name
        home.mkdir(mode=0o700)
        try:
            yield home
        finally:
            if lock is not None:  # nobody else knows the name
                lock.remove()

    @contextmanager
    def downloads_in_use(self, share_key: str) -> Iterator[None]:
        """Keeps a share's downloaded packages from being pruned while a build uses them."""
        lock = None
        while lock is None:  # only a pruner ever holds it alone, for the moment of removing
            lock = FileLock.try_take(self._downloads_lock(self._share(share_key)), exclusive=False)
        with lock:
            yield

    def read(self, key: str) -> Entry | None:
        """What the index says of a key; nothing if it says nothing that this release understands.

        Nor if it was copied here with its cache: environments work where they were built, and that is not here.
        """
        with suppress(FileNotFoundError, msgspec.DecodeError):
            entry = msgspec.json.decode((self._index / f"{key}.json").read_bytes(), type=Entry, dec_hook=_path)
            prefix = entry.environment.prefix
            return entry if prefix is None or prefix.is_relative_to(self.root) else None
        return None

    def publish(self, key: str, entry: Entry) -> None:
        """Make an environment the one of its key. The caller holds the key's lock."""
        whole_files.write(self._index / f"{key}.json", msgspec.json.encode(entry, enc_hook=str), 0o644)  # paths

    def take(self, key: str, entry: Entry) -> FileLock | None:
        """The right to use an environment that was read from the index; None if it was replaced or is being removed."""
        lock = FileLock.try_take(self._generation_lock(entry.generation), exclusive=False)
        if lock is None:
            return None
        now = self.read(key)
        if now is None or now.generation != entry.generation:
            lock.release()
            return None
        os.utime(self._index / f"{key}.json")  # the time of last use
        return lock

    def remove_leavings(self, key: str) -> None:
        """Remove the unused generations of a key that its index file does not name. The caller holds the key's lock."""
        entry = self.read(key)
        for prefix in self.root.glob(f"shares/*/environments/{key}-*"):
            if entry is None or prefix.name != entry.generation:
                self._remove_generation(prefix)

    def prune(self, max_bytes: int) -> None:
        """Remove the longest unused environments until the rest fits; then leavings; then too many downloads."""
        entries = [(file, entry) for file in self._index.glob("*.json") if (entry := self.read(file.stem)) is not None]
        entries.sort(key=lambda pair: pair[0].stat().st_mtime_ns)
        total = sum(entry.bytes for _, entry in entries)
        for file, entry in entries:
            if total > max_bytes and self._remove_unused(file.stem, entry):
                total -= entry.bytes
        for key in {prefix.name.split("-")[0] for prefix in self.root.glob("shares/*/environments/*")}:
            if lock := FileLock.try_take(self.key_lock(key), exclusive=True):
                with lock:
                    self.remove_leavings(key)
        for home in self.root.glob("tmp/build-*"):
            if lock := FileLock.try_take(self._index / f"{home.name}.lock", exclusive=True):
                remove_tree(home)
                lock.remove()
        self._remove_idle_locks()
        for share in self.root.glob("shares/*"):
            self._prune_downloads(share, max_bytes)

    def _remove_idle_locks(self) -> None:
        """Remove the lock files of what is not there: builds that failed leave one each."""
        for path in self._index.glob("*.lock"):
            is_of_something = (
                path.with_suffix(".json").exists()
                or path.name.startswith("downloads.")
                or any(self.root.glob(f"shares/*/environments/{path.stem}"))
            )
            if not is_of_something and (lock := FileLock.try_take(path, exclusive=True)):
                lock.remove()

    def _remove_unused(self, key: str, entry: Entry) -> bool:
        """Remove an environment unless somebody uses, builds or has replaced it."""
        lock = FileLock.try_take(self.key_lock(key), exclusive=True)
        if lock is None:
            return False
        with lock:
            now = self.read(key)
            if now is None or now.generation != entry.generation:
                return False
            using = FileLock.try_take(self._generation_lock(entry.generation), exclusive=True)
            if using is None:
                return False
            (self._index / f"{key}.json").unlink()
            using.release()
            self.remove_leavings(key)
            lock.remove()
        return True

    def _remove_generation(self, prefix: Path) -> None:
        lock = FileLock.try_take(self._generation_lock(prefix.name), exclusive=True)
        if lock is not None:
            remove_tree(prefix)
            lock.remove()

    def _prune_downloads(self, share: Path, max_bytes: int) -> None:
        """Forget a share's downloads when they alone, apart from what environments link to, exceed the limit."""
        lock = FileLock.try_take(self._downloads_lock(share), exclusive=True)
        if lock is None:
            return
        with lock:
            downloads = [share / "uv", share / "bytecode", share / "conda"]
            if sum(_size_of_unlinked(folder) for folder in downloads) > max_bytes:
                for folder in downloads:
                    remove_tree(folder)

    def _is_foreign(self, folder: Path) -> bool:
        """Whether a folder that builds write to belongs to somebody else: its cache was copied without its owners."""
        return self._run_as is not None and folder.stat().st_uid != self._run_as.uid

    def _share(self, share_key: str) -> Path:
        name = hashlib.sha256(share_key.encode()).hexdigest()[:12] if share_key else "all"
        # Another user could not write where this one has: a worker whose setting changed begins a new share
        owner = f"-{self._run_as.uid}" if self._run_as is not None else ""
        return self.root / "shares" / f"{name}{owner}"

    def _downloads_lock(self, share: Path) -> Path:
        return self._index / f"downloads.{share.name}.lock"

    def _generation_lock(self, generation: str) -> Path:
        return self._index / f"{generation}.lock"


def _path(kind: type, text: str) -> Path:
    """Paths are the one thing in an index file that JSON does not know."""
    if kind is not Path:
        raise NotImplementedError
    return Path(text)


def _size_of_unlinked(folder: Path) -> int:
    """Bytes of the files that have no other name."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                status = os.lstat(os.path.join(parent, name))  # noqa: PTH118 - walk speaks strings
                total += status.st_size if status.st_nlink == 1 else 0
    return total
