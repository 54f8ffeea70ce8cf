"""Lockers: how secrets of the organization are shared, with whom, and what is in them. Never a value."""

from typing import Final

from controlroom.engine.access import history
from controlroom.engine.access.nouns import ROLE, USER
from controlroom.engine.references import resolve
from controlroom.engine.vault.lockers import actions
from controlroom.engine.vault.lockers.listings import LOCKERS, seen_by
from controlroom.engine.vault.lockers.model import Locker, LockerRight, Standing
from controlroom.engine.vault.lockers.restoring import restore
from controlroom.engine.vault.lockers.rules import asker_of, has
from controlroom.engine.vault.lockers.store import LOCKER
from controlroom.engine.vault.shared.listings import seen_by as secrets_seen_by
from controlroom.ids import LockerId
from controlroom.ui.asking import Asking, Crumb, Fields, Path, Permission, Shown
from controlroom.ui.lists import Col, ListPage
from controlroom.ui.lockers.listing import LIST as SECRETS_LIST
from controlroom.ui.numbers import ensure_number, id_of
from controlroom.ui.refusals import REFUSED, tried
from controlroom.ui.rights import everybody, held, in_organization
from controlroom.ui.routing import page, verb
from controlroom.ui.secrets.pages import tabs_of

_LIST: Final = ListPage(
    listing=LOCKERS,
    row=Locker,
    path="/lockers",
    noun="lockers",
    noun_of_one="locker",
    topics="locker",
    columns=(
        Col("name", "Locker", sort="name", always=True),
        Col(
            "members",
            "Looked after by",
            csv=lambda locker: ", ".join(each.username for each in locker.members),
        ),
        Col("secret_count", "Secrets", sort="secret_count", is_number=True),
        Col("updated_at", "Changed", sort="updated_at", is_number=True, always=True),
    ),
    searched=("name", "description"),
    searched_words="Name, description, number or id",
    sort="name",
)


@page("/lockers", needs=Permission.READ_SECRETS)
async def list_lockers(request: Asking) -> Shown:
    """Those that the actor may know of."""
    return await request.show(
        "lockers/list.html",
        title="Lockers",
        at="secrets",
        crumbs=request.way(("Secrets", "/secrets"), "Lockers"),
        found=await _LIST.read(request, seen=seen_by(asker_of(request.actor))),
        beside=tabs_of(request, "Lockers"),
        may_make=request.actor.uses(Permission.OWN_SECRETS, None),
    )


@page("/lockers/new", needs=Permission.READ_SECRETS)
async def ask_for_locker(request: Asking) -> Shown:
    """Its name."""
    return await _form(request, None, Fields([]))


@verb("/lockers/new", may=in_organization(Permission.OWN_SECRETS))
async def create_locker(request: Asking) -> Shown:
    """Make it; who makes it owns it."""
    fields = await request.fields()
    made, refused = await tried(
        actions.create(*request.governing, name=fields.text("name"), description=fields.text("description"))
    )
    if made is None:
        return await _form(request, None, fields, refused=refused)
    return request.done(f"{request.base}/lockers/{made.number}", f"The locker {made.name} is made.")


@page("/lockers/{number:str}", needs=Permission.READ_SECRETS)
async def show_locker(request: Asking, number: Path[str]) -> Shown:
    """Who looks after it, who uses it, and what is in it."""
    locker = await _locker(request, number)
    ensure_number(request, number, locker.number)
    return await _show(request, locker)


@page("/lockers/{number:str}/edit", needs=Permission.READ_SECRETS)
async def ask_to_edit(request: Asking, number: Path[str]) -> Shown:
    """Its name and description."""
    locker = await _locker(request, number)
    pairs = [("name", locker.name), ("description", locker.description), ("revision", str(locker.revision))]
    return await _form(request, locker, Fields(pairs))


@verb("/lockers/{number:str}/edit", may=held(LockerRight.MANAGE))
async def edit_locker(request: Asking, number: Path[str]) -> Shown:
    """Call it otherwise."""
    fields = await request.fields()
    locker = await _locker(request, number)
    revision = fields.text("revision")
    _, refused = await tried(
        actions.edit(
            *request.governing,
            locker.id,
            name=fields.text("name"),
            description=fields.text("description"),
            revision=int(revision) if revision.isdecimal() and len(revision) < 10 else None,  # noqa: PLR2004
        )
    )
    if refused:
        return await _form(request, locker, fields, refused=refused)
    return request.done(f"{request.base}/lockers/{number}", "The locker is changed.")


@verb("/lockers/{number:str}/members", may=held(LockerRight.OWN))
async def set_member(request: Asking, number: Path[str]) -> Shown:
    """Let a user look after it, with the rights that are ticked; with none, no more."""
    fields = await request.fields()
    locker = await _locker(request, number)
    rights = [each for each in LockerRight if each.value in fields.texts("right")]
    finding = resolve(request.db, request.scope_for(Permission.READ_SECRETS), USER, fields.text("user"))
    user, refused = await tried(finding)
    if user is not None:
        change = (
            actions.set_member(*request.governing, locker.id, user, rights)
            if rights
            else actions.remove_member(*request.governing, locker.id, user)
        )
        _, refused = await tried(change)
    if refused:
        return await _show(request, locker, refused=refused)
    here, said_ = f"{request.base}/lockers/{number}", "Who looks after the locker is changed."
    had = next((each.rights for each in locker.members if each.user_id == user), None)
    if rights or not had:
        return request.done(here, said_)
    right = max(had, key=list(LockerRight).index)  # it includes the lesser ones
    return request.done(here, said_, undo=f"{here}/members", undo_with={"user": str(user), "right": right.value})


