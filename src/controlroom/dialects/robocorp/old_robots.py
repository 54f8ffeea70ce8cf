"""The old Robot API (§2.3): one route, by which a build uploads a robot with an API key."""

from litestar import get

from controlroom.border.asking import Asking, Path
from controlroom.dialects.robocorp.answers import Form
from controlroom.engine.packages import actions
from controlroom.ids import PackageId


@get("/robot-v2/workspaces/{workspace_id:uuid}/robots/{robot_id:uuid}/file/uploadlink")
async def get_upload_link(request: Asking, robot_id: Path[PackageId]) -> Form:
    """Tell where to post the next version of a robot."""
    return Form.of(request, await actions.promise_upload(*request.acting, robot_id))
