"""Somebody at the console in a real browser, with or without script, who does what its forms and links let people do.

A story names verbs by their addresses. The form of one must stand on the page that is shown, or behind a link of it,
and can be seen: menus are opened, questions are answered, fields are filled in and a button is pressed, as by hand.
"""

import re
from collections.abc import Callable, Collection, Sequence
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import urlsplit

from playwright.sync_api import Locator, Page

from console_walk import route_of, routes
from consoles import watched

Story = TypeVar("Story", bound=Callable[..., None])
Value = str | bool | Sequence[str] | dict[str, Any]
IN_A_WORKSPACE = "/w/{workspace:str}"
_FORMS = """() => [...document.querySelectorAll('form[method=post]')].map((form, at) => ({
  at, path: new URL(form.getAttribute('action') || '', location.href).pathname,
  fields: [...form.elements].filter(each => each.type !== 'hidden').map(each => each.name),
  buttons: [...form.elements].filter(each => each.type === 'submit').map(each => each.textContent.trim()),
  asks: !!form.closest('dialog')}))"""
_LINKS = """() => [...document.querySelectorAll('main a[href], dialog[open] a[href]')]
  .map((link, at) => ({at, path: new URL(link.getAttribute('href'), location.href).pathname}))"""


def walks(*beginnings: str, but: Collection[str] = ()) -> Callable[[Story], Story]:
    """A `hand`'s story, which walks all verbs whose addresses begin so: below the workspace, or whole by two slashes.

    `but` are routes among them that another test walks. `tests/ui/test_stories.py` reads what all stories walk.
    """

    def walking(story: Story) -> Story:
        @wraps(story)
        def told(**named: Any) -> None:
            story(**named)
            missed = told.walks - named["hand"].walked  # type: ignore[attr-defined]
            assert not missed, sorted(missed)

        told.walks = verbs_of(beginnings) - set(but)  # type: ignore[attr-defined]
        return told  # type: ignore[return-value]

    return walking


def verbs_of(beginnings: Sequence[str]) -> set[str]:
    """The routes of verbs whose addresses begin so, step by step."""
    whole = [each[1:] if each.startswith("//") else IN_A_WORKSPACE + each for each in beginnings]
    known = routes("POST")
    lost = [one for one in whole if not any(f"{route}/".startswith(f"{one}/") for route in known)]
    assert not lost, f"no verb begins so: {lost}"
    return {route for route in known if any(f"{route}/".startswith(f"{one}/") for one in whole)}


