"""What a handler of this grammar is asked: the frame's request, whose body is read leniently (`reading.py`)."""

from functools import cached_property
from typing import Any

from litestar.exceptions import ClientException
from litestar.status_codes import HTTP_413_REQUEST_ENTITY_TOO_LARGE
from litestar.types.empty import Empty

from controlroom.border import asking
from controlroom.border.asking import Body, Path, Query, QueryParameter
from controlroom.dialects.dbt_cloud.auth import ACCOUNT
from controlroom.dialects.dbt_cloud.reading import body_as_json, read_body
from controlroom.dialects.dbt_cloud.related import related_of
from controlroom.engine.access.model import Permission

__all__ = ["Asking", "Body", "Path", "Permission", "Query", "QueryParameter"]


class Asking(asking.Asking):
    """A request of this grammar."""

    @property
    def account(self) -> int:
        """The number of the caller's organization: every object's `account_id`."""
        number: int = self.scope["state"][ACCOUNT]
        return number

    @property
    def version(self) -> int:
        """Which version of the API was asked: 2 or 3."""
        return 3 if self.scope["path"].startswith("/api/v3") else 2

    @cached_property
    def related(self) -> frozenset[str]:
        """What `include_related` names, in whichever shape it came."""
        return related_of(self.query_params)

    @property
    def is_strict(self) -> bool:
        """Whether names of a query that a list does not have are refused."""
        is_strict: bool = self.app.state.is_strict
        return is_strict

    async def json(self) -> Any:
        """The body as the type that the handler declares; raises Invalid `MALFORMED_JSON`, FieldsWrong."""
        if self._json is Empty:
            field = self.route_handler.parsed_data_field
            sent = await self.body()
            if self.most_read is not None and len(sent) > self.most_read:
                raise ClientException(status_code=HTTP_413_REQUEST_ENTITY_TOO_LARGE)
            body = body_as_json(self.headers.get("content-type", ""), sent)
            if not body:
                return Empty if field is None or field.is_required else None
            self._json = read_body(body, field.annotation if field else Any)
        return self._json