@verb("/lockers/{number:str}/consumers", may=held(LockerRight.MANAGE))
async def change_consumers(request: Asking, number: Path[str]) -> Shown:
    """Let the holders of a role use what is in it, or no more."""
    fields = await request.fields()
    locker = await _locker(request, number)
    finding = resolve(request.db, request.scope_for(Permission.READ_SECRETS), ROLE, fields.text("role"))
    role, refused = await tried(finding)
    if role is not None:
        verb_of = actions.remove_consumer if fields.has("gone") else actions.add_consumer
        _, refused = await tried(verb_of(*request.governing, locker.id, role))
    if refused:
        return await _show(request, locker, refused=refused)
    here = f"{request.base}/lockers/{number}"
    undo_with = {"role": str(role)} if fields.has("gone") else {"role": str(role), "gone": "1"}
    return request.done(here, "Who uses the locker is changed.", undo=f"{here}/consumers", undo_with=undo_with)


@page("/lockers/{number:str}/delete", needs=Permission.READ_SECRETS)
async def ask_to_delete(request: Asking, number: Path[str]) -> Shown:
    """Who uses what is in it."""
    return await _question(request, await _locker(request, number))


@verb("/lockers/{number:str}/delete", may=held(LockerRight.OWN))
async def delete_locker(request: Asking, number: Path[str]) -> Shown:
    """Delete it; the secrets in it stay their owners'."""
    locker = await _locker(request, number)
    _, refused = await tried(actions.delete(*request.governing, locker.id))
    if refused:
        return await _question(request, locker, refused=refused)
    said = "The locker is deleted. What was in it is its owners' alone."
    return request.done(f"{request.base}/lockers", said, undo=f"{request.base}/lockers/{locker.id}/restore")


@verb("/lockers/{number:str}/restore", may=everybody)
async def restore_locker(request: Asking, number: Path[str]) -> Shown:
    """Have it again after it was deleted; its id says which it was. Who owned it may: the engine knows."""
    again = await restore(*request.governing, LockerId(id_of(number)))
    said = f"{again.name} is there again, with who looks after it, who uses it, and the secrets that were in it."
    return request.done(f"{request.base}/lockers/{again.number}", said)


async def _locker(request: Asking, named: str) -> Locker:
    found: LockerId = await resolve(request.db, request.scope_for(Permission.READ_SECRETS), LOCKER, named)
    locker = await actions.get(*request.governing, found)
    asker = asker_of(request.actor)
    mine = {right for each in locker.members if each.user_id == request.actor.id for right in each.rights}
    standing = Standing.of(asker, mine, consumes=False)
    request.holds_rights(right for right in LockerRight if has(standing, right))
    return locker


async def _show(request: Asking, locker: Locker, *, refused: str = "") -> Shown:
    seen = secrets_seen_by(asker_of(request.actor))
    return await request.show(
        "lockers/locker.html",
        title=locker.name,
        at="secrets",
        crumbs=_crumbs(request, locker),
        status=REFUSED if refused else 200,
        locker=locker,
        here=f"{request.base}/lockers/{locker.number}",
        consumers=await actions.consumers(*request.governing, locker.id),
        secrets=await SECRETS_LIST.first(request, {"locker": str(locker.id)}, seen=seen),
        rights=list(LockerRight),
        changes=await history.changes_of(request.db, request.scope_for(Permission.READ_SECRETS), locker.id),
        may_manage=LockerRight.MANAGE in request.asker.held,
        may_own=LockerRight.OWN in request.asker.held,
        refused=refused,
    )


def _crumbs(request: Asking, locker: Locker | None, last: str = "") -> list[Crumb]:
    above = [Crumb("Secrets", f"{request.base}/secrets"), Crumb("Lockers", f"{request.base}/lockers")]
    if locker is not None:
        above.append(Crumb(locker.name, f"{request.base}/lockers/{locker.number}" if last else ""))
    return [*above, Crumb(last)] if last else above


async def _form(request: Asking, locker: Locker | None, fields: Fields, *, refused: str = "") -> Shown:
    return await request.show(
        "lockers/form.html",
        title=f"Edit {locker.name}" if locker else "New locker",
        at="secrets",
        crumbs=_crumbs(request, locker, "Edit" if locker else "New locker"),
        status=REFUSED if refused else 200,
        locker=locker,
        fields=fields,
        refused=refused,
    )


async def _question(request: Asking, locker: Locker, *, refused: str = "") -> Shown:
    return await request.show(
        "lockers/delete.html",
        title=f"Delete {locker.name}",
        at="secrets",
        crumbs=_crumbs(request, locker, "Delete"),
        status=REFUSED if refused else 200,
        locker=locker,
        consumers=await actions.consumers(*request.governing, locker.id),
        refused=refused,
    )
