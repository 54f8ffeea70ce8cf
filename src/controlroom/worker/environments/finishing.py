# ruff: noqa: PTH101, PTH103, PTH104, PTH112, PTH116, PTH118, PTH120, PTH123, PTH207
# Why: paths as objects double the time of walking thousands of files.
"""The last touch on an environment: bytecode for every module, nothing writable, its size.

This file is a program: the environment's own interpreter runs its text, in the build's sandbox and as the build's user
(so it imports the standard library alone, and keeps to the grammar of Python 3.7). Compiling is most of the time of a
build. Therefore bytecode is kept beside the package cache, by the hashes that a package's RECORD gives for its sources,
and linked into later environments. Python itself checks bytecode against its source's size and time: so does this
program before it links, and whatever does not fit is compiled.

Arguments: the prefix and the folder that keeps bytecode. Prints JSON: {"bytes", "files", "compiled", "linked"}.
"""

from __future__ import annotations

import glob
import hashlib
import importlib.util
import json
import os
import py_compile
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator

_MODULES_A_PROCESS = 40
"""Fewer modules than that compile faster than another process starts. Measured roughly on two cores."""


def main(prefix: str, store: str) -> None:
    """Finish the environment; safe to repeat."""
    linked = 0
    missing: list[str] = []
    kept_later: list[tuple[str, list[str]]] = []
    for site in sorted(set(map(os.path.realpath, glob.glob(os.path.join(prefix, "lib", "python3*", "site-packages"))))):
        known: set[str] = set()
        for modules, key in _distributions(site):
            kept = os.path.join(store, key)
            absent = [module for index, module in enumerate(modules) if not _link(kept, index, module)]
            linked += len(modules) - len(absent)
            missing += absent
            known.update(modules)
            if absent and not os.path.isdir(kept):
                kept_later.append((kept, modules))
        missing += [module for module in _modules_below(site) if module not in known and not _is_current(module)]
    compiled = _compile(missing)
    for kept, modules in kept_later:
        _keep(store, kept, modules)
    size, files = _close(prefix)
    json.dump({"bytes": size, "files": files, "compiled": compiled, "linked": linked}, sys.stdout)


def _distributions(site: str) -> Iterator[tuple[list[str], str]]:
    """The modules of each installed distribution, with a key by content and kind of bytecode."""
    for record in sorted(glob.glob(os.path.join(glob.escape(site), "*.dist-info", "RECORD"))):
        with open(record, encoding="utf-8", errors="replace") as lines:
            sources = sorted(
                line.strip() for line in lines if ".py,sha256=" in line and not line.startswith(("..", "/"))
            )
        if sources:
            named = "\n".join([importlib.util.MAGIC_NUMBER.hex(), sys.implementation.cache_tag, *sources])
            modules = [os.path.join(site, source.rsplit(",", 2)[0].strip('"')) for source in sources]
            yield modules, hashlib.sha256(named.encode()).hexdigest()


def _modules_below(site: str) -> Iterator[str]:
    for parent, folders, names in os.walk(site):
        folders[:] = [folder for folder in folders if folder != "__pycache__"]
        for name in names:
            if name.endswith(".py"):
                yield os.path.join(parent, name)


def _is_current(module: str, bytecode: str | None = None) -> bool:
    """Whether bytecode (by default the module's own) belongs to the module as it is."""
    try:
        with open(bytecode or importlib.util.cache_from_source(module), "rb") as file:
            head = file.read(16)
        source = os.stat(module)
    except OSError:
        return False
    expected = (int(source.st_mtime) & 0xFFFFFFFF).to_bytes(4, "little") + (source.st_size & 0xFFFFFFFF).to_bytes(
        4, "little"
    )
    return head == importlib.util.MAGIC_NUMBER + b"\0\0\0\0" + expected


def _link(kept: str, index: int, module: str) -> bool:
    """Give a module its kept bytecode; False if there is none that fits."""
    bytecode = os.path.join(kept, str(index))
    if not _is_current(module, bytecode):
        return _is_current(module)
    target = importlib.util.cache_from_source(module)
    try:
        os.link(bytecode, target)
    except FileExistsError:
        return _is_current(module)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.link(bytecode, target)
    except OSError:  # another file system, or links forbidden
        shutil.copyfile(bytecode, target)
    return True


def _compile(modules: list[str]) -> int:
    """Compile modules on all processors; returns how many. Those that do not compile are left: packages carry some."""
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
    return len(modules)


def _compile_here(modules: list[str]) -> None:
    for module in modules:
        try:
            py_compile.compile(module, doraise=True, quiet=2)
        except (py_compile.PyCompileError, OSError, ValueError, RecursionError):
            continue


def _keep(store: str, kept: str, modules: list[str]) -> None:
    """Keep a distribution's bytecode for later environments; made aside, then renamed: whole or absent."""
    aside = tempfile.mkdtemp(dir=store)
    for index, module in enumerate(modules):
        if _is_current(module):
            try:
                os.link(importlib.util.cache_from_source(module), os.path.join(aside, str(index)))
            except OSError:
                continue
    try:
        os.rename(aside, kept)
    except OSError:  # another build kept the same meanwhile
        shutil.rmtree(aside, ignore_errors=True)


def _close(prefix: str) -> tuple[int, int]:
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
