"""OpenID Connect: what is believed of a provider, and what is not."""

import base64
import hmac
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey

from controlroom.border.oidc import (
    Attempt,
    Discovered,
    Provider,
    ProviderWrong,
    UnknownKey,
    checked,
    identity_of,
    new_attempt,
)
from controlroom.outgoing import Answer, Outgoing, OutgoingRefused

ISSUER = "https://id.example"
KEY = RSAKey.generate_key(2048, {"kid": "one"})
OTHER = RSAKey.generate_key(2048, {"kid": "two"})
WHERE = Discovered(
    issuer=ISSUER,
    authorization_endpoint=f"{ISSUER}/authorize",
    token_endpoint=f"{ISSUER}/token",
    jwks_uri=f"{ISSUER}/keys",
)
CALLBACK = "https://room.example/login/oidc/callback"


def claims(**more: Any) -> dict[str, Any]:
    now = int(time.time())
    return {"iss": ISSUER, "aud": "room", "sub": "7", "exp": now + 60, "iat": now, "nonce": "n", **more}


def signed(said: dict[str, Any], key: Any = KEY, alg: str = "RS256") -> str:
    return jwt.encode({"alg": alg, "kid": key.kid}, said, key, algorithms=[alg])


def judged(token: str, *keys: RSAKey) -> dict[str, Any]:
    return checked(token, KeySet([*(keys or (KEY,))]), WHERE, client_id="room", nonce="n")


def test_what_the_provider_has_signed_for_us_now_is_believed():
    """Also among several audiences, if it says that it was given to us."""
    assert judged(signed(claims()))["sub"] == "7"
    assert judged(signed(claims(aud=["room", "shop"], azp="room")))["sub"] == "7"


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "https://evil.example"},
        {"aud": "shop"},
        {"aud": ["room", "shop"]},
        {"aud": ["room", "shop"], "azp": "shop"},
        {"exp": 1},
        {"exp": None},
        {"iat": 9_999_999_999},
        {"nonce": "other"},
        {"nonce": None},
        {"sub": ""},
        {"sub": 7},
    ],
    ids=str,
)
def test_what_is_not_for_us_and_now_is_refused(wrong):
    """Each claim that must hold, by itself."""
    with pytest.raises(ProviderWrong):
        judged(signed(claims(**wrong)))


def test_no_other_signature_is_believed():
    """Neither of another key, nor none, nor one by a shared key made of the public one, nor a cut or foreign text."""
    head, body, _ = signed(claims()).split(".")
    head = base64.urlsafe_b64encode(b'{"alg": "HS256", "kid": "one"}').rstrip(b"=").decode()
    digest = hmac.digest(KEY.as_pem(private=False), f"{head}.{body}".encode(), "sha256")
    shared = f"{head}.{body}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"
    none = signed(claims()).split(".")
    unsigned = f"eyJhbGciOiJub25lIn0.{none[1]}."
    impostor = RSAKey.import_key(OTHER.as_dict(private=True) | {"kid": "one"})
    for token in (
        signed(claims(), impostor),
        shared,
        unsigned,
        signed(claims())[:-6],
        "",
        "a.b.c",
        "é.é.é",
        "x" * 100_000,
    ):
        with pytest.raises(ProviderWrong):
            judged(token)
    with pytest.raises(UnknownKey):
        judged(signed(claims(), OTHER))


def test_an_address_is_verified_only_if_it_is_said():
    """And what has no printable form is no name."""
    assert not identity_of(claims(email="a@b.example")).is_email_verified
    assert not identity_of(claims(email="a@b.example", email_verified="no")).is_email_verified
    found = identity_of(claims(email="a@b.example", email_verified=True, name="Ada Byron", preferred_username="a\nb"))
    assert (found.email, found.is_email_verified, found.first_name, found.last_name) == (
        "a@b.example",
        True,
        "Ada",
        "Byron",
    )
    assert found.username == ""


class Answering:
    """A provider that answers as it is told, and remembers what it was asked."""

    def __init__(self, token: str, **discovery: Any) -> None:
        self.token = token
        self.keys = [KEY]
        self.asked: list[tuple[str, str, bytes]] = []
        self.discovery = {**msgspec.to_builtins(WHERE), "userinfo_endpoint": f"{ISSUER}/me", **discovery}
        self.userinfo = {"sub": "7", "email": "ada@example.com", "email_verified": True}

    async def request(self, method, url, *, headers=None, content=b""):  # noqa: ARG002 - as the client has it
        self.asked.append((method, url, content))
        body: Any = {
            "/.well-known/openid-configuration": self.discovery,
            "/keys": {"keys": [key.as_dict(private=False) for key in self.keys]},
            "/token": {"id_token": self.token, "access_token": "at"},
            "/me": self.userinfo,
        }[urlsplit(url).path]
        return Answer(200, {}, msgspec.json.encode(body))


