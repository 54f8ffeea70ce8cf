# ruff: noqa: PTH101, PTH102, PTH103, PTH104, PTH106, PTH108, PTH112, PTH116, PTH118, PTH120, PTH123, PTH208
# Why: paths as objects double the time of walking thousands of files.
# ruff: noqa: ANN001, ANN002, ANN201, ANN202
# mypy: ignore-errors
# Why no annotations: the oldest Python must read this file
"""The last touch on an environment: bytecode for every module, nothing writable, its size.

This file is a program: the environment's own interpreter runs its text, in the build's sandbox and as the build's user
(so it imports the standard library alone, little of it, and keeps to what Python 3.6 knows). Compiling is most of
the time of a build. Therefore bytecode is kept beside the package cache, by the hashes that a package's RECORD gives
for its sources, and linked into later environments. Python itself checks bytecode against its source's size and time:
so does this program before it links, and whatever does not fit is compiled.

Where the library for work items is (`robocorp-workitems` 1.0 and later), the room's own adapter for it is written
beside it, with the connection that it has, before all is compiled.

Arguments: the prefix, the folder that keeps bytecode, and, for the adapter, names and texts of modules in turn. Prints
JSON: {"bytes", "files", "compiled", "linked", "has_adapter"}.
"""

import hashlib
import os
import stat
import sys
from importlib.util import MAGIC_NUMBER, cache_from_source

_MODULES_A_PROCESS = 40
"""Fewer modules than that compile faster than another process starts. Measured roughly on two cores."""

_FLAGS = b"" if sys.version_info < (3, 7) else b"\0\0\0\0"
"""What stands in bytecode between its magic number and the mark of its source."""

_SOURCES = "sources"
"""In a folder of kept bytecode: the size and time of each module that it was compiled from, a line each."""


def main(prefix, store, *adapter):
    """Finish the environment; safe to repeat."""
    linked = 0
    missing = []
    to_keep = []
    has_adapter = False
    for site in _sites(prefix):
        if _has_work_items(site):
            for module, text in zip(adapter[::2], adapter[1::2]):  # noqa: B905 - the oldest Python has no `strict`
                with open(os.path.join(site, module + ".py"), "w", encoding="utf-8") as file:
                    file.write(text)
            has_adapter = True
        known = set()
        for modules, key in _distributions(site):
            kept = os.path.join(store, key)
            marks = "\n".join(_mark(module).hex() for module in modules)
            fits = marks == _kept_marks(kept)
            absent = [module for index, module in enumerate(modules) if not (fits and _link(kept, index, module))]
            linked += len(modules) - len(absent)
            missing += absent
            known.update(modules)
            if not fits:
                to_keep.append((kept, marks, modules))
        missing += [module for module in _modules_below(site) if module not in known and not _is_current(module)]
    _compile(missing)
    for kept, marks, modules in to_keep:
        _keep(kept, marks, modules)
    size, files = _close(prefix)
    report = '{"bytes": %d, "files": %d, "compiled": %d, "linked": %d, "has_adapter": %s}'
    sys.stdout.write(report % (size, files, len(missing), linked, "true" if has_adapter else "false"))


def _has_work_items(site):
    """Whether the library is there, in a release whose door for adapters is the one of today."""
    for name in os.listdir(site):
        library, _, version = name.lower().replace("-", "_").rpartition("_workitems_")
        if library == "robocorp" and version.endswith(".dist_info"):
            major = version.partition(".")[0]
            return major.isdigit() and int(major) >= 1
    return False


def _sites(prefix):
    library = os.path.join(prefix, "lib")
    names = os.listdir(library) if os.path.isdir(library) else []
    folders = (os.path.join(library, name, "site-packages") for name in names if name.startswith("python3"))
    return sorted({os.path.realpath(folder) for folder in folders if os.path.isdir(folder)})


def _distributions(site):
    """The modules of each installed distribution, with a key by content and kind of bytecode."""
    for name in sorted(os.listdir(site)):
        record = os.path.join(site, name, "RECORD")
        if not name.endswith(".dist-info") or not os.path.lexists(record):
            continue
        with open(record, encoding="utf-8", errors="replace") as lines:
            sources = sorted(line.strip() for line in lines if ".py,sha256=" in line and line[0] not in "./")
        if sources:
            named = "\n".join([MAGIC_NUMBER.hex(), sys.implementation.cache_tag or "", *sources])
            modules = [os.path.join(site, source.rsplit(",", 2)[0].strip('"')) for source in sources]
            yield modules, hashlib.sha256(named.encode()).hexdigest()


