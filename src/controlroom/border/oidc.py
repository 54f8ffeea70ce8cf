"""OpenID Connect: a room as the client of one provider, found by discovery.

Authorization code with PKCE (RFC 7636), state and nonce. Every request leaves by the guarded client; the provider is
the operator's choice: its addresses are believed as far as they are https, or were allowed by `outgoing_allow`.
What the provider signs is checked by its published keys (joserfc), with the asymmetric algorithms that it says it uses:
never `none`, never a shared key. Discovery and keys are kept for ten minutes; an unknown key is asked for once.
"""

import base64
import hashlib
import secrets
import time
from collections.abc import Mapping
from typing import Any, Final, Protocol
from urllib.parse import quote, urlencode, urlsplit

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from msgspec import Struct

from controlroom.engine.access.identities.model import Identity
from controlroom.errors import Unauthenticated, Unavailable
from controlroom.outgoing import Answer

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
_GOOD_FOR: Final = 600.0
_SKEW: Final = 120
"""Seconds by which the provider's clock may be off."""
_LONGEST: Final = 64 * 1024


class ProviderWrong(Unauthenticated):
    """The provider has answered what is not to be believed."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the log-in did not succeed: {why}", code="OIDC_REFUSED")


class Asking(Protocol):
    """The guarded client."""

    async def request(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, content: bytes = b""
    ) -> Answer:
        """Send one request."""


class Discovered(Struct, frozen=True, kw_only=True):
    """What a provider says of itself."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    id_token_signing_alg_values_supported: tuple[str, ...] = ("RS256",)


class Attempt(Struct, frozen=True, kw_only=True):
    """A log-in under way: what the browser keeps, sealed, until it comes back."""

    state: str
    nonce: str
    verifier: str
    to: str
    """Where it leads."""
    invitation: str | None = None
    until: float = 0.0


class _Tokens(Struct, frozen=True):
    id_token: str
    access_token: str = ""


def new_attempt(to: str, invitation: str | None, *, seconds: float) -> Attempt:
    """A log-in that begins now."""
    return Attempt(
        state=secrets.token_urlsafe(24),
        nonce=secrets.token_urlsafe(24),
        verifier=secrets.token_urlsafe(48),
        to=to,
        invitation=invitation,
        until=time.time() + seconds,
    )


