"""The old Robot API (§2.3): one route, by which a build uploads a robot with an API key."""

from typing import Any

from litestar import Request, Router, get
from litestar.params import FromPath
from msgspec import Struct

from controlroom.dialects.robocorp import asking, auth
from controlroom.dialects.robocorp.asking import Asker, InWorkspace, TheEngine
from controlroom.dialects.robocorp.links import upload_form
from controlroom.engine.packages import actions
from controlroom.ids import PackageId


class RobotForm(Struct, frozen=True):
    """Where to post the zip: first the fields, then the content as the part `file`."""

    url: str
    fields: dict[str, str]


@get("/robots/{robot_id:uuid}/file/uploadlink")
async def get_upload_link(
    engine: TheEngine,
    actor: Asker,
    request: Request[Any, Any, Any],
    workspace_id: InWorkspace,
    robot_id: FromPath[PackageId],
) -> RobotForm:
    """Tell where to post the next version of a robot."""
    form = upload_form(request, await actions.promise_upload(engine, actor, workspace_id, robot_id))
    return RobotForm(form.url, form.form_data)


def router() -> Router:
    """Its one route."""
    return Router(
        "/robot-v2/workspaces/{workspace_id:uuid}",
        route_handlers=[get_upload_link],
        middleware=[auth.somebody],
        dependencies=asking.IN_PUBLIC,
        include_in_schema=False,
    )