def _modules_below(site):
    for parent, folders, names in os.walk(site):
        folders[:] = [folder for folder in folders if folder != "__pycache__"]
        for name in names:
            if name.endswith(".py"):
                yield os.path.join(parent, name)


def _mark(module):
    """How bytecode names its source: time and size, as Python writes them; nothing for a source that is not there."""
    try:
        status = os.stat(module)
    except OSError:
        return b""
    return b"".join((int(part) & 0xFFFFFFFF).to_bytes(4, "little") for part in (status.st_mtime, status.st_size))


def _is_current(module):
    """Whether a module has bytecode that belongs to it as it is."""
    expected = MAGIC_NUMBER + _FLAGS + _mark(module)
    try:
        with open(cache_from_source(module), "rb") as file:
            head = file.read(len(expected))
    except OSError:
        return False
    return head == expected


def _kept_marks(kept):
    """The marks of the sources that a distribution's kept bytecode was compiled from."""
    try:
        with open(os.path.join(kept, _SOURCES), encoding="ascii") as file:
            return file.read()
    except OSError:
        return "none"


def _link(kept, index, module):
    """Give a module its kept bytecode; False if there is none."""
    bytecode, target = os.path.join(kept, str(index)), cache_from_source(module)
    for _ in range(2):
        try:
            os.link(bytecode, target)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(target), exist_ok=True)
        except OSError:  # it exists, or links are forbidden
            return _is_current(module)
        else:
            return True
    return False


def _compile(modules):
    """Compile modules on all processors. Those that do not compile are left: packages carry some."""
    processes = max(1, min(os.cpu_count() or 1, len(modules) // _MODULES_A_PROCESS + 1))
    children = []
    for number in range(1, processes):
        child = os.fork()
        if child == 0:
            _compile_here(modules[number::processes])
            os._exit(0)
        children.append(child)
    _compile_here(modules[::processes])
    for child in children:
        os.waitpid(child, 0)


def _compile_here(modules):
    if not modules:
        return
    import py_compile  # noqa: PLC0415 - slow to import, and mostly not needed

    # Why said: where SOURCE_DATE_EPOCH is set, newer Pythons would compile by the hash of the source
    by_time = {} if sys.version_info < (3, 7) else {"invalidation_mode": py_compile.PycInvalidationMode.TIMESTAMP}
    for module in modules:
        try:  # with `doraise` no Python prints what it thinks of a module
            py_compile.compile(module, doraise=True, **by_time)
        except (py_compile.PyCompileError, OSError, ValueError, RecursionError):
            continue


def _keep(kept, marks, modules):
    """Keep a distribution's bytecode for later environments; made aside, then renamed: whole or absent."""
    aside, old = f"{kept}.{os.getpid()}", f"{kept}.{os.getpid()}.old"
    try:
        os.mkdir(aside)
        for index, module in enumerate(modules):
            if _is_current(module):
                os.link(cache_from_source(module), os.path.join(aside, str(index)))
        with open(os.path.join(aside, _SOURCES), "w", encoding="ascii") as file:
            file.write(marks)
        if os.path.lexists(kept):  # the package was unpacked anew since
            os.rename(kept, old)
            for name in os.listdir(old):
                os.unlink(os.path.join(old, name))
            os.rmdir(old)
        os.rename(aside, kept)
    except OSError:  # another build keeps the same at this moment, or links are forbidden: it costs the next build time
        return


def _close(prefix):
    """Let everybody read and nobody write; returns bytes and number of files.

    The package cache's files are the same files and are closed with it, which does it no harm.
    """
    size = files = 0
    for parent, _, names in os.walk(prefix, topdown=False):
        for name in names:
            path = os.path.join(parent, name)
            status = os.lstat(path)
            files += 1
            size += status.st_size
            mode = 0o555 if status.st_mode & 0o111 else 0o444
            if stat.S_ISREG(status.st_mode) and stat.S_IMODE(status.st_mode) != mode:
                os.chmod(path, mode)
        os.chmod(parent, 0o555)  # noqa: S103 - an environment is there to be read
    return size, files


if __name__ == "__main__":
    main(*sys.argv[1:])
