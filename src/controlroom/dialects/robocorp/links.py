"""Addresses of files, on the host by which the caller reached us (DESIGN §5)."""

from uuid import UUID

from controlroom.border.asking import Asking
from controlroom.dialects.robocorp.answers import Form, UploadForm
from controlroom.engine.downloads import actions as downloads
from controlroom.engine.downloads.model import DownloadKind
from controlroom.engine.uploads import actions as uploads
from controlroom.engine.uploads.model import Upload
from controlroom.ids import WorkspaceId


def object_url(request: Asking, token: str) -> str:
    """The absolute address of a signed link."""
    return f"{request.origin}/objects/{token}"


def download_url(request: Asking, kind: DownloadKind, row: UUID, workspace: WorkspaceId, *, file_name: str) -> str:
    """Where a row's content may be fetched for an hour, without a credential."""
    token = downloads.signed_link(
        request.engine, kind, row, workspace, organization=request.caller.organization_id, file_name=file_name
    )
    return object_url(request, token)


def upload_url(request: Asking, upload: Upload) -> str:
    """Where the raw bytes of a promised upload may be PUT."""
    return object_url(request, uploads.signed_link(request.engine, upload, method="PUT"))


def upload_form(request: Asking, upload: Upload) -> UploadForm:
    """Where a promised upload may be posted as a form (§3.4).

    The link carries everything; there is a field because clients that were written for S3 expect one.
    """
    url = object_url(request, uploads.signed_link(request.engine, upload, method="POST"))
    return UploadForm(url, {"key": upload.name or str(upload.id)})


def older_form(request: Asking, upload: Upload) -> Form:
    """Likewise, as the older APIs write it."""
    form = upload_form(request, upload)
    return Form(form.url, form.form_data)
