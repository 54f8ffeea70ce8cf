"""The page beside an OpenAPI document: every operation on one page that loads nothing from anywhere.

config = OpenAPIConfig(…, path="/worker/v1", render_plugins=RENDER)     # /worker/v1/openapi.json and /worker/v1/docs
"""

from collections.abc import Sequence
from typing import Any

from litestar import Request
from litestar.openapi.plugins import JsonRenderPlugin, OpenAPIRenderPlugin

from controlroom.border.api_docs.page import POLICY, page
from controlroom.border.dispatcher import Send
from controlroom.border.pages import page_headers, with_headers

__all__ = ["RENDER", "DocsPage", "framed"]


class DocsPage(OpenAPIRenderPlugin):
    """Draws the document as a page."""

    def __init__(self) -> None:
        super().__init__(path="/docs")

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """The page."""
        return page(openapi_schema, document=self.get_openapi_json_route(request)).encode()


def framed(send: Send, path: str, prefix: str) -> Send:
    """Send, for the page of a dialect with the headers that our pages have."""
    return with_headers(send, _HEADERS) if path == f"{prefix}/docs" else send


_HEADERS = page_headers(POLICY)
RENDER: Sequence[OpenAPIRenderPlugin] = (JsonRenderPlugin(), DocsPage())
"""What a dialect publishes: `openapi.json` and `docs`."""