def provider(answering: Answering) -> Provider:
    return Provider(answering, issuer=ISSUER, client_id="room", client_secret="s", name="", scopes="openid email")


def attempt(**more: Any) -> Attempt:
    return msgspec.structs.replace(new_attempt("/", None, seconds=60), nonce="n", **more)


async def test_a_log_in_is_asked_for_with_pkce_and_comes_back():
    """The verifier goes with the code alone; what the token lacks is asked of the provider, about the same subject."""
    answering = Answering(signed(claims()))
    begun = attempt()
    asked = parse_qs(urlsplit(await provider(answering).address(begun, CALLBACK)).query)
    assert (asked["code_challenge_method"], asked["state"], asked["nonce"]) == (["S256"], [begun.state], ["n"])
    assert begun.verifier not in str(asked)

    found = await provider(answering).identity(begun, {"state": begun.state, "code": "c"}, CALLBACK)

    assert (found.subject, found.email, found.is_email_verified) == ("7", "ada@example.com", True)
    exchanged = next(parse_qs(content.decode()) for _, url, content in answering.asked if url.endswith("/token"))
    assert exchanged["code_verifier"] == [begun.verifier]
    answering.userinfo = {"sub": "8", "email": "eve@example.com"}
    with pytest.raises(ProviderWrong):
        await provider(answering).identity(begun, {"state": begun.state, "code": "c"}, CALLBACK)


@pytest.mark.parametrize(
    "query",
    [{}, {"state": "other"}, {"iss": "https://evil.example"}, {"error": "access_denied"}],
    ids=["no state", "another state", "another issuer", "an error"],
)
async def test_what_was_not_begun_here_is_refused(query):
    """Before anything is asked of the provider."""
    answering, begun = Answering(signed(claims())), attempt()
    with pytest.raises(ProviderWrong):
        await provider(answering).identity(
            begun, {"code": "c", "state": begun.state, **query} if query else {}, CALLBACK
        )
    assert answering.asked == []
    with pytest.raises(ProviderWrong):
        await provider(answering).identity(attempt(until=1.0), {"state": begun.state, "code": "c"}, CALLBACK)


async def test_keys_that_are_newer_are_asked_for_once():
    """And a provider that calls itself otherwise than the room was told is not believed."""
    answering, begun = Answering(signed(claims(email="a@b.example"), OTHER)), attempt()
    at = provider(answering)
    await at.address(begun, CALLBACK)
    answering.keys = [KEY, OTHER]
    assert (await at.identity(begun, {"state": begun.state, "code": "c"}, CALLBACK)).subject == "7"
    with pytest.raises(ProviderWrong):
        await provider(Answering("", issuer="https://other.example")).address(begun, CALLBACK)
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"):
        for wrong in ("http://id.example/x", "javascript:alert(1)", "file:///etc/passwd", "//id.example/x"):
            with pytest.raises(ProviderWrong):
                await provider(Answering("", **{name: wrong})).address(begun, CALLBACK)


@pytest.mark.parametrize("name", ["token_endpoint", "jwks_uri", "userinfo_endpoint"])
async def test_a_provider_sends_the_room_to_no_place_of_its_own_network(name):
    """The one that the operator has allowed may name others: what leaves the room is guarded all the same."""
    elsewhere = {"jwks_uri": f"{ISSUER}/keys", name: "https://127.0.0.2:9/x"}
    answering = Answering(signed(claims()), **elsewhere)

    class Guarded:
        async def request(self, method, url, **more):
            if urlsplit(url).hostname == "127.0.0.2":
                async with Outgoing(["127.0.0.1"]) as outgoing:
                    return await outgoing.request(method, url, **more)
            return await answering.request(method, url, **more)

    begun = attempt()
    with pytest.raises(OutgoingRefused):
        await provider(Guarded()).identity(begun, {"state": begun.state, "code": "c"}, CALLBACK)


async def test_a_token_made_with_the_clients_secret_is_not_believed():
    """Also where the provider says that it signs by it, or not at all."""
    secret = OctKey.import_key("s" * 32)
    by_secret = jwt.encode({"alg": "HS256"}, claims(), secret, algorithms=["HS256"])
    unsigned = f"eyJhbGciOiJub25lIn0.{by_secret.split('.')[1]}."
    for token in (by_secret, unsigned):
        answering = Answering(token, id_token_signing_alg_values_supported=["HS256", "none"])
        begun, at = attempt(), provider(answering)
        await at.address(begun, CALLBACK)
        with pytest.raises(ProviderWrong):
            await at.identity(begun, {"state": begun.state, "code": "c"}, CALLBACK)
