"""Sessions whose token is signed: what they open, when they end, and the keys that sign them."""

import asyncio
import json
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jws, jwt
from joserfc.jwk import KeySet, OctKey, RSAKey

from controlroom.engine.access import jwts, sessions, user_keys
from controlroom.engine.access.errors import SessionOver
from controlroom.engine.access.signing_keys import LONGEST_LIFE, ROTATED_AFTER, ensure, published, rotate
from controlroom.engine.access.users import actions as users
from controlroom.engine.workspaces.first_start import bootstrap
from controlroom.errors import Forbidden, Invalid, Unauthenticated
from controlroom.ids import UserId

LIFE = timedelta(minutes=20)


def kid_of(token: str) -> str:
    return jws.extract_compact(token.encode()).headers()["kid"]


async def test_a_token_opens_what_its_user_may_do_now(engine, ada, workspace):
    """It is checked by our keys, and says who it is for in the claims of the grammar; ours cannot be replaced."""
    made = await jwts.issue(engine, ada, life=LIFE, claims={"sub": "17", "clientType": "WEB", "exp": 1, "jti": "x"})

    actor = await jwts.authenticate(engine, made.token)

    assert (actor.id, actor.grants) == (ada.id, ada.grants)
    keys = KeySet.import_key_set(await published(engine))
    said = jwt.decode(made.token, keys, algorithms=["RS512"]).claims
    assert (said["sub"], said["clientType"], said["jti"]) == ("17", "WEB", str(made.id))
    assert said["exp"] - said["iat"] == LIFE.total_seconds()
    assert said["exp"] == made.expires_at.timestamp()
    for key in (await published(engine))["keys"]:
        assert (key["kty"], key["alg"], key["use"], "d" in key) == ("RSA", "RS512", "sig", False)


async def test_a_token_ends_as_any_session(engine, ada, ben, later):
    """By its time, by logging out, by a new password, and when its user is disabled."""
    gone = [await jwts.issue(engine, ada, life=LIFE) for _ in range(2)]
    assert await sessions.end(engine, gone[0].token)
    theirs = await jwts.issue(engine, ben, life=LIFE)
    await users.set_password(engine, ada, UserId(ben.id), "another password")
    disabled = await jwts.issue(engine, ben, life=LIFE)
    await users.disable_user(engine, ada, UserId(ben.id))
    for ended in (gone[0], theirs, disabled):
        with pytest.raises(Unauthenticated):
            await jwts.authenticate(engine, ended.token)

    await jwts.authenticate(engine, gone[1].token)
    await later(minutes=21)
    with pytest.raises(Unauthenticated):
        await jwts.authenticate(engine, gone[1].token)
    for life in (timedelta(), LONGEST_LIFE + timedelta(seconds=1)):
        with pytest.raises(Invalid):
            await jwts.issue(engine, ada, life=life)


async def test_a_token_is_had_anew_while_it_lives(engine, ada, later):
    """The one before opens for a minute more; after half a day somebody must log in again."""
    first = await jwts.issue(engine, ada, life=LIFE)

    second = await jwts.refresh(engine, first.token, life=LIFE)
    await jwts.authenticate(engine, first.token)
    await later(minutes=2)
    for verb in (jwts.authenticate(engine, first.token), jwts.refresh(engine, first.token, life=LIFE)):
        with pytest.raises(Unauthenticated):
            await verb
    assert (await jwts.authenticate(engine, second.token)).id == ada.id

    third = await jwts.refresh(engine, second.token, life=LONGEST_LIFE)
    await later(hours=11, minutes=59)
    with pytest.raises(Unauthenticated):
        await jwts.refresh(engine, third.token, life=LIFE)
    with pytest.raises(Unauthenticated):  # a session of the other kind is not had anew
        await jwts.refresh(engine, "crs_x", life=LIFE)


async def test_a_session_alone_is_ended_by_the_next(engine, ada, ben):
    """Those that may stand beside others stay, also when they are had anew; other users' are not touched."""
    alone, beside = jwts.Terms(is_alone=True), jwts.Terms()
    first = await jwts.issue(engine, ada, life=LIFE, terms=alone)
    shared = await jwts.issue(engine, ada, life=LIFE, terms=beside)
    theirs = await jwts.issue(engine, ben, life=LIFE, terms=alone)
    first = await jwts.refresh(engine, first.token, life=LIFE, succession=timedelta())

    second = await jwts.issue(engine, ada, life=LIFE, terms=alone)

    with pytest.raises(SessionOver) as over:
        await jwts.authenticate(engine, first.token)
    assert not over.value.is_expired
    for each in (second, shared, theirs):
        await jwts.authenticate(engine, each.token)


async def test_of_sessions_alone_that_begin_at_once_one_stays(engine, ada):
    """Log-ins of one user come one after the other, also on several servers."""
    made = await asyncio.gather(
        *(jwts.issue(engine, ada, life=LIFE, terms=jwts.Terms(is_alone=True, at_most=5)) for _ in range(6))
    )

    tried = await asyncio.gather(*(jwts.authenticate(engine, each.token) for each in made), return_exceptions=True)
    assert [isinstance(each, SessionOver) for each in tried].count(False) == 1


