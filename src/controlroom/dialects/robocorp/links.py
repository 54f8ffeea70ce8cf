"""Forms by which files are posted (§3.4), on the host by which the caller reached us.

The link carries everything; there is a field because clients that were written for S3 expect one.
"""

from controlroom.border.asking import Asking
from controlroom.border.links import form_url
from controlroom.dialects.robocorp.answers import Form, UploadForm
from controlroom.engine.uploads.model import Upload


def upload_form(request: Asking, upload: Upload) -> UploadForm:
    """Where a promised upload may be posted."""
    return UploadForm(form_url(request, upload), {"key": upload.name or str(upload.id)})


def older_form(request: Asking, upload: Upload) -> Form:
    """Likewise, as the older APIs write it."""
    form = upload_form(request, upload)
    return Form(form.url, form.form_data)
