"""What a handler of this grammar is asked: the frame's request, whose body is read leniently (`border/lenient.py`).

@post("/v1/devices/runasusers/default")
async def set_default(request: Asking, data: Body[SetDefault]) -> SetDefault:      # a body is needed
async def refresh(request: Asking, data: Body[Refresh | None] = None) -> Session:  # it may be empty, or not there
"""

from typing import Any

from litestar.exceptions import ClientException
from litestar.status_codes import HTTP_413_REQUEST_ENTITY_TOO_LARGE
from litestar.types.empty import Empty

from controlroom.border import asking
from controlroom.border.asking import Body, Query, QueryParameter
from controlroom.border.bodies import check_lists
from controlroom.border.lenient import read
from controlroom.engine.access.model import Permission

__all__ = ["Asking", "Body", "Permission", "Query", "QueryParameter"]


class Asking(asking.Asking):
    """A request of this grammar."""

    __slots__ = ()

    async def json(self) -> Any:
        """The body as the type that the handler declares; raises Invalid `MALFORMED_JSON` or `INVALID_BODY`."""
        if self._json is Empty:
            field = self.route_handler.parsed_data_field
            body = (await self.body()).removeprefix(b"\xef\xbb\xbf").strip()
            if not body:
                return Empty if field is None or field.is_required else None
            await check_lists(self.app.state.engine, body)
            if self.most_read is not None and len(body) > max(
                self.most_read, self.app.state.engine.limits.payload_bytes
            ):
                raise ClientException(status_code=HTTP_413_REQUEST_ENTITY_TOO_LARGE)
            self._json = read(body, field.annotation if field else Any)
        return self._json