async def test_a_grammar_may_end_the_token_before_at_once_and_keep_its_claims(engine, ada):
    """Of two who have it anew at once, one does."""
    first = await jwts.issue(engine, ada, life=LIFE, claims={"sub": "17", "iss": "them"})

    async def anew():
        return await jwts.refresh(engine, first.token, life=LIFE, claims={"iss": "us"}, succession=timedelta())

    had = await asyncio.gather(anew(), anew(), return_exceptions=True)

    (second,) = [each for each in had if isinstance(each, jwts.Jwt)]
    said = jwt.decode(second.token, KeySet.import_key_set(await published(engine)), algorithms=["RS512"]).claims
    assert (said["sub"], said["iss"], said["jti"]) == ("17", "us", str(second.id))
    with pytest.raises(SessionOver):
        await jwts.authenticate(engine, first.token)


async def test_the_oldest_sessions_make_room(engine, ada):
    """Of those that were begun in the same way: by a password, or by a key."""
    key, _ = await user_keys.make(engine, ada, UserId(ada.id))
    by_key = await jwts.issue(engine, ada, life=LIFE, terms=jwts.Terms(by_key=key.id, at_most=2))
    made = [await jwts.issue(engine, ada, life=LIFE, terms=jwts.Terms(at_most=2)) for _ in range(3)]

    for each in (by_key, *made[1:]):
        await jwts.authenticate(engine, each.token)
    with pytest.raises(SessionOver):
        await jwts.authenticate(engine, made[0].token)


async def test_another_key_signs_and_the_old_one_is_kept_until_its_tokens_have_ended(engine, root, ada, later):
    """What it signed opens as before; then it is published no more."""
    before = await jwts.issue(engine, ada, life=LIFE)
    old = kid_of(before.token)
    with pytest.raises(Forbidden):
        await rotate(engine, ada)

    new = await rotate(engine, root)

    after = await jwts.issue(engine, ada, life=LIFE)
    assert kid_of(after.token) == new != old
    for made in (before, after):
        assert (await jwts.authenticate(engine, made.token)).id == ada.id
    kids = [key["kid"] for key in (await published(engine))["keys"]]
    assert kids[:2] == [new, old]
    await later(hours=LONGEST_LIFE.total_seconds() / 3600, seconds=1)
    assert [key["kid"] for key in (await published(engine))["keys"]] == [new]


async def test_an_old_key_is_followed_by_itself(engine, ada, later):
    """Whoever signs with one that is three months old makes the next; of several at once, one does."""
    old = kid_of((await jwts.issue(engine, ada, life=LIFE)).token)
    await later(days=ROTATED_AFTER.days, seconds=1)

    made = await asyncio.gather(*(jwts.issue(engine, ada, life=LIFE) for _ in range(3)))

    (new,) = {kid_of(each.token) for each in made}
    assert new != old
    assert [key["kid"] for key in (await published(engine))["keys"]] == [new, old]
    for each in made:
        await jwts.authenticate(engine, each.token)


async def test_the_first_start_makes_a_key(empty_engine):
    """It is there before anybody asks for a token, and sealed."""
    assert (await published(empty_engine))["keys"] == []

    await bootstrap(empty_engine)

    assert len((await published(empty_engine))["keys"]) == 1
    sealed = await empty_engine.database.value("select sealed from signing_key")
    assert b"PRIVATE KEY" not in sealed


async def test_a_room_that_was_there_before_gets_a_key(empty_engine):
    """At the start of a server, of several of them one; a later start changes nothing."""
    await asyncio.gather(*(ensure(empty_engine) for _ in range(3)))
    first = await published(empty_engine)
    await ensure(empty_engine)

    assert len(first["keys"]) == 1
    assert await published(empty_engine) == first


async def test_what_we_have_not_signed_opens_nothing(engine, ada):
    """Neither another's key, nor another algorithm, nor none, nor a changed word."""
    token = (await jwts.issue(engine, ada, life=LIFE)).token
    header, claims, signature = token.split(".")
    keys = KeySet.import_key_set(await published(engine))
    kid, said = kid_of(token), jwt.decode(token, keys, algorithms=["RS512"]).claims
    stranger, public = RSAKey.generate_key(2048, private=True), (await published(engine))["keys"][0]
    forged = [
        jwt.encode({"alg": "RS512", "kid": kid}, said, stranger, algorithms=["RS512"]),
        jwt.encode({"alg": "RS512", "kid": "nobody's"}, said, stranger, algorithms=["RS512"]),
        jwt.encode({"alg": "RS256", "kid": kid}, said, stranger, algorithms=["RS256"]),
        jwt.encode({"alg": "HS512", "kid": kid}, said, OctKey.import_key(json.dumps(public)), algorithms=["HS512"]),
        f"{header}.{claims}.",
        f"{header}.{claims[:-2]}xx.{signature}",
        f"eyJhbGciOiJub25lIn0.{claims}.",
        f"{token}.x",
        token + "=" * 9000,
    ]

    for each in forged:
        with pytest.raises(Unauthenticated):
            await jwts.authenticate(engine, each)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    st.one_of(st.text(max_size=60), st.from_regex(r"eyJ[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*", fullmatch=True))
)
def test_any_text_is_answered(text):
    """Whatever is sent in place of a token is refused, and nothing else happens; no key is looked up for it."""
    with pytest.raises(Unauthenticated):
        asyncio.run(jwts.authenticate(None, text))
