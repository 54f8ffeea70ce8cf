"""`GET /`: that a room answers here, and where its grammars tell of themselves.

Clients test an address by asking its root, and take any success (Airflow's test of a connection); a browser is shown
the same as a page. Nothing is told that `/api/v1/openapi.json` would not tell anybody.
"""

from html import escape
from typing import Any, Final

import msgspec

from controlroom.border.answers import JSON, answer, error_body
from controlroom.border.pages import page_headers

DOCUMENTS: Final = {
    "Control Room": "/api/v1/docs",
    "Automation 360": "/swagger/docs",
    "dbt Cloud": "/api/v3/docs",
    "Workers": "/worker/v1/docs",
}
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
_LINKS: Final = "".join(f'<li><a href="{href}">{escape(name)}</a></li>' for name, href in DOCUMENTS.items())
_PAGE: Final = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Control Room</title>
<style>:root{{color-scheme:light dark}}body{{font:1rem/1.5 system-ui,sans-serif;margin:4rem auto;max-width:40rem}}
</style>
</head><body><main><h1>Control Room</h1><p>A room answers here. What it can be asked:</p><ul>{_LINKS}</ul></main></body>
</html>
""".encode()
_TOLD: Final = msgspec.json.encode({"name": "Control Room", "documents": DOCUMENTS})
_HTML: Final = (b"content-type", b"text/html; charset=utf-8")
_HEADERS: Final = page_headers(_POLICY)


async def page(scope: dict[str, Any], receive: Any, send: Any) -> None:  # noqa: ARG001 - the ASGI signature
    """Answer."""
    if scope["method"] not in {"GET", "HEAD"}:
        allow = (b"allow", b"GET, HEAD")
        await answer(send, 405, error_body("METHOD_NOT_ALLOWED", "This address has GET and HEAD."), JSON, allow)
        return
    accepts = next((value for name, value in scope["headers"] if name == b"accept"), b"")
    is_browser = b"text/html" in accepts
    headers = [_HTML, *_HEADERS] if is_browser else [JSON]
    await answer(send, 200, _PAGE if is_browser else _TOLD, *headers)
