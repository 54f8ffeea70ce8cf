"""A user's account, for who governs it: what they may do, by what they come in, and the verbs on it."""

from enum import Enum
from typing import Any, Final

from controlroom.engine.access import personal_tokens, user_keys
from controlroom.engine.access.errors import UserKeyNotFound, UserNotFound
from controlroom.engine.access.model import Permission, User
from controlroom.engine.access.nouns import PERSONAL_TOKEN, USER, USER_CREDENTIAL, USER_KEY
from controlroom.engine.access.scope import Of
from controlroom.engine.access.user_keys import UserKey
from controlroom.engine.access.users import accounts, actions, log_ins, people
from controlroom.engine.access.users.accounts import Profile, Standing
from controlroom.engine.nouns import Ways
from controlroom.engine.references import resolve
from controlroom.engine.workers import defaults
from controlroom.errors import Forbidden, NotFound
from controlroom.ids import SessionId, UserId, WorkerId, as_uuid
from controlroom.ui.asking import Asking, Crumb, Fields, Path, Shown
from controlroom.ui.numbers import ensure_number
from controlroom.ui.pickers.known import ALL_WORKERS, machines_anywhere
from controlroom.ui.questions import ask
from controlroom.ui.refusals import REFUSED, tried
from controlroom.ui.rights import anywhere, every, held, in_organization
from controlroom.ui.routing import page, verb
from controlroom.ui.users.pages import ABOVE, chosen_roles, given_roles

_MOST_PAIRS: Final = 200
_ONE: Final = "/admin/users/{named:str}"


class Over(Enum):
    """What the actor may be to a user."""

    ACCOUNT = "account"
    """Who governs their account: it is the actor's own, or the actor may all that they may."""


@page(_ONE, opt=ABOVE, is_read=True)
async def show_user(request: Asking, named: Path[str]) -> Shown:
    """All of it; who does not govern the account sees who it is."""
    return await _show(request, await _user(request, named))


async def _show(request: Asking, user: User, *, fields: Fields | None = None, refused: str = "") -> Shown:
    person = await _person(request, user.id)
    worker = fields.text("worker") if fields else str(await _default_worker(request, user.id) or "")
    values: dict[str, Any] = {
        "user": user,
        "full_name": _name(user),
        "is_self": user.id == request.actor.id,
        "person": person,
        "audits": request.actor.may(Permission.READ_AUDIT, None),
        "can_write": request.actor.may(Permission.WRITE_MEMBERS, None),
        "worker": await ALL_WORKERS.offered(request, worker) if machines_anywhere(request) else None,
        "refused": refused,
        **await _keys_and_sessions(request, user.id),
        **await given_roles(request, [each.id for each in person.roles] if person else ()),
    }
    return await request.show(
        "users/one.html",
        title=_name(user),
        at="users",
        crumbs=_crumbs(request, Crumb(_name(user))),
        status=REFUSED if refused else 200,
        **values,
    )


@verb(_ONE, opt=ABOVE, may=held(Over.ACCOUNT))
async def edit_user(request: Asking, named: Path[str]) -> Shown:
    """Change what is told of them, and which roles they hold in the organization."""
    fields = await request.fields()
    user = await _user(request, named)
    standing = Standing()
    if fields.has("standing"):
        chosen = await chosen_roles(request, fields)
        standing = Standing(roles=chosen, runs_robots=fields.has("runs_robots"))
    profile = Profile(
        first_name=fields.text("first_name"), last_name=fields.text("last_name"), email=fields.text("email")
    )
    await accounts.edit(*request.governing, user.id, profile=profile, password=None, standing=standing)
    return request.done(f"/admin/users/{user.number}", "Saved.")


@page(f"{_ONE}/password", opt=ABOVE)
async def ask_for_password(request: Asking, named: Path[str]) -> Shown:
    """What a new password does."""
    return await _ask(request, named, "users/password.html", "New password")


@verb(f"{_ONE}/password", opt=ABOVE, may=held(Over.ACCOUNT))
async def set_password(request: Asking, named: Path[str]) -> Shown:
    """Give them another password; for once, unless that is not wanted."""
    fields = await request.fields()
    user = await _user(request, named)
    await actions.set_password(
        *request.governing, user.id, fields.raw("password"), is_temporary=fields.has("temporary")
    )
    return request.done(f"/admin/users/{user.number}", "The password is set, and their sessions have ended.")


@verb(f"{_ONE}/disable", opt=ABOVE, may=held(Over.ACCOUNT))
async def disable(request: Asking, named: Path[str]) -> Shown:
    """Let them in no more."""
    user = await _user(request, named)
    await actions.disable_user(*request.governing, user.id)
    here = f"/admin/users/{user.number}"
    return request.done(here, f"{_name(user)} is let in no more.", undo=f"{here}/enable")


