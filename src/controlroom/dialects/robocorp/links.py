"""Addresses of files, on the host by which the caller reached us (DESIGN §5)."""

from typing import Any
from uuid import UUID

from litestar import Request

from controlroom.border.origin import Origins
from controlroom.dialects.robocorp.answers import UploadForm
from controlroom.engine.downloads import actions as downloads
from controlroom.engine.downloads.model import DownloadKind
from controlroom.engine.engine import Engine
from controlroom.engine.uploads import actions as uploads
from controlroom.engine.uploads.model import Upload
from controlroom.ids import WorkspaceId


def object_url(request: Request[Any, Any, Any], token: str) -> str:
    """The absolute address of a signed link."""
    origins: Origins = request.app.state.origins
    return f"{origins.of(request.scope)}/objects/{token}"  # type: ignore[arg-type]  # a scope is a dict


def download_url(
    request: Request[Any, Any, Any],
    kind: DownloadKind,
    row: UUID,
    workspace: WorkspaceId,
    *,
    file_name: str,
) -> str:
    """Where a row's content may be fetched for an hour, without a credential."""
    engine: Engine = request.app.state.engine
    token = downloads.signed_link(engine, kind, row, workspace, file_name=file_name)
    return object_url(request, token)


def upload_url(request: Request[Any, Any, Any], upload: Upload) -> str:
    """Where the raw bytes of a promised upload may be PUT."""
    return object_url(request, uploads.signed_link(request.app.state.engine, upload, method="PUT"))


def upload_form(request: Request[Any, Any, Any], upload: Upload) -> UploadForm:
    """Where a promised upload may be posted as a form (§3.4).

    The link carries everything; there is a field because clients that were written for S3 expect one.
    """
    url = object_url(request, uploads.signed_link(request.app.state.engine, upload, method="POST"))
    return UploadForm(url, {"key": upload.name or str(upload.id)})
