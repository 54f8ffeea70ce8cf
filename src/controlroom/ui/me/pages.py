"""Oneself: name, password, credentials, sessions, and how pages look in this browser."""

from typing import Any, Final
from uuid import UUID
from zoneinfo import available_timezones

from controlroom.engine.access import personal_tokens, sessions, user_keys
from controlroom.engine.access.errors import UserKeyNotFound
from controlroom.engine.access.logins import log_in
from controlroom.engine.access.users import accounts, log_ins
from controlroom.engine.access.users import actions as users
from controlroom.engine.access.users.accounts import Profile, Standing
from controlroom.engine.access.users.people import person
from controlroom.errors import Conflict, Invalid, NotFound, Unauthenticated
from controlroom.ids import PersonalTokenId, SessionId, UserCredentialId, UserId, UserKeyId
from controlroom.ui import cookies
from controlroom.ui.asking import Asking, Crumb, Path, Shown
from controlroom.ui.frame import DENSITIES, THEMES
from controlroom.ui.questions import ask
from controlroom.ui.refusals import REFUSED, said, tried
from controlroom.ui.rights import everybody
from controlroom.ui.routing import GROUPS, page, verb

_ABOVE: Final = {"above_workspaces": True}
_MOST: Final = 200
_KINDS: Final = ("pair", "key", "token")
_CRUMB: Final = Crumb("You", "/me")


@page("/me", opt=_ABOVE)
async def show_me(request: Asking) -> Shown:
    """All of it."""
    return await _show(request)


@verb("/me/name", opt=_ABOVE, may=everybody)
async def change_name(request: Asking) -> Shown:
    """What one is called, and where one's mail goes."""
    fields = await request.fields()
    profile = Profile(
        first_name=fields.text("first_name"), last_name=fields.text("last_name"), email=fields.text("email")
    )
    edited = accounts.edit(
        request.engine, request.actor, _own(request), profile=profile, password=None, standing=Standing()
    )
    _, refused = await tried(edited)
    if refused:
        return await _show(request, wrong={"name": refused}, status=REFUSED)
    return request.done("/me", "Your name is saved.")


@verb("/me/password", opt=_ABOVE, may=everybody)
async def change_password(request: Asking) -> Shown:
    """A new password, by who knows the one that holds. All sessions end; this browser begins another one."""
    fields = await request.fields()
    old, new = fields.raw("old"), fields.raw("new")
    user = await person(request.engine, request.actor, _own(request))
    if new != fields.raw("again"):
        return await _show(request, wrong={"new": "The new password was typed in two ways"}, status=REFUSED)
    try:
        await log_in(
            request.engine,
            username=user.username,
            password=old,
            place=request.place,
            organization=request.actor.organization_id,
        )
        await users.set_password(request.engine, request.actor, _own(request), new)
    except Unauthenticated:
        return await _show(request, wrong={"old": "This is not your password"}, status=REFUSED)
    except (Invalid, Conflict) as refused:
        return await _show(request, wrong={"new": said(refused)}, status=REFUSED)
    session = await sessions.begin(request.engine, username=user.username, password=new, place=request.place)
    answer = request.done("/me", "Your password is changed. All other sessions have ended.")
    name, life = cookies.session_cookie(request.origin), int(sessions.LIFE.total_seconds())
    answer.add(cookies.kept(name, session.token, origin=request.origin, seconds=life))
    return answer


@verb("/me/sessions/{session:uuid}/end", opt=_ABOVE, may=everybody)
async def end_session(request: Asking, session: Path[UUID]) -> Shown:
    """Log out somewhere else."""
    await log_ins.end_session(request.engine, request.actor, _own(request), SessionId(session))
    return request.done("/me#sessions", "The session has ended.")


@verb("/me/credentials", opt=_ABOVE, may=everybody)
async def make_credential(request: Asking) -> Shown:
    """A pair for rcc, or a token for programs; its value is shown this once."""
    fields = await request.fields()
    kind, name = fields.text("kind"), fields.text("name")
    if kind not in _KINDS:
        raise Invalid("There is no such credential.", code="CREDENTIAL_KIND_WRONG")
    engine, actor, own = request.engine, request.actor, _own(request)
    made: tuple[Any, str] | None
    if kind == "pair":
        made, refused = await tried(users.create_credential(engine, actor, own, name=name))
    elif kind == "key":
        made, refused = await tried(user_keys.make(engine, actor, own, name=name))
    else:
        made, refused = await tried(personal_tokens.make(engine, actor, own, name=name))
    if made is None:
        return await _show(request, wrong={"credential": refused}, status=REFUSED)
    return await _value(request, made, kind)


@page("/me/credentials/{kind:str}/{credential:uuid}/delete", opt=_ABOVE)
async def ask_to_delete(request: Asking, kind: Path[str], credential: Path[UUID]) -> Shown:
    """What ends with it."""
    engine, actor, own = request.engine, request.actor, _own(request)
    known = [
        *(("pair", each.id, each.name) for each in await users.list_credentials(engine, actor, own, limit=_MOST)),
        *(("key", each.id, each.name) for each in await user_keys.list_keys(engine, actor, own)),
        *(("token", each.id, each.name) for each in await personal_tokens.list_tokens(engine, actor, own)),
    ]
    name = next((name for its, id_, name in known if (its, id_) == (kind, credential)), None)
    if name is None:
        raise NotFound("There is no such credential.", code="CREDENTIAL_UNKNOWN")
    return await ask(
        request,
        f"Delete the {kind} {name}",
        label="Delete",
        back="/me#credentials",
        lost="Programs that come as you with it are refused at once.",
        stays="Your other credentials stay.",
        at="me",
        crumbs=[_CRUMB, Crumb(f"Delete {name}")],
    )


