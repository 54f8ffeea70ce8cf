"""Who may post a form: each verb's route says it, and the pages that have its form ask here.

    @verb("/queues/{number:str}/pause", may=either(Permission.GOVERN_QUEUES, Permission.WRITE_PROCESSES))

A verb without `may` asks for what the page at its own address needs. A template draws a form that posts, and a link to
the page of one, for those alone who may (`rendering.py` puts the question round each of them); and the page at a verb's
address is that form, for the same people. Nothing here lets anybody do anything: the engine's action asks for itself,
and what is said here of it is kept true by a test.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any, Final, TypeAlias
from urllib.parse import unquote

from msgspec import Struct

from controlroom.border.asking import NEEDS
from controlroom.engine.access.model import Actor, Permission
from controlroom.ids import WorkspaceId
from controlroom.ui.addresses import Workspaces
from controlroom.ui.routing import IS_READ, MAY, PREFIX_OF_A_WORKSPACE, is_above


class Asker(Struct):
    """Who looks at a page, where, and what its handler knows of their rights to the thing that it shows."""

    actor: Actor | None
    workspace: WorkspaceId | None
    workspaces: Workspaces | None
    path: str
    held: frozenset[Enum] = frozenset()

    def may(self, *permissions: Permission) -> bool:
        """All of these, in the workspace of the page."""
        return self.actor is not None and all(self.actor.may(each, self.workspace) for each in permissions)


Test: TypeAlias = Callable[[Asker, Mapping[str, str]], bool]
"""Whether somebody may, of what an address names."""
May: TypeAlias = Permission | tuple[Permission, ...] | Test


def everybody(_: Asker, __: Mapping[str, str]) -> bool:
    """Whoever sees the form: it is about themselves."""
    return True


def admins(asker: Asker, _: Mapping[str, str]) -> bool:
    """Who governs the room."""
    return asker.actor is not None and asker.actor.is_admin


def either(*permissions: Permission) -> Test:
    """One of these, in the workspace."""
    return lambda asker, _: any(asker.may(each) for each in permissions)


def every(*tests: "May") -> Test:
    """All of these."""
    return lambda asker, named: all(_lets(each, asker, named) for each in tests)


def in_organization(*permissions: Permission) -> Test:
    """All of these in the organization."""
    return lambda asker, _: asker.actor is not None and all(asker.actor.may(each, None) for each in permissions)


def anywhere(*permissions: Permission) -> Test:
    """One of these, in the organization or in any workspace."""

    def has(asker: Asker, _: Mapping[str, str]) -> bool:
        actor = asker.actor
        return actor is not None and any(
            actor.may(each, place) for each in permissions for place in (None, *actor.grants)
        )

    return has


def held(*rights: Enum) -> Test:
    """One of these rights to the thing that the page shows, as its handler has learnt it: `request.holds_rights`."""
    return lambda asker, _: not asker.held.isdisjoint(rights)


class _Node:
    """A step of addresses."""

    def __init__(self) -> None:
        self.below: dict[str, _Node] = {}
        self.named: dict[str, _Node] = {}
        self.handler: Any = None


class Paths:
    """Routes by their addresses: the nearest is the one with most words of its own."""

    def __init__(self, routes: Iterable[tuple[str, Any]]) -> None:
        self._root = _Node()
        for path, handler in routes:
            self._add(path, handler)

    def _add(self, path: str, handler: Any) -> None:
        node = self._root
        for step in _steps(path):
            if step.startswith("{"):
                node = node.named.setdefault(step[1:-1].partition(":")[0], _Node())
            else:
                node = node.below.setdefault(step, _Node())
        node.handler = handler

    def find(self, path: str) -> tuple[Any, dict[str, str]] | None:
        """The route of an address, with what stands in it."""
        return self._find(self._root, _steps(path), 0)

    def _find(self, node: _Node, steps: list[str], at: int) -> tuple[Any, dict[str, str]] | None:
        if at == len(steps):
            return None if node.handler is None else (node.handler, {})
        if (below := node.below.get(steps[at])) and (found := self._find(below, steps, at + 1)):
            return found
        for name, named in node.named.items():
            if found := self._find(named, steps, at + 1):
                return found[0], {name: unquote(steps[at]), **found[1]}
        return None


def _steps(path: str) -> list[str]:
    return [step for step in path.split("/") if step]


class Rights:
    """What all verbs ask for."""

    def __init__(self, handlers: Iterable[Any]) -> None:
        known = list(handlers)
        self.pages = Paths(_routes(known, "GET"))
        self.verbs = Paths(_routes(known, "POST"))
        pages = dict(_routes(known, "GET"))
        verbs = dict(_routes(known, "POST"))
        self._form_of = {id(page): verbs[path] for path, page in pages.items() if path in verbs}
        self._of = {id(verb): (verb, _may_of(verb, pages.get(path))) for path, verb in _routes(known, "POST")}

    def may_post(self, asker: Asker, address: str) -> bool:
        """Whether a form to this address is for them. What is no address of a verb is no form of ours."""
        path = _path(address) or asker.path
        found = self.verbs.find(path)
        return found is None or _lets(self._of[id(found[0])][1], asker, found[1])

    def may_open(self, asker: Asker, address: str) -> bool:
        """Whether a page is for them: they have what it needs, and may post the form that it is."""
        path = _path(address) or asker.path
        found = self.pages.find(path)
        if found is None:
            return True
        page, named = found
        needs = page.opt.get(NEEDS, ())
        if not is_above(page) and not _lets(needs if isinstance(needs, tuple) else (needs,), asker, named):
            return False
        form = None if IS_READ in page.opt else self._form_of.get(id(page))
        return form is None or _lets(self._of[id(form)][1], asker, named)

    def undeclared(self) -> list[Any]:
        """Verbs of which nothing is known, whose forms nobody sees."""
        return [verb for verb, may in self._of.values() if may is None]


def _routes(handlers: Iterable[Any], method: str) -> list[tuple[str, Any]]:
    return [
        (path if is_above(each) else f"{PREFIX_OF_A_WORKSPACE}{path}".rstrip("/"), each)
        for each in handlers
        if method in each.http_methods
        for path in each.paths
    ]


def _may_of(verb: Any, page: Any) -> May | None:
    if MAY in verb.opt:
        declared: May = verb.opt[MAY]
        return declared
    needs = () if page is None or IS_READ in page.opt else page.opt.get(NEEDS, ())
    needs = needs if isinstance(needs, tuple) else (needs,)
    return needs if any(not each.value.endswith(".read") for each in needs) else None


def _lets(may: May | None, asker: Asker, named: Mapping[str, str]) -> bool:
    if may is None:
        return False
    if isinstance(may, Permission):
        return asker.may(may)
    return asker.may(*may) if isinstance(may, tuple) else may(asker, named)


_PATH: Final = re.compile(r"^[^?#]*")


def _path(address: str) -> str:
    found = _PATH.match(address)
    return found[0] if found else ""
