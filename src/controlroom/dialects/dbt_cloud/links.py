"""`/deploy/…`: where the `href` of a run leads (§0.17). People open it from an alert, or from the log of a pipeline.

There is no console of the room yet that could show the run, so that the page says how to see it at the prompt. It tells
nothing that the address does not say.
"""

import re
from html import escape
from typing import Any, Final

from controlroom.border.answers import answer
from controlroom.border.pages import page_headers

PREFIX: Final = "/deploy"
_RUN: Final = re.compile(r"/deploy/[0-9]{1,19}/projects/[0-9]{1,19}/runs/([0-9]{1,19})")
_HTML: Final = (b"content-type", b"text/html; charset=utf-8")
_HEADERS: Final = page_headers("default-src 'none'")


async def page(scope: dict[str, Any], receive: Any, send: Any) -> None:  # noqa: ARG001 - the ASGI signature
    """The page of a run."""
    found = _RUN.fullmatch(scope["path"])
    if found is None:
        await answer(send, 404, _written("There is nothing at this address.", ""), _HTML, *_HEADERS)
        return
    shown = f"controlroom dbt runs show {found[1]}\ncontrolroom dbt logs {found[1]} --follow"
    await answer(send, 200, _written(f"Run {found[1]}", shown), _HTML, *_HEADERS)


def _written(title: str, commands: str) -> bytes:
    told = f"<p>At the prompt:</p><pre>{escape(commands)}</pre>" if commands else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title></head>'
        f"<body><main><h1>{escape(title)}</h1>{told}</main></body></html>"
    ).encode()
