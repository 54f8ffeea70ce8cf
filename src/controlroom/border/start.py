"""`GET /`: that a room answers here, and where its grammars tell of themselves.

Clients test an address by asking its root, and take any success (Airflow's test of a connection); who asks for a page
gets the console. Nothing is told that `/api/v1/openapi.json` would not tell anybody.
"""

from typing import Any, Final

import msgspec

from controlroom.border.answers import JSON, answer
from controlroom.border.dispatcher import App

DOCUMENTS: Final = {
    "Control Room": "/api/v1/docs",
    "Automation 360": "/swagger/docs",
    "dbt Cloud": "/api/v3/docs",
    "Workers": "/worker/v1/docs",
}
_TOLD: Final = msgspec.json.encode({"name": "Control Room", "documents": DOCUMENTS})


def for_programs(pages: App) -> App:
    """The app of pages, but for programs that only want to know who answers."""

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        accepts = next((value for name, value in scope["headers"] if name == b"accept"), b"")
        if b"text/html" in accepts or scope["method"] not in {"GET", "HEAD"}:
            await pages(scope, receive, send)
        else:
            await answer(send, 200, _TOLD, JSON)

    return app