@verb(f"{_ONE}/enable", opt=ABOVE, may=held(Over.ACCOUNT))
async def enable(request: Asking, named: Path[str]) -> Shown:
    """Let them in again."""
    user = await _user(request, named)
    await actions.enable_user(*request.governing, user.id)
    here = f"/admin/users/{user.number}"
    return request.done(here, f"{_name(user)} is let in again.", undo=f"{here}/disable")


@page(f"{_ONE}/delete", opt=ABOVE)
async def ask_to_delete(request: Asking, named: Path[str]) -> Shown:
    """What goes with them."""
    return await _ask(request, named, "users/delete.html", "Delete")


@verb(f"{_ONE}/delete", opt=ABOVE, may=every(held(Over.ACCOUNT), in_organization(Permission.WRITE_MEMBERS)))
async def delete(request: Asking, named: Path[str]) -> Shown:
    """Delete them."""
    await accounts.delete(*request.governing, (await _user(request, named)).id)
    return request.done("/admin/users", "The user is deleted; what they did stays written.")


@verb(f"{_ONE}/default-worker", opt=ABOVE, may=every(held(Over.ACCOUNT), anywhere(Permission.WRITE_MEMBERS)))
async def set_default_worker(request: Asking, named: Path[str]) -> Shown:
    """Where robots run as the user, unless other places are named; or nowhere in particular."""
    fields = await request.fields()
    user = await _user(request, named)
    before = await _default_worker(request, user.id)
    here = f"/admin/users/{user.number}"
    chosen, refused = await tried(ALL_WORKERS.chosen(request, fields.text("worker")))
    if not refused:
        worker = as_uuid(chosen or "")
        _, refused = await tried(
            defaults.set_default(*request.governing, user.id, None if worker is None else WorkerId(worker))
        )
    if refused:
        return await _show(request, user, fields=fields, refused=refused)
    undo_with = {"worker": str(before or "")}
    return request.done(here, "Their default worker is changed.", undo=f"{here}/default-worker", undo_with=undo_with)


async def _default_worker(request: Asking, user: UserId) -> WorkerId | None:
    """The default worker of a user, as far as the actor may know of it."""
    seen = machines_anywhere(request)
    if seen is None:
        return None
    return (await defaults.of_users(request.db, seen, [user])).get(user)


@verb(f"{_ONE}/sessions/end", opt=ABOVE, may=held(Over.ACCOUNT))
async def end_sessions(request: Asking, named: Path[str]) -> Shown:
    """Log them out: of one session, or wherever they are."""
    fields = await request.fields()
    user = await _user(request, named)
    if (session := as_uuid(fields.text("session"))) is not None:
        await log_ins.end_session(*request.governing, user.id, SessionId(session))
    else:
        await log_ins.end_sessions(*request.governing, user.id)
    return request.done(f"/admin/users/{user.number}", "Logged out.")


@verb(f"{_ONE}/credentials", opt=ABOVE, may=held(Over.ACCOUNT))
async def make_credential(request: Asking, named: Path[str]) -> Shown:
    """Make a pair, a key or a token, and show it this once."""
    fields = await request.fields()
    user, name = await _user(request, named), fields.text("name")
    match fields.text("kind"):
        case "pair":
            _, value = await actions.create_credential(*request.governing, user.id, name=name)
        case "key":
            _, value = await user_keys.make(*request.governing, user.id, name=name)
        case _:
            _, value = await personal_tokens.make(*request.governing, user.id, name=name)
    return await _value(request, user, name, value, kind=fields.text("kind"), is_new=True)


@page(f"{_ONE}/credentials/{{kind:str}}/{{of:str}}/reveal", opt=ABOVE)
async def ask_to_reveal(request: Asking, named: Path[str], kind: Path[str], of: Path[str]) -> Shown:
    """Whether to look."""
    user = await _user(request, named)
    key = await _key(request, user, kind, of)
    crumbs = _crumbs(request, Crumb(_name(user), f"/admin/users/{user.number}"), Crumb(f"View {key.name}"))
    return await request.show(
        "users/reveal.html",
        title=f"View {key.name}",
        at="users",
        crumbs=crumbs,
        key=key,
        action=request.scope["path"],
        whom=_name(user),
        back=f"/admin/users/{user.number}",
    )


@verb(f"{_ONE}/credentials/{{kind:str}}/{{of:str}}/reveal", opt=ABOVE, may=held(Over.ACCOUNT))
async def reveal(request: Asking, named: Path[str], kind: Path[str], of: Path[str]) -> Shown:
    """Show the value of a key once more, in this answer alone. It is recorded who saw it."""
    user = await _user(request, named)
    key = await _key(request, user, kind, of)
    value = await user_keys.reveal(*request.governing, user.id, key.id)
    return await _value(request, user, key.name, value, kind=kind, is_new=False)


async def _key(request: Asking, user: User, kind: str, of: str) -> UserKey:
    """A key of the user; what another kind of credential holds is never seen again. Raises UserKeyNotFound."""
    if kind == "key" and of.isdecimal():
        for each in await user_keys.list_keys(*request.governing, user.id):
            if str(each.number) == of:
                return each
    raise UserKeyNotFound


