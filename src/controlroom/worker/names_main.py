"""Gives the user that a robot runs as a name, where the machine has none for it and no sandbox shows the robot one.

Robots' interpreters import this file as `sitecustomize` when they start, because its folder is the first of their
PYTHONPATH. It takes the folder out of `sys.path`, adds one account and one group to what `pwd` and `grp` answer, and
hands over to the `sitecustomize` that would have been found without it. It must be readable by every Python 3, and
import little.
"""

# Why no annotations and no pathlib: the oldest Python must read this file, and nothing may be imported without need
# ruff: noqa: ANN001, ANN002, ANN202, PLC0415, PTH100, PTH120
# mypy: ignore-errors

import os
import sys


def _add(module, by_number, by_name, everything, entry):
    """Let a module of accounts know one more entry, unless it knows its number already."""
    name, number = entry[0], entry[2]
    numbered, named, everyone = (getattr(module, each) for each in (by_number, by_name, everything))
    try:
        numbered(number)
    except KeyError:
        pass
    else:
        return

    def get_by_number(asked, *rest):
        return entry if asked == number and not rest else numbered(asked, *rest)

    def get_by_name(asked, *rest):
        return entry if asked == name and not rest else named(asked, *rest)

    def get_all():
        return everyone() + [entry]  # noqa: RUF005 - as long as Python 3.4 reads it

    for original, replacement in ((by_number, get_by_number), (by_name, get_by_name), (everything, get_all)):
        replacement.__name__ = replacement.__qualname__ = original
        replacement.__doc__ = getattr(module, original).__doc__
        setattr(module, original, replacement)


def _name_the_user():
    import grp
    import pwd

    name, home = os.environ.get("USER") or "robot", os.environ.get("HOME") or "/"
    account = pwd.struct_passwd((name, "x", os.getuid(), os.getgid(), name, home, "/bin/sh"))
    _add(pwd, "getpwuid", "getpwnam", "getpwall", account)
    _add(grp, "getgrgid", "getgrnam", "getgrall", grp.struct_group((name, "x", os.getgid(), [])))


def _hand_over():
    """Import the `sitecustomize` behind this one, if there is one."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [folder for folder in sys.path if folder != here]
    sys.path_importer_cache.pop(here, None)
    own = sys.modules.pop(__name__, None)
    try:
        import sitecustomize  # noqa: F401
    except ImportError as error:
        if error.name != "sitecustomize":
            raise
    sys.modules.setdefault(__name__, own)


_name_the_user()
_hand_over()
