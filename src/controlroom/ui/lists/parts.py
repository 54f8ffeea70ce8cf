"""What is drawn round the rows of a list: its columns, tabs, chips, heads, and how far a search went."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from msgspec import Struct


class Col(Struct, frozen=True):
    """A column."""

    key: str
    name: str
    sort: str = ""
    """The listing's field by which its head sorts."""
    is_number: bool = False
    always: bool = False
    """Whether it cannot be hidden."""
    by_default: bool = True
    csv: Callable[[Any], Any] | None = None
    """What CSV says of a row; None: the row's attribute of this name, if it has one."""


class Link(Struct, frozen=True):
    """A tab as it is drawn."""

    name: str
    href: str
    current: bool
    figure: int | None = None
    bad: str = ""
    key: str = ""
    is_more: bool = False
    """Whether there are more than the figure says."""


class Chip(Struct, frozen=True):
    """A filter that is set, and the address without it."""

    name: str
    value: str
    without: str


class Head(Struct, frozen=True):
    """The head of a column that is shown."""

    col: Col
    href: str
    """Sorted by it; the other way, where it is already. Empty where it does not sort."""
    way: str
    """`ascending`, `descending`, or empty."""


class Looked(Struct, frozen=True):
    """How far a search went that no index serves."""

    through: int
    """Rows that were looked at for this page."""
    reached: datetime | None
    """When the last of them was made; None: all were looked at."""


class View(Struct, frozen=True):
    """A saved view in the menu of its list."""

    name: str
    href: str
    is_current: bool
    is_shared: bool


class Saved(Struct, frozen=True):
    """The saved views of a list, and what would be saved of it now."""

    of: str
    """The list's name, as views know it."""
    views: list[View]
    query: str
    managed: str
    """Where views are saved and changed."""
    may_share: bool

    @property
    def shown(self) -> str:
        """The name of the view that the page shows; empty if it shows none."""
        return next((each.name for each in self.views if each.is_current), "")
