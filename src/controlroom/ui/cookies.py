"""Cookies: the session's, and what one browser is to remember of its looks.

A session's cookie is for this server alone, as far as browsers know the difference: `__Host-` where there is TLS, and
the port in its name, because rooms on several ports of a machine share their cookies.
"""

from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final
from urllib.parse import quote, unquote

Header = tuple[bytes, bytes]

THEME: Final = "theme"
DENSITY: Final = "density"
ZONE: Final = "zone"
LAST: Final = "workspace"
"""The workspace that was looked at last."""
START: Final = "start"
"""The place with which a visit begins."""
KEYS: Final = "keys"
"""`off` where single letters are no keys."""
SAID: Final = "said"
"""What the next page is to say: that something was done."""
_REMEMBERED_SECONDS: Final = 400 * 86_400  # Why: browsers keep none for longer
_LONGEST: Final = 1000


def session_cookie(origin: str) -> str:
    """The name of the session's cookie for who calls us by this origin."""
    scheme, _, host = origin.partition("://")
    port = host.rpartition(":")[2]
    named = f"-{port}" if port.isdigit() else ""
    return f"__Host-controlroom{named}" if scheme == "https" else f"controlroom{named}"


def cookies_of(scope: Any) -> Mapping[str, str]:
    """The cookies of a request; those that are none of ours, too."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        if name == b"cookie":
            try:
                found |= {key: morsel.value for key, morsel in SimpleCookie(value.decode("latin-1")).items()}
            except CookieError:  # another program's of this host
                continue
    return found


def kept(
    name: str,
    value: str,
    *,
    origin: str,
    seconds: int,
    is_secret: bool = True,
    comes_back_from_elsewhere: bool = False,
) -> Header:
    """The header that has a browser keep a cookie; no seconds: forget it.

    One that comes back from elsewhere is sent, too, when a link of another site opens a page of ours.
    """
    same_site = "Lax" if comes_back_from_elsewhere else "Strict"
    parts = [f"{name}={value}", "Path=/", f"Max-Age={seconds}", f"SameSite={same_site}"]
    parts += ["HttpOnly"] if is_secret else []
    parts += ["Secure"] if origin.startswith("https:") else []
    return b"set-cookie", "; ".join(parts).encode("latin-1")


def remembered(name: str, value: str, origin: str) -> Header:
    """The same for what a browser shall remember of its looks: no secret, and scripts may read it."""
    return kept(name, quote(value, safe=""), origin=origin, seconds=_REMEMBERED_SECONDS, is_secret=False)


def remembered_of(cookies: Mapping[str, str], name: str) -> str:
    """What was remembered so; empty if nothing was."""
    return unquote(cookies.get(name, ""))[:_LONGEST]


def said(text: str, origin: str) -> Header:
    """The same for one sentence that the next page says."""
    return kept(SAID, quote(text[:_LONGEST], safe=""), origin=origin, seconds=30)
