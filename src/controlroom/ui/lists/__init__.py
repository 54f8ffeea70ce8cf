"""The skeleton of every list of the console: `ListPage`, and what a noun declares of its list."""

from controlroom.ui.lists.parts import Col, Link
from controlroom.ui.lists.skeleton import LENGTH, ListPage, Row

__all__ = ["LENGTH", "Col", "Link", "ListPage", "Row"]