async def _value(request: Asking, user: User, name: str, value: str, *, kind: str, is_new: bool) -> Shown:
    return await request.show(
        "users/value.html",
        title=name,
        at="users",
        crumbs=_crumbs(request, Crumb(_name(user), f"/admin/users/{user.number}"), Crumb(name)),
        user=user,
        value=value,
        kind=kind,
        is_new=is_new,
    )


@page(f"{_ONE}/credentials/{{kind:str}}/{{of:str}}/revoke", opt=ABOVE)
async def ask_to_revoke(request: Asking, named: Path[str], kind: Path[str], of: Path[str]) -> Shown:
    """What ends with it."""
    user = await _user(request, named)
    known = (await _keys_and_sessions(request, user.id))["credentials"]
    name = next((name for its, number, name, *_ in known if (its, str(number)) == (kind, of)), None)
    if name is None:
        raise NotFound("There is no such credential.", code="CREDENTIAL_UNKNOWN")
    here = f"/admin/users/{user.number}"
    return await ask(
        request,
        f"Revoke the {kind} {name}",
        label="Revoke",
        back=here,
        lost=f"Programs that come as {_name(user)} with it are refused at once.",
        stays="The user keeps their other credentials.",
        at="users",
        crumbs=_crumbs(request, Crumb(_name(user), here), Crumb("Revoke")),
    )


@verb(f"{_ONE}/credentials/{{kind:str}}/{{of:str}}/revoke", opt=ABOVE, may=held(Over.ACCOUNT))
async def revoke_credential(request: Asking, named: Path[str], kind: Path[str], of: Path[str]) -> Shown:
    """Let one open nothing any more."""
    user, ways = await _user(request, named), Ways.ID | Ways.NUMBER
    here = Of(request.actor.organization_id, tuple(request.actor.grants))
    match kind:
        case "pair":
            pair = await resolve(request.db, here, USER_CREDENTIAL, of, ways)
            await actions.revoke_credential(*request.governing, user.id, pair)
        case "key":
            await user_keys.revoke(*request.governing, user.id, await resolve(request.db, here, USER_KEY, of, ways))
        case "token":
            token = await resolve(request.db, here, PERSONAL_TOKEN, of, ways)
            await personal_tokens.delete(*request.governing, user.id, token)
        case _:
            raise NotFound("There is no such kind of credential.", code="CREDENTIAL_KIND_UNKNOWN")
    return request.done(f"/admin/users/{user.number}", "It opens nothing any more.")


async def _user(request: Asking, named: str) -> User:
    here = Of(request.actor.organization_id, tuple(request.actor.grants))
    user = await actions.get_user(*request.governing, await resolve(request.db, here, USER, named))
    if await actions.governs(*request.governing, user.id):
        request.holds_rights([Over.ACCOUNT])
    if request.method in {"GET", "HEAD"}:
        ensure_number(request, named, user.number)
    return user


async def _person(request: Asking, user: UserId) -> people.Person | None:
    """As the directory of the organization has them, for who may read it."""
    try:
        return await people.person(*request.governing, user)
    except (Forbidden, UserNotFound):
        return None


async def _keys_and_sessions(request: Asking, user: UserId) -> dict[str, Any]:
    """By what they come in; nothing for who does not govern the account."""
    try:
        sessions = await log_ins.list_sessions(*request.governing, user)
    except (Forbidden, UserNotFound):
        return {"is_governed": False, "sessions": [], "credentials": [], "most_pairs": _MOST_PAIRS}
    pairs = await actions.list_credentials(*request.governing, user, limit=_MOST_PAIRS)
    keys = await user_keys.list_keys(*request.governing, user)
    tokens = await personal_tokens.list_tokens(*request.governing, user)
    credentials = [
        *(("pair", each.number, each.name, "signs for rcc", each.created_at, each.used_at) for each in pairs),
        *(("key", each.number, each.name, "logs a program in", each.created_at, each.used_at) for each in keys),
        *(("token", each.number, each.name, "shown with each call", each.created_at, each.used_at) for each in tokens),
    ]
    return {"most_pairs": _MOST_PAIRS, "is_governed": True, "sessions": sessions, "credentials": credentials}


def _name(user: User) -> str:
    return f"{user.first_name} {user.last_name}".strip() or user.username


def _crumbs(request: Asking, *more: Crumb) -> list[Crumb]:
    is_wide = request.actor.may(Permission.READ_MEMBERS, None)
    return [Crumb("Users", "/admin/users" if is_wide else None), *more]


async def _ask(request: Asking, named: str, template: str, what: str) -> Shown:
    user = await _user(request, named)
    crumbs = _crumbs(request, Crumb(_name(user), f"/admin/users/{user.number}"), Crumb(what))
    return await request.show(
        template, title=f"{what}: {_name(user)}", at="users", crumbs=crumbs, user=user, full_name=_name(user)
    )
