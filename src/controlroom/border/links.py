"""Addresses of files, on the host by which the caller reached us (DESIGN §5); see `border/objects.py`."""

from typing import TypeAlias
from uuid import UUID

from controlroom.border.asking import Asking
from controlroom.border.verbs import Call
from controlroom.engine.downloads import actions as downloads
from controlroom.engine.downloads.model import DownloadKind
from controlroom.engine.uploads import actions as uploads
from controlroom.engine.uploads.model import Upload

Fetching: TypeAlias = Asking | Call
"""Who is given a link."""


def download_url(request: Fetching, kind: DownloadKind, row: UUID, *, file_name: str) -> str:
    """Where the content of a row of the request's workspace may be fetched for an hour, without a credential."""
    organization = request.caller.organization_id
    return _object_url(
        request,
        downloads.signed_link(
            request.engine, kind, row, request.workspace, organization=organization, file_name=file_name
        ),
    )


def upload_url(request: Fetching, upload: Upload) -> str:
    """Where the raw bytes of a promised upload may be PUT."""
    return _object_url(request, uploads.signed_link(request.engine, upload, method="PUT"))


def form_url(request: Fetching, upload: Upload) -> str:
    """Where a promised upload may be posted, as the part `file` of a form."""
    return _object_url(request, uploads.signed_link(request.engine, upload, method="POST"))


def _object_url(request: Fetching, token: str) -> str:
    return f"{request.origin}/objects/{token}"