@verb("/me/credentials/{kind:str}/{credential:uuid}/delete", opt=_ABOVE, may=everybody)
async def delete_credential(request: Asking, kind: Path[str], credential: Path[UUID]) -> Shown:
    """What it signs is accepted no more."""
    engine, actor, own = request.engine, request.actor, _own(request)
    if kind == "pair":
        await users.revoke_credential(engine, actor, own, UserCredentialId(credential))
    elif kind == "key":
        await user_keys.revoke(engine, actor, own, UserKeyId(credential))
    else:
        await personal_tokens.delete(engine, actor, own, PersonalTokenId(credential))
    return request.done("/me#credentials", "The credential is deleted.")


@page("/me/keys/{credential:uuid}/reveal", opt=_ABOVE)
async def ask_to_reveal(request: Asking, credential: Path[UUID]) -> Shown:
    """Whether to look."""
    key = await _key(request, credential)
    return await request.show(
        "users/reveal.html",
        title=f"View {key.name}",
        crumbs=[_CRUMB, Crumb(f"View {key.name}")],
        key=key,
        action=request.scope["path"],
        whom="you",
        back="/me#credentials",
    )


@verb("/me/keys/{credential:uuid}/reveal", opt=_ABOVE, may=everybody)
async def reveal_key(request: Asking, credential: Path[UUID]) -> Shown:
    """Show the value of a key once more, in this answer alone. It is recorded."""
    key = await _key(request, credential)
    value = await user_keys.reveal(request.engine, request.actor, _own(request), key.id)
    return await _value(request, (key, value), "key", is_new=False)


async def _key(request: Asking, wanted: UUID) -> user_keys.UserKey:
    for each in await user_keys.list_keys(request.engine, request.actor, _own(request)):
        if each.id == wanted:
            return each
    raise UserKeyNotFound


@page("/me/tokens/{credential:uuid}/rotate", opt=_ABOVE)
async def ask_to_rotate(request: Asking, credential: Path[UUID]) -> Shown:
    """What stops working then."""
    token = await personal_tokens.get(request.engine, request.actor, _own(request), PersonalTokenId(credential))
    return await request.show(
        "me/rotate.html", title=f"Rotate {token.name}", crumbs=[_CRUMB, Crumb(f"Rotate {token.name}")], token=token
    )


@verb("/me/tokens/{credential:uuid}/rotate", opt=_ABOVE, may=everybody)
async def rotate_token(request: Asking, credential: Path[UUID]) -> Shown:
    """Give a token another value, which is shown this once; the one before opens nothing more."""
    made = await personal_tokens.rotate(request.engine, request.actor, _own(request), PersonalTokenId(credential))
    return await _value(request, made, "token")


async def _value(request: Asking, made: tuple[Any, str], kind: str, *, is_new: bool = True) -> Shown:
    name = made[0].name
    return await request.show(
        "me/value.html", title=f"Credential {name}", crumbs=[_CRUMB, Crumb(name)], made=made, kind=kind, is_new=is_new
    )


@verb("/me/start", opt=_ABOVE, may=everybody)
async def choose_start(request: Asking) -> Shown:
    """With which page a visit begins, in this browser."""
    fields = await request.fields()
    at = fields.text("start")
    if at not in {place.at for place in request.app.state.places}:
        raise Invalid("There is no such page to begin with.", code="START_UNKNOWN")
    answer = request.done("/me", "A visit begins there from now on.")
    answer.add(cookies.remembered(cookies.START, at, request.origin))
    return answer


def _own(request: Asking) -> UserId:
    """Whose page it is: sessions are of users."""
    assert request.actor.id is not None  # noqa: S101 - a session has a user
    return UserId(request.actor.id)


async def _show(request: Asking, *, wrong: dict[str, str] | None = None, status: int = 200) -> Shown:
    engine, actor, own = request.engine, request.actor, _own(request)
    order = [at for _, places in GROUPS for at in places]
    places = sorted(
        (each for each in request.app.state.places if each.at in order and not each.is_above),
        key=lambda each: order.index(each.at),
    )
    return await request.show(
        "me/me.html",
        title="You",
        at="me",
        crumbs=[Crumb("You")],
        status=status,
        wrong=wrong or {},
        user=await person(engine, actor, own),
        sessions=await log_ins.list_sessions(engine, actor, own),
        session=await log_ins.session_of(engine, actor, request.scope["state"]["token"]),
        pairs=await users.list_credentials(engine, actor, own, limit=_MOST),
        most_pairs=_MOST,
        keys=await user_keys.list_keys(engine, actor, own),
        tokens=await personal_tokens.list_tokens(engine, actor, own),
        zones=sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/")),
        themes=THEMES,
        densities=DENSITIES,
        places=[(each.at, each.name) for each in places],
        start=cookies.remembered_of(request.cookie, cookies.START) or (places[0].at if places else ""),
    )
