"""The log-in form, which stands in place of any page while nobody is logged in."""

from controlroom.ui import cookies
from controlroom.ui.asking import Asking
from controlroom.ui.rendering import Shown


def log_in_form(
    request: Asking,
    *,
    message: str = "",
    username: str = "",
    to: str | None = None,
    status: int = 200,
    forgets: bool = False,
) -> Shown:
    """The form; it leads to the page that was asked for. `forgets` a session that has ended."""
    query = request.scope["query_string"].decode("latin-1")
    asked = request.scope["path"] + (f"?{query}" if query else "")
    values = {
        "look": request.look,
        "message": message,
        "username": username,
        "to": asked if to is None else to,
        "oidc": request.around.oidc,
    }
    body = request.app.state.templates.render("session/log_in.html", values, request.reader)
    name = cookies.session_cookie(request.origin)
    headers = [cookies.kept(name, "", origin=request.origin, seconds=0)] if forgets else []
    if status == 401:  # noqa: PLR2004 - its number says it
        headers.append((b"www-authenticate", b"Session"))
    return Shown(body, status_code=status, headers=headers)
