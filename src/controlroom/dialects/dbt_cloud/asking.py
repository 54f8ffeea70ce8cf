"""What a handler of this grammar is asked: the frame's request, whose body is read leniently (`reading.py`)."""

from functools import cached_property
from typing import Any, Final

from litestar.exceptions import ClientException
from litestar.status_codes import HTTP_413_REQUEST_ENTITY_TOO_LARGE
from litestar.types.empty import Empty

from controlroom.border import asking
from controlroom.border.asking import Body, Path, Query, QueryParameter
from controlroom.dialects.dbt_cloud.auth import ACCOUNT
from controlroom.dialects.dbt_cloud.errors import FieldsWrong
from controlroom.dialects.dbt_cloud.reading import body_as_json, ids_in, read_body
from controlroom.dialects.dbt_cloud.related import related_of
from controlroom.dialects.dbt_cloud.routing import ANY_IDS
from controlroom.engine.access.model import Permission

__all__ = ["Asking", "Body", "Path", "Permission", "Query", "QueryParameter"]


_CONTAINERS: Final = ("account", "project", "user")
"""What an address names to say in what a thing lies."""
_OF_WEBHOOK: Final = "wsu_"


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
        """The body as the type that the handler declares; raises Invalid `MALFORMED_JSON`, FieldsWrong.

        What the address names is not named otherwise: `account_id`, `project_id` and `user_id` are those of the path,
        and `id` is its last number.
        """
        if self._json is Empty:
            field = self.route_handler.parsed_data_field
            sent = await self.body()
            if self.most_read is not None and len(sent) > self.most_read:
                raise ClientException(status_code=HTTP_413_REQUEST_ENTITY_TOO_LARGE)
            body = body_as_json(self.headers.get("content-type", ""), sent)
            if not body:
                return Empty if field is None or field.is_required else None
            self._json = read_body(body, field.annotation if field else Any)
            if ANY_IDS not in self.route_handler.opt:
                self._check_address(body)
        return self._json

    def _check_address(self, body: bytes) -> None:
        """Raise FieldsWrong for ids of a body that are not those of the address."""
        params: dict[str, Any] = self.scope["path_params"]
        named: dict[str, tuple[str, str]] = {
            f"{name}_id": (name, str(params[name])) for name in _CONTAINERS if name in params
        }
        *_, (noun, number) = params.items() if params else [("", "")]
        if self.scope["path"].endswith(f"/{number}"):
            named["id"] = (noun, str(number))
        faults = {
            field: f"it does not match the {named[field][0]} {named[field][1]} of the address"
            for field, value in ids_in(body, named)
            if value.removeprefix(_OF_WEBHOOK) != named[field][1].removeprefix(_OF_WEBHOOK)
        }
        if faults:
            raise FieldsWrong(faults)
