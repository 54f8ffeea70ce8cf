"""What stands round a page: the side bar with what the actor may open, the top bar, who reads, and how it looks."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from msgspec import Struct

from controlroom import __version__
from controlroom.engine.access.model import Actor
from controlroom.engine.statistics.beside import MOST, Beside
from controlroom.engine.workspaces.model import Workspace
from controlroom.ui.addresses import Workspaces
from controlroom.ui.routing import GROUPS, ON_PHONES, Place
from controlroom.ui.undo import Undo

THEMES: Final[Mapping[str, str]] = {"auto": "As the system", "light": "Light", "dark": "Dark"}
DENSITIES: Final[Mapping[str, str]] = {"compact": "Compact", "normal": "Normal", "roomy": "Roomy"}


_IN_TITLES: Final[Mapping[str, str]] = {"idle": "", "run": "▸ ", "ok": "✓ ", "bad": "✗ ", "warn": "! "}


class Crumb(Struct, frozen=True):
    """A step of the way to a page."""

    name: str
    href: str | None = None


class Entry(Struct, frozen=True):
    """An entry of the side bar."""

    at: str
    name: str
    href: str
    icon: str


class Count(Struct, frozen=True):
    """A number beside a place: what is now, or what is wrong."""

    number: int
    said: str
    is_wrong: bool = False

    @property
    def shown(self) -> str:
        """As it is written."""
        return f"{self.number}" if self.number <= MOST else f"{MOST}+"


def counts_of(found: Beside) -> dict[str, Count]:
    """Those that say something."""
    counts = {
        "runs": Count(found.running, "in progress"),
        "items": Count(found.failed, "failed", is_wrong=True),
        "workers": Count(found.silent, "silent", is_wrong=True),
    }
    return {at: each for at, each in counts.items() if each.number}


class Look(Struct, frozen=True):
    """How a browser wants its pages."""

    theme: str = "auto"
    density: str = "normal"
    zone: str = ""
    keys: str = "on"


class Frame(Struct, frozen=True, kw_only=True):
    """What the template of all pages is given."""

    title: str
    at: str
    crumbs: Sequence[Crumb]
    actor: Actor
    workspace: Workspace | None
    base: str
    """`/w/{slug}`: what addresses in the workspace begin with; empty above workspaces."""
    workspaces: Workspaces
    groups: Sequence[tuple[str, Sequence[Entry]]]
    phone: Sequence[Entry]
    look: Look
    path: str
    """The page's own address, with its query."""
    clock_zone: str
    said: str
    undo: Undo | None
    """What takes back what is said to be done."""
    mark: str
    """The icon of the browser's tab, which stands in its title as well: `idle`, `run`, `ok`, `bad` or `warn`."""
    has_menu: bool
    can_search: bool
    themes: Mapping[str, str]
    densities: Mapping[str, str]
    heard_until: str
    """The place in the record of events up to which the page shows what happened."""
    rare: Sequence[Entry] = ()
    """Places of things that the workspace has none of, behind *More*."""
    counts: Mapping[str, "Count"] = {}
    """What stands beside places, by `at`."""
    version: str = __version__

    @property
    def tab_title(self) -> str:
        """What the browser's tab says: how the thing is, first."""
        whose = f" · {self.workspace.name}" if self.workspace is not None else ""
        return f"{_IN_TITLES[self.mark]}{self.title}{whose}"


def groups_for(
    places: Sequence[Place], actor: Actor, workspace: Workspace | None, base: str
) -> list[tuple[str, list[Entry]]]:
    """The side bar of an actor: only what they may open, in the order of all."""
    open_to = {each.at: _entry(each, base) for each in places if _is_open(each, actor, workspace)}
    found = [(name, [open_to.pop(at) for at in order if at in open_to]) for name, order in GROUPS]
    found[-1][1].extend(open_to.values())
    return [(name, entries) for name, entries in found if entries]


def apart(
    groups: Sequence[tuple[str, Sequence[Entry]]], places: Sequence[Place], has: Collection[str], at: str
) -> tuple[list[tuple[str, list[Entry]]], list[Entry]]:
    """The side bar without the rare places of which a workspace has nothing, and those; where one is, it stands."""
    rare = {each.at for each in places if each.is_rare and each.at not in has and each.at != at}
    kept = [(name, [entry for entry in entries if entry.at not in rare]) for name, entries in groups]
    return kept, [entry for _, entries in groups for entry in entries if entry.at in rare]


def on_phone(groups: Sequence[tuple[str, Sequence[Entry]]]) -> list[Entry]:
    """What of it stands in the bottom bar."""
    entries = {entry.at: entry for _, group in groups for entry in group}
    return [entries[at] for at in ON_PHONES if at in entries]


def _entry(place: Place, base: str) -> Entry:
    return Entry(place.at, place.name, place.path if place.is_above else f"{base}{place.path}", place.icon)


def _is_open(place: Place, actor: Actor, workspace: Workspace | None) -> bool:
    if place.is_for_admins and not actor.is_admin:
        return False
    if place.throughout is not None and not actor.may(place.throughout, None):
        return False
    if place.is_above:
        return place.needs is None or any(actor.may(place.needs, each) for each in (None, *actor.grants))
    return workspace is not None and (place.needs is None or actor.may(place.needs, workspace.id))
