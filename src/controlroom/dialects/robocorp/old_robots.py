"""The old Robot API (§2.3): one route, by which a build uploads a robot with an API key."""

from litestar import Router, get
from msgspec import Struct

from controlroom.border.asking import Asking, FromPath
from controlroom.dialects.robocorp import auth
from controlroom.dialects.robocorp.links import upload_form
from controlroom.dialects.robocorp.paging import PAGED
from controlroom.engine.packages import actions
from controlroom.ids import PackageId


class RobotForm(Struct, frozen=True):
    """Where to post the zip: first the fields, then the content as the part `file`."""

    url: str
    fields: dict[str, str]


@get("/robots/{robot_id:uuid}/file/uploadlink")
async def get_upload_link(request: Asking, robot_id: FromPath[PackageId]) -> RobotForm:
    """Tell where to post the next version of a robot."""
    form = upload_form(request, await actions.promise_upload(*request.acting, robot_id))
    return RobotForm(form.url, form.form_data)


def router() -> Router:
    """Its one route."""
    return Router(
        "/robot-v2/workspaces/{workspace_id:uuid}",
        route_handlers=[get_upload_link],
        middleware=[auth.somebody],
        dependencies=PAGED,
        include_in_schema=False,
    )