class Hand:
    """Who does it, in a workspace."""

    def __init__(self, page: Page, url: str, base: str) -> None:
        self.page, self.base = page, base
        self.walked: set[str] = set()
        """Routes of the verbs that were done."""
        self.url = url
        self.complaints = watched(page)

    @property
    def has_script(self) -> bool:
        """Whether the browser runs the scripts of pages."""
        return bool(self.page.evaluate("typeof htmx") != "undefined")

    def open(self, path: str) -> None:
        """A page below the workspace; one with two slashes lies above."""
        answer = self.page.goto(self.url + self._whole(path))
        assert answer is not None
        assert answer.ok, (path, answer.status)

    def number(self, noun: str, id_: object) -> str:
        """Open the page of a thing by its id; the number by which the console calls it."""
        self.open(f"{noun}/{id_}")
        return urlsplit(self.page.url).path.rpartition("/")[2]

    def do(self, verb: str, *, press: str = "", refused: str = "", **fields: Value) -> str:
        """Have a verb done, from the page that is shown; what stands last in the address that it leads to.

        A step of the address that is `*` is what stands there. A field's value is what is typed or chosen, true or
        false for a tick, or a list of those to be ticked. `press` is on the button, where there are several; `refused`
        is what the page says that does not do it.
        """
        form = self._form(verb, press, fields)
        if form is None:
            links = [each["at"] for each in self.page.evaluate(_LINKS) if self._leads(each["path"], verb)]
            said = self.page.locator("main").inner_text()[:1000]
            assert links, f"neither a form nor a link to {verb} on {self.page.url}: {said}"
            self._follow(links)
            form = self._form(verb, press, fields)
            assert form is not None, f"no such form for {verb} where its link leads: {self.page.url}"
        self._unfold(form)
        for name, value in fields.items():
            self._fill(form, name, value)
        self._submit(form, press, refused=refused)
        if refused:
            self.says(refused)
        return urlsplit(self.page.url).path.rpartition("/")[2]

    def offers(self, verb: str) -> bool:
        """Whether the page that is shown has a form of the verb."""
        return self._form(verb, "", ()) is not None

    def undo(self) -> None:
        """Take back what was just done, by the button beside the words."""
        self._submit(self.page.locator(".toast form"), "Undo")

    def says(self, text: str) -> None:
        """The page that is shown says so, where it can be seen."""
        self.page.locator("body").get_by_text(text).filter(visible=True).first.wait_for()

    def titled(self, text: str) -> None:
        """This is the title of the page that is shown."""
        title = self.page.locator("main h1")
        assert title.inner_text() == text, title.inner_text()

    def lacks(self, text: str) -> None:
        """The page's main part does not say so."""
        assert self.page.locator("main").get_by_text(text).filter(visible=True).count() == 0, text

    def link(self, text: str | re.Pattern[str]) -> str:
        """Follow a link of the page's main part; what stands last in the address that it leads to."""
        with self.page.expect_navigation():
            self.page.locator("main").get_by_role("link", name=text, exact=True).first.click()
        return urlsplit(self.page.url).path.rpartition("/")[2]

    def _whole(self, path: str) -> str:
        return path[1:] if path.startswith("//") else self.base + path

    def _leads(self, path: str, verb: str) -> bool:
        return bool(re.fullmatch(re.escape(self._whole(verb)).replace(r"\*", "[^/]+"), path))

    def _form(self, verb: str, press: str, fields: Collection[str]) -> Locator | None:
        """That of the verb with these fields and this button; of several the question over the page, or the first."""
        fits = [
            each
            for each in self.page.evaluate(_FORMS)
            if self._leads(each["path"], verb)
            and set(fields) <= set(each["fields"])
            and (not press or press in each["buttons"])
        ]
        fits.sort(key=lambda each: not each["asks"])
        return self.page.locator("form[method=post]").nth(fits[0]["at"]) if fits else None

    @staticmethod
    def _unfold(each: Locator) -> None:
        for closed in each.locator("xpath=ancestor::details[not(@open)]").all():
            closed.locator("> summary").click()

    def _follow(self, found: Sequence[int]) -> None:
        """Press the first of these links that can be seen: what it leads to is a page, or a question over this one."""
        all_ = self.page.locator("main a[href], dialog[open] a[href]")
        link = next((all_.nth(at) for at in found if all_.nth(at).is_visible()), all_.nth(found[0]))
        self._unfold(link)
        if link.get_attribute("data-dialog") is not None and self.has_script:
            link.click()
            self.page.locator("dialog[open]").wait_for()
        else:
            with self.page.expect_navigation():
                link.click()

    def _fill(self, form: Locator, name: str, value: Value) -> None:
        fields = form.locator(f'[name="{name}"]')
        if not fields.count():  # it stands elsewhere, and says whose it is
            fields = self.page.locator(f'[form="{form.get_attribute("id")}"][name="{name}"]')
        field = fields.first
        self._unfold(field)
        kind = field.evaluate("each => each.type")
        if isinstance(value, dict):
            field.set_input_files(value)
        elif kind == "radio":
            fields.and_(form.locator(f'[value="{value}"]')).check()
        elif isinstance(value, bool):
            field.set_checked(value)
        elif kind == "checkbox":
            for each in [value] if isinstance(value, str) else value:
                fields.and_(form.locator(f'[value="{each}"]')).check()
        elif kind.startswith("select"):
            field.select_option(value)  # by its words or its value
        else:
            assert isinstance(value, str)
            field.fill(value)

    def _submit(self, form: Locator, press: str, *, refused: str = "") -> None:
        """Press its button: a page says what was done, shows what is shown once, or says why it was not."""
        buttons = form.locator("button:not([type=button])")
        if name := form.get_attribute("id"):
            buttons = buttons.or_(self.page.locator(f'button[form="{name}"]'))
        if press:
            buttons = buttons.filter(has_text=re.compile(rf"^\s*{re.escape(press)}\s*$"))
        visible = [each for each in buttons.all() if each.is_visible()]
        assert visible, f"no button to press on {self.page.url}"
        with self.page.expect_navigation() as led:
            visible[-1].click()
        answer = led.value
        asked = answer.request
        while asked.method != "POST" and asked.redirected_from is not None:
            asked = asked.redirected_from
        assert asked.method == "POST", f"{asked.url} was not posted"
        assert answer.ok or refused, (asked.url, answer.status, self._refusal())
        complaints, self.complaints[:] = self.complaints[:], []
        complaints = [each for each in complaints if not refused or f"status of {answer.status}" not in each]
        assert not complaints, (asked.url, complaints)
        route = route_of(urlsplit(asked.url).path, routes("POST"))
        assert route is not None
        self.walked.add(route)

    def _refusal(self) -> str:
        return " | ".join(self.page.locator(".wrong, .note.is-bad, h1").all_inner_texts())
