"""What a page is asked, and how it answers: the border's request, with the frame round the answer."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from functools import cached_property
from typing import Any, Final
from urllib.parse import parse_qsl

from litestar.params import FromPath as Path
from litestar.params import FromQuery as Query
from msgspec.structs import replace

from controlroom.border import asking
from controlroom.border.asking import Permission
from controlroom.border.credentials import header_of
from controlroom.engine.access.scope import Of, scope_of
from controlroom.engine.access.scope import Scope as Seen
from controlroom.engine.nudges.feed import Feed
from controlroom.engine.statistics.beside import beside
from controlroom.engine.workspaces.model import Workspace
from controlroom.errors import Forbidden, Invalid, NotFound
from controlroom.ids import WorkspaceId
from controlroom.ui import cookies
from controlroom.ui import undo as undoing
from controlroom.ui.addresses import Workspaces
from controlroom.ui.around import Around
from controlroom.ui.frame import DENSITIES, THEMES, Crumb, Frame, Look, apart, counts_of, groups_for, on_phone
from controlroom.ui.live.streams import Streams
from controlroom.ui.rendering import Reader, Shown, UnknownPart, elsewhere, zone_of
from controlroom.ui.rights import Asker, Rights
from controlroom.ui.routing import Place
from controlroom.ui.undo import COOKIE as UNDO
from controlroom.ui.undo import Undo

__all__ = ["Asking", "Crumb", "Fields", "Path", "Permission", "Query", "Shown", "elsewhere"]

_READING: Final = frozenset({"GET", "HEAD"})
_MOST_FORM_BYTES: Final = 8 << 20
_MOST_FIELDS: Final = 5000
_MOST_PARTS: Final = 20


class Fields:
    """A form as it was sent."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self._pairs = pairs

    def text(self, name: str, default: str = "") -> str:
        """A field, without spaces at its ends."""
        return next((value.strip() for key, value in self._pairs if key == name), default)

    def raw(self, name: str) -> str:
        """A field as it is: a password."""
        return next((value for key, value in self._pairs if key == name), "")

    def raws(self, name: str) -> list[str]:
        """All values of a field as they are."""
        return [value for key, value in self._pairs if key == name]

    def texts(self, name: str) -> list[str]:
        """All values of a field: ticks."""
        return [value.strip() for key, value in self._pairs if key == name]

    def listed(self, name: str) -> list[str]:
        """What is typed into one field with commas or line ends between: names, which may have blanks in them."""
        return [each.strip() for each in self.text(name).replace("\n", ",").split(",") if each.strip()]

    def words(self, name: str) -> list[str]:
        """What is typed into one field with commas, semicolons or blanks between: addresses, codes, numbers."""
        return self.text(name).replace(",", " ").replace(";", " ").split()

    def has(self, name: str) -> bool:
        """Whether it was sent at all: a tick, a button."""
        return any(key == name for key, _ in self._pairs)

    def with_texts(self, values: Mapping[str, str]) -> "Fields":
        """The same with other values of some fields."""
        return Fields([(key, values.get(key, value)) for key, value in self._pairs])

    def names(self) -> list[str]:
        """Which fields were sent, each once, in their order."""
        return list(dict.fromkeys(key for key, _ in self._pairs))


