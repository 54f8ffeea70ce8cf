"""Robots as rcc makes, uploads and downloads them (§8.3). Links are addresses that carry their own right."""

from litestar import get

from controlroom.border.asking import Asking, Body, Path, Permission
from controlroom.border.links import download_url, upload_url
from controlroom.dialects.robocorp.answers import Shape
from controlroom.dialects.robocorp.rcc.workspaces import RobotAnswer, show_robot
from controlroom.dialects.robocorp.routing import post
from controlroom.engine.downloads.model import DownloadKind
from controlroom.engine.packages import actions, store
from controlroom.errors import NotFound
from controlroom.ids import PackageId

_ROBOT = "/workspaces/{workspace_id:uuid}/robots/{robot_id:uuid}/file"


class CreateRobot(Shape, frozen=True):
    """A new robot, without content yet."""

    name: str


class Uri(Shape, frozen=True):
    """An address that carries its own right, for an hour."""

    uri: str


@post("/workspaces/{workspace_id:uuid}/robots")
async def create_robot(request: Asking, data: Body[CreateRobot]) -> RobotAnswer:
    """Create a robot without content."""
    return show_robot(await actions.create(*request.acting, data.name))


@get(f"{_ROBOT}/uploadlink")
async def get_upload_link(request: Asking, robot_id: Path[PackageId]) -> Uri:
    """Tell where to PUT the zip of the next version."""
    return Uri(upload_url(request, await actions.promise_upload(*request.acting, robot_id)))


@get(f"{_ROBOT}/downloadlink", needs=Permission.READ_PACKAGES)
async def get_download_link(request: Asking, robot_id: Path[PackageId]) -> Uri:
    """Tell where the zip of the latest version is fetched."""
    package = await store.get(*request.reading, robot_id)
    if package.latest is None:
        raise NotFound("nothing has been uploaded into this robot yet", code="TASK_PACKAGE_EMPTY")
    kind, version = DownloadKind.PACKAGE_VERSION, package.latest.id
    return Uri(download_url(request, kind, version, file_name=f"{package.name}.zip"))