class Provider:
    """The provider of a room."""

    def __init__(
        self, outgoing: Asking, *, issuer: str, client_id: str, client_secret: str, name: str, scopes: str
    ) -> None:
        self.name = name or urlsplit(issuer).hostname or "your provider"
        self._outgoing = outgoing
        self._issuer = issuer
        self._client_id = client_id
        self._client_secret = client_secret
        self._scopes = scopes
        self._known: tuple[float, Discovered, KeySet] | None = None

    async def address(self, attempt: Attempt, redirect: str) -> str:
        """Where the browser goes to log in. Raises Unavailable, ProviderWrong."""
        where, _ = await self._discovered()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(attempt.verifier.encode()).digest()).rstrip(b"=").decode()
        asked = urlencode(
            {
                "response_type": "code",
                "client_id": self._client_id,
                "redirect_uri": redirect,
                "scope": self._scopes,
                "state": attempt.state,
                "nonce": attempt.nonce,
                "code_challenge": challenge,
                "code_challenge_method": "S256",
            }
        )
        return f"{where.authorization_endpoint}{'&' if '?' in where.authorization_endpoint else '?'}{asked}"

    async def identity(self, attempt: Attempt, query: Mapping[str, str], redirect: str) -> Identity:
        """Who has come back with what is in the address. Raises ProviderWrong, Unavailable."""
        if time.time() > attempt.until:
            raise ProviderWrong("it has taken too long")
        if not secrets.compare_digest(query.get("state", "").encode(), attempt.state.encode()):
            raise ProviderWrong("it was not begun here")
        if query.get("iss", self._issuer) != self._issuer:  # RFC 9207
            raise ProviderWrong("another provider has answered")
        if "error" in query:
            raise ProviderWrong(query.get("error_description", "") or query["error"])
        where, keys = await self._discovered()
        tokens = await self._exchanged(where, attempt, query.get("code", ""), redirect)
        try:
            claims = checked(tokens.id_token, keys, where, client_id=self._client_id, nonce=attempt.nonce)
        except UnknownKey:  # it has signed with a key that is newer than what we know
            where, keys = await self._discovered(anew=True)
            claims = checked(tokens.id_token, keys, where, client_id=self._client_id, nonce=attempt.nonce)
        if "email" not in claims and where.userinfo_endpoint and tokens.access_token:
            claims = {**await self._userinfo(where, tokens.access_token, claims["sub"]), **claims}
        return identity_of(claims)

    async def _exchanged(self, where: Discovered, attempt: Attempt, code: str, redirect: str) -> _Tokens:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect,
            "code_verifier": attempt.verifier,
        }
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        if not self._client_secret:
            form["client_id"] = self._client_id
        elif "client_secret_basic" in where.token_endpoint_auth_methods_supported:
            pair = f"{quote(self._client_id, safe='')}:{quote(self._client_secret, safe='')}"
            headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": self._client_id, "client_secret": self._client_secret}
        answer = await self._outgoing.request(
            "POST", where.token_endpoint, headers=headers, content=urlencode(form).encode()
        )
        if not answer.is_success:
            raise ProviderWrong(f"the provider answers {answer.status} to the code")
        tokens: _Tokens = _read(answer, _Tokens)
        return tokens

    async def _userinfo(self, where: Discovered, token: str, subject: str) -> dict[str, Any]:
        answer = await self._outgoing.request(
            "GET", where.userinfo_endpoint, headers={"authorization": f"Bearer {token}", "accept": "application/json"}
        )
        if not answer.is_success:
            return {}
        told: dict[str, Any] = _read(answer, dict[str, Any])
        if told.get("sub") != subject:  # OpenID Connect Core §5.3.2
            raise ProviderWrong("what is told of the user is of another one")
        return told

    async def _discovered(self, *, anew: bool = False) -> tuple[Discovered, KeySet]:
        if self._known is not None and not anew and time.monotonic() < self._known[0]:
            return self._known[1], self._known[2]
        answer = await self._outgoing.request("GET", f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        if not answer.is_success:
            raise Unavailable(f"the provider answers {answer.status} to discovery", code="OIDC_UNREACHABLE")
        where = _read(answer, Discovered)
        if where.issuer != self._issuer:
            raise ProviderWrong(f"it calls itself {where.issuer[:200]}, and not as the room was told")
        addresses = [where.authorization_endpoint, where.token_endpoint, where.jwks_uri]
        for each in [*addresses, where.userinfo_endpoint] if where.userinfo_endpoint else addresses:
            if urlsplit(each).scheme != urlsplit(self._issuer).scheme and urlsplit(each).scheme != "https":
                raise ProviderWrong("one of its addresses is not https")
        keys = await self._outgoing.request("GET", where.jwks_uri)
        try:
            known = KeySet.import_key_set(_read(keys, dict[str, Any]))
        except (JoseError, ValueError, TypeError, KeyError) as broken:
            raise ProviderWrong("its keys cannot be read") from broken
        self._known = time.monotonic() + _GOOD_FOR, where, known
        return where, known


class UnknownKey(ProviderWrong):
    """The token names a key that the provider has not published when it was asked."""

    def __init__(self) -> None:
        super().__init__("it is signed with a key that is not known")


def checked(token: str, keys: KeySet, where: Discovered, *, client_id: str, nonce: str) -> dict[str, Any]:
    """What an ID token says, if it is the provider's, for us, of this attempt, and of now (OpenID Connect §3.1.3.7).

    Raises ProviderWrong, UnknownKey.
    """
    if len(token) > _LONGEST:
        raise ProviderWrong("its token is too long")
    allowed = [each for each in ALGORITHMS if each in where.id_token_signing_alg_values_supported] or ["RS256"]
    try:
        decoded = jwt.decode(token, keys, algorithms=allowed)
    except (JoseError, ValueError, TypeError, RecursionError) as broken:
        if _kid(token) not in {None, *(key.kid for key in keys.keys)}:
            raise UnknownKey from broken
        raise ProviderWrong("its signature is not right") from broken
    claims, now = decoded.claims, time.time()
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    faults = {
        "it is another provider's": claims.get("iss") != where.issuer,
        "it is for somebody else": client_id not in audiences,
        "it was given to somebody else": len(audiences) > 1 and claims.get("azp") != client_id,
        "it is over": not isinstance(claims.get("exp"), int | float) or claims["exp"] < now - _SKEW,
        "it is of a time to come": isinstance(claims.get("iat"), int | float) and claims["iat"] > now + _SKEW,
        "it is of another attempt": claims.get("nonce") != nonce,
        "it names nobody": not isinstance(claims.get("sub"), str) or not claims["sub"],
    }
    if wrong := next((fault for fault, is_so in faults.items() if is_so), None):
        raise ProviderWrong(wrong)
    return dict(claims)


def identity_of(claims: Mapping[str, Any]) -> Identity:
    """Who the claims are about. An address counts as verified only if they say so."""

    def text(name: str) -> str:
        value = claims.get(name)
        return value[:255] if isinstance(value, str) and value.isprintable() else ""

    return Identity(
        issuer=str(claims["iss"]),
        subject=str(claims["sub"])[:255],
        email=text("email"),
        is_email_verified=claims.get("email_verified") in (True, "true"),
        username=text("preferred_username"),
        first_name=text("given_name") or text("name").partition(" ")[0],
        last_name=text("family_name") or text("name").partition(" ")[2],
    )


def _kid(token: str) -> str | None:
    try:
        head = token.partition(".")[0]
        told = msgspec.json.decode(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
        return told.get("kid") if isinstance(told, dict) else None
    except (ValueError, msgspec.DecodeError):
        return None


def _read(answer: Answer, kind: Any) -> Any:
    try:
        return msgspec.json.decode(answer.body, type=kind)
    except (msgspec.DecodeError, msgspec.ValidationError) as broken:
        raise ProviderWrong("its answer cannot be read") from broken