class Asking(asking.Asking):
    """A request of a page."""

    @cached_property
    def cookie(self) -> dict[str, str]:
        """The cookies."""
        return dict(cookies.cookies_of(self.scope))

    @property
    def here(self) -> Workspace:
        """The workspace of the address, with its name."""
        workspace: Workspace = self.scope["state"]["workspace"]
        return workspace

    @property
    def workspace(self) -> WorkspaceId:
        """Its id."""
        return self.here.id

    def scope_for(self, permission: Permission) -> Seen:
        """The workspace, for a verb that must find what it is asked for before it acts. Raises Forbidden."""
        return scope_of(self.actor, permission, self.workspace)

    @property
    def workspaces(self) -> Workspaces:
        """All that the actor may enter."""
        found: Workspaces = self.scope["state"]["workspaces"]
        return found

    @property
    def base(self) -> str:
        """What addresses in the workspace begin with; empty above workspaces."""
        slug = self.scope["state"].get("slug")
        return f"/w/{slug}" if slug else ""

    def way(self, *steps: tuple[str, str] | str | None) -> list[Crumb]:
        """The crumbs to a page: names with their paths below the workspace, what is here by its name, None left out."""
        given = (step for step in steps if step)
        return [Crumb(s) if isinstance(s, str) else Crumb(s[0], f"{self.base}{s[1]}") for s in given]

    @property
    def feed(self) -> Feed:
        """The reader of what happens, for those who watch."""
        feed: Feed = self.app.state.feed
        return feed

    @property
    def streams(self) -> Streams:
        """Whose streams are open."""
        found: Streams = self.app.state.streams
        return found

    @property
    def part(self) -> str | None:
        """The part of the page that is asked again, or several with commas; None for all of it."""
        return self.query_params.get("part")

    @cached_property
    def parts(self) -> tuple[str, ...]:
        """The parts that are asked again, each once; none for the whole page."""
        return tuple(dict.fromkeys((self.part or "").split(",")[:_MOST_PARTS])) if self.part is not None else ()

    def wants(self, *parts: str) -> bool:
        """Whether any of these parts will be shown, so that what they need must be read."""
        return not self.parts or any(each in self.parts for each in parts)

    @property
    def is_from_script(self) -> bool:
        """Whether htmx asks, and puts the answer into a page."""
        return header_of(self.scope, b"hx-request") == "true"

    @cached_property
    def look(self) -> Look:
        """How the browser wants its pages; what it has made up is as if it had said nothing."""
        theme, density, zone = (
            cookies.remembered_of(self.cookie, name) for name in (cookies.THEME, cookies.DENSITY, cookies.ZONE)
        )
        return Look(
            theme=theme if theme in THEMES else "auto",
            density=density if density in DENSITIES else "normal",
            zone=zone if zone_of(zone) else "",
            keys="off" if self.cookie.get(cookies.KEYS) == "off" else "on",
        )

    @cached_property
    def reader(self) -> Reader:
        """Who reads: when, and in which zone."""
        name = self.look.zone or "UTC"
        return Reader(datetime.now(UTC), zone_of(name) or UTC, name)

    @property
    def around(self) -> Around:
        """What of the room stands beside the engine."""
        found: Around = self.app.state.around
        return found

    @cached_property
    def asker(self) -> Asker:
        """Who looks at the page, and what is known of their rights."""
        state = self.scope["state"]
        workspace = state.get("workspace")
        return Asker(
            actor=state.get("caller"),
            workspace=None if workspace is None else workspace.id,
            workspaces=state.get("workspaces"),
            path=self.scope["path"],
        )

    def holds_rights(self, rights: Iterable[Enum]) -> None:
        """What the actor may do with the thing of the page: its forms are theirs who have the right (`held`)."""
        self.asker.held |= frozenset(rights)

    def may_post(self, address: str) -> bool:
        """Whether the form of a verb is for the actor."""
        rights: Rights = self.app.state.rights
        return rights.may_post(self.asker, address)

    def may_open(self, address: str) -> bool:
        """Whether a page is for the actor."""
        rights: Rights = self.app.state.rights
        return rights.may_open(self.asker, address)

    async def fields(self) -> Fields:
        """The form that was posted. Raises Invalid for what is none, or too large."""
        kind = header_of(self.scope, b"content-type").partition(";")[0].strip().lower()
        body = await self.body()
        if kind not in {"", "application/x-www-form-urlencoded"} or len(body) > _MOST_FORM_BYTES:
            raise Invalid("This form cannot be read.", code="MALFORMED_FORM")
        try:
            pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
        except ValueError as broken:
            raise Invalid("This form cannot be read.", code="MALFORMED_FORM") from broken
        if any("\0" in value for _, value in pairs):
            raise Invalid("A field has a character that no text has.", code="MALFORMED_FORM")
        return Fields(pairs)

    def frame(
        self,
        title: str,
        *,
        at: str = "",
        crumbs: Sequence[Crumb] = (),
        mark: str = "idle",
        has_menu: bool = False,
    ) -> Frame:
        """What stands round a page of this title."""
        state = self.scope["state"]
        workspace = state.get("workspace")
        places: Sequence[Place] = self.app.state.places
        groups = groups_for(places, self.actor, workspace, self.base)
        query = self.scope["query_string"].decode("latin-1")
        return Frame(
            title=title,
            at=at,
            crumbs=crumbs,
            actor=self.actor,
            workspace=workspace,
            base=self.base,
            workspaces=self.workspaces,
            groups=groups,
            phone=on_phone(groups),
            look=self.look,
            path=self.scope["path"] + (f"?{query}" if query else ""),
            clock_zone=self.reader.zone_name,
            said=cookies.remembered_of(self.cookie, cookies.SAID),
            undo=undoing.found(self.engine.keys, self.actor, of_last) if (of_last := self.cookie.get(UNDO)) else None,
            mark=mark,
            has_menu=has_menu,
            can_search=self.app.state.can_search,
            themes=THEMES,
            densities=DENSITIES,
            heard_until=state.get("heard_until", ""),
        )

    async def show(
        self,
        template: str,
        *,
        title: str,
        at: str = "",
        crumbs: Sequence[Crumb] = (),
        mark: str = "idle",
        has_menu: bool = False,
        status: int = 200,
        **values: Any,
    ) -> Shown:
        """The page, or the part of it that was asked.

        Raises NotFound for a part that it does not have, Forbidden for a form that is not the actor's to post.
        """
        if self.method in _READING and not self.may_open(""):
            raise Forbidden("This form is not yours to post.", code="PERMISSION_MISSING")
        frame = self.frame(title, at=at, crumbs=crumbs, mark=mark, has_menu=has_menu)
        if frame.workspace is not None and self.wants("side"):
            seen = Of(self.actor.organization_id, (frame.workspace.id,))
            found = await beside(self.db, seen)
            groups, rare = apart(frame.groups, self.app.state.places, found.has, frame.at)
            frame = replace(frame, counts=counts_of(found), groups=groups, rare=rare)
        values |= {"frame": frame, "base": self.base, "request": self, "now": self.reader.now}
        try:
            body = self.app.state.templates.render(template, values, self.reader, self.parts, self)
        except UnknownPart as unknown:
            raise NotFound(f"This page has no part {unknown.name[:40]}.", code="PART_UNKNOWN") from unknown
        headers = []
        if self.part is None:
            if frame.said:
                headers.append(cookies.kept(cookies.SAID, "", origin=self.origin, seconds=0))
            if frame.undo is not None:
                headers.append(cookies.kept(UNDO, "", origin=self.origin, seconds=0))
            if (slug := self.scope["state"].get("slug")) and cookies.remembered_of(self.cookie, cookies.LAST) != slug:
                headers.append(cookies.remembered(cookies.LAST, slug, self.origin))
        return Shown(body, status_code=status, headers=headers)

    def done(self, to: str, said: str = "", *, undo: str = "", undo_with: Mapping[str, str] | None = None) -> Shown:
        """The answer of a verb that is done: another page of ours, which says so.

        `undo` is the address of the verb that takes it back, `undo_with` what its form says: the page offers it.
        """
        headers = [cookies.said(said, self.origin)] if said else []
        if undo:
            headers += undoing.offered(self.engine.keys, self.actor, Undo(undo, dict(undo_with or {})), self.origin)
        return elsewhere(to, headers)


def own_path(text: str, otherwise: str = "/") -> str:
    """A path of ours that a form was given to lead back to; what is no such is another one's address."""
    is_own = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable() and text.isascii()
    return text if is_own and len(text) < 2000 else otherwise  # noqa: PLR2004 - longer than any address of ours
