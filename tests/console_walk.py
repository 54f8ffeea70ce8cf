"""All of the console as its routes and its pages tell it: addresses, and forms with what stands in their fields."""

import re
from collections import deque
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from controlroom.border.routing import handlers_of
from controlroom.ui.app import modules
from controlroom.ui.routing import ABOVE

PER_ROUTE = 2
"""Addresses of a route that are opened."""


@dataclass
class Form:
    """What a page has somebody post."""

    action: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    is_upload: bool = False


class _Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.links, self.forms = [], []
        self._form = self._select = None

    def handle_starttag(self, tag, attrs):
        of = dict(attrs)
        if tag == "a" and of.get("href"):
            self.links.append(of["href"])
        elif tag == "form":
            is_post = (of.get("method") or "").lower() == "post"
            self._form = Form(of.get("action") or "", is_upload="multipart" in (of.get("enctype") or ""))
            if is_post:
                self.forms.append(self._form)
        elif tag == "select":
            self._select = of.get("name")
            self._chosen = None
        elif tag == "option" and self._form and self._select:
            if self._chosen is None or "selected" in of:
                if self._chosen is not None:
                    self._form.fields.pop()
                self._chosen = of.get("value") or ""
                self._form.fields.append((self._select, self._chosen))
        elif tag in {"input", "textarea", "button"} and self._form and of.get("name"):
            is_sent = "checked" in of or of.get("type") not in {"checkbox", "radio"}
            self._form.fields += [(of["name"], of.get("value") or "")] if is_sent else []

    def handle_endtag(self, tag):
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = None


def read(html):
    """Its links, and the forms that post."""
    reader = _Reader()
    reader.feed(html)
    return reader.links, reader.forms


def undo_of(page: str) -> Form:
    """The form that takes back what the page says was done."""
    toasts = page[page.index("data-toasts") :]
    [form] = [each for each in read(toasts)[1] if each.action]
    return form


def routes(method):
    """All paths by this method, whole, with whether they lie in a workspace."""
    found = {}
    for handler in handlers_of(modules()):
        if method in handler.http_methods:
            for path in handler.paths:
                found[path if ABOVE in handler.opt else f"/w/{{workspace:str}}{path}".rstrip("/")] = handler
    return found


def route_of(path, known):
    """Which of the routes it is, the one with the fewest braces first."""
    for route in sorted(known, key=lambda each: each.count("{")):
        if re.fullmatch(re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(route)).replace("\\ ", " "), path):
            return route
    return None


async def walked(browser, *, starts=("",)):
    """Open all that links lead to, some of each route: the answers by address, and the forms by action's route."""
    pages, verbs = routes("GET"), routes("POST")
    waiting, opened, of_route, forms = deque(browser.path(each) for each in starts), {}, {}, {}
    while waiting:
        address = waiting.popleft()
        route = route_of(urlsplit(address).path, pages)
        if route is None or address in opened or of_route.get(route, 0) >= PER_ROUTE or route.endswith("/events"):
            continue
        of_route[route] = of_route.get(route, 0) + 1
        answer = await browser.http.get(address, headers={"Accept": "text/html"})
        opened[address] = answer
        if "text/html" not in answer.headers.get("content-type", ""):
            continue
        links, found = read(answer.text)
        for each in found:
            action = urlsplit(urljoin(address, unescape(each.action))).path
            each.action = action
            forms.setdefault(route_of(action, verbs), {}).setdefault(action, each)
        for link in links:
            to = urljoin(address, link).partition("#")[0]
            if to.startswith((browser.base, "/me", "/admin", "/search", "/ui")):
                waiting.append(to)
    return opened, forms
