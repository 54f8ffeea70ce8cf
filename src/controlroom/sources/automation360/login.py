"""Log-in of a Control Room: a token in `X-Authorization`, had anew before it ends, and on 401 without losing a page.

A token lives 20 minutes if nobody says otherwise; how long tells the token itself (`exp` - `iat`, so that no clock is
compared with another). It is had anew by the refresh, which takes none of the account's five sessions; where that is
refused, by a log-in. The token before is dead at once, also for requests of parallel children that are under way: each
of them gets 401, finds the token that another thread has had by then, and is sent again with it.

A ready token is sent as it is; when it ends, the load ends with what the server says.
"""

import base64
import binascii
import contextlib
import datetime as dt
import email.utils
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson
import requests

from controlroom.sources.arguments import NotConfigured
from controlroom.sources.endings import at_end
from controlroom.sources.paging import Request
from controlroom.sources.reading import Gone, Headers, Reader, ReadFailed

HEADER: Final = "X-Authorization"
_USUAL_LIFE: Final = 1200.0
"""Seconds that a token lives which does not say it itself."""
_EARLY: Final = 60.0
"""Seconds before its end at which a token is had anew, or a quarter of its life if that is less."""


class LogInRefused(Exception):  # noqa: N818 - it says what happened
    """A Control Room does not let somebody in."""


class LogIn:
    """Who asks. One of it serves all requests of a load, from any thread."""

    def __init__(
        self,
        address: str,
        *,
        username: str | None = None,
        password: str | None = None,
        api_key: str | None = None,
        token: str | None = None,
        verify: bool | str = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """By an API key, else a password, else a ready token. Raises NotConfigured where there is none of them."""
        secret = {"apiKey": api_key} if api_key else {"password": password}
        is_named = bool(username) and bool(api_key or password)
        if not is_named and not token:
            raise NotConfigured(
                "A Control Room is asked by a `username` with an `api_key` or a `password`, or by a ready `token`: as "
                "arguments, in .dlt/secrets.toml below [sources.automation360], or as SOURCES__AUTOMATION360__…"
            )
        self._address = address
        self._username = username or ""
        self._body = {"username": username, **secret, "multipleLogin": True} if is_named else None
        self._token = None if is_named else token
        self._verify = verify
        self._clock = clock
        self._lock = threading.Lock()
        self._renewed_at = float("inf")
        self._version = "v2"
        self._ahead = dt.timedelta()

    def headers(self) -> Mapping[str, str]:
        """The headers of a request, with the token of now. Raises LogInRefused."""
        with self._lock:
            if self._token is None:
                self._log_in()
            elif self._clock() >= self._renewed_at:
                self._refresh(self._token)
            return {HEADER: str(self._token)}

    def renew(self, refused: Mapping[str, str]) -> bool:
        """Have another token than the one that was refused; False if there is none to be had. Raises LogInRefused."""
        if self._body is None:
            return False
        with self._lock:
            if self._token is None or self._token == refused.get(HEADER):  # else another thread has had it by now
                self._log_in()
            return True

    def now(self) -> dt.datetime:
        """What time it is there, to the second, as it was told at the log-in."""
        self.headers()
        return dt.datetime.now(dt.UTC) + self._ahead

    def log_out(self) -> None:
        """End the session that was begun, if one was: an account has few. Whether that succeeds changes nothing."""
        with self._lock:
            token = self._token
            if self._body is None or token is None:
                return
            self._token, self._renewed_at = None, float("inf")
        reader = Reader(self._address, Headers({HEADER: token}), workers=1, attempts=1, timeout=10, verify=self._verify)
        with contextlib.suppress(ReadFailed):
            reader.answer(Request("v1/authentication/logout", body={}))
        reader.close()

    # ------------------------------------------------------------------------------------------------------- calls
    def _log_in(self) -> None:
        if self._token is None:
            at_end(self.log_out)
        try:
            self._take(self._asked("authentication", self._body))
        except Gone:
            if self._version == "v1":
                raise
            self._version = "v1"  # older Control Rooms have it alone
            self._log_in()
        except ReadFailed as failed:
            raise LogInRefused(f"{self._address} does not let {self._username!r} in: {failed}") from failed

    def _refresh(self, token: str) -> None:
        try:
            self._take(self._asked("authentication/token", {"token": token}, {HEADER: token}))
        except ReadFailed:  # too late, or somebody has ended the session
            self._log_in()

    def _asked(self, path: str, body: Any, headers: Mapping[str, str] | None = None) -> requests.Response:
        reader = Reader(self._address, Headers(headers or {}), workers=1, verify=self._verify)
        try:
            answer = reader.answer(Request(f"{self._version}/{path}", body=body))
        finally:
            reader.close()
        return answer

    def _take(self, answer: requests.Response) -> None:
        told = orjson.loads(answer.content)
        self._token = str(told["token"])
        life = life_of(self._token, told.get("ttlSeconds"))
        self._renewed_at = self._clock() + life - min(_EARLY, life / 4)
        self._ahead = _ahead(answer.headers.get("Date", ""))


def life_of(token: str, ttl_seconds: Any = None) -> float:
    """How many seconds a token lives: as it says itself, else as the answer says, else 20 minutes."""
    claims = _claims(token)
    begun, ends = claims.get("iat"), claims.get("exp")
    if isinstance(begun, int | float) and isinstance(ends, int | float) and ends > begun:
        return float(ends - begun)
    try:
        told = float(ttl_seconds or 0)
    except (TypeError, ValueError):
        told = 0.0
    return told if told > 0 else _USUAL_LIFE


def address_of(base_url: str) -> str:
    """The address that requests are sent to: a bare host is asked by https."""
    address = base_url.strip().rstrip("/")
    return address if "://" in address else f"https://{address}"


def _claims(token: str) -> Mapping[str, Any]:
    """What a JWT says of itself; it is not verified, because nothing but a moment is taken from it."""
    try:
        middle = token.split(".")[1]
        claims = orjson.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    except (IndexError, ValueError, binascii.Error):
        return {}
    return claims if isinstance(claims, dict) else {}


def _ahead(date: str) -> dt.timedelta:
    """By how much a server's clock is ahead of ours, as its answer says."""
    try:
        there = email.utils.parsedate_to_datetime(date)
    except ValueError:
        return dt.timedelta()
    return there.astimezone(dt.UTC) - dt.datetime.now(dt.UTC)
