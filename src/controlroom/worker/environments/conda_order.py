"""What the program `conda_install` is told and answers.

Apart from it: a program that its own package imports makes Python warn, in the robot's console, when it is started.
"""

import msgspec

UNSOLVABLE = 4
"""The exit code when the channels were read, and have nothing that answers the order."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What to install where."""

    channels: tuple[str, ...]
    channel_alias: str
    specs: tuple[str, ...]
    prefix: str
    cache: str
    """Downloads and unpacked packages."""

    exclude_newer: str = ""
    """A time with its zone; packages that are newer do not count."""
    uid: int | None = None
    gid: int | None = None


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What was installed."""

    packages: int
    undated: tuple[str, ...] = ()
    """What was taken although the channel tells no date of it."""
    activation: str
    """A bash script that activates the environment."""
