"""Secrets of the organization: made, filled, shared and given away by who owns them. No page shows a value."""

from enum import Enum
from typing import Final

from controlroom.engine.access import history
from controlroom.engine.access.nouns import USER
from controlroom.engine.nouns import Ways
from controlroom.engine.references import resolve
from controlroom.engine.vault.lockers.rules import asker_of
from controlroom.engine.vault.lockers.store import LOCKER
from controlroom.engine.vault.shared import actions, giving, values
from controlroom.engine.vault.shared.giving import Given, HeldValue
from controlroom.engine.vault.shared.listings import seen_by
from controlroom.engine.vault.shared.model import AttributeDefinition, SecretChange, SharedSecret
from controlroom.engine.vault.shared.rules import may_edit
from controlroom.engine.vault.shared.store import SHARED_SECRET
from controlroom.errors import Invalid
from controlroom.ids import AttributeId, LockerId, SharedSecretId, UserId, as_uuid
from controlroom.ui.asking import Asking, Crumb, Fields, Path, Permission, Shown
from controlroom.ui.lockers.listing import LIST
from controlroom.ui.numbers import ensure_number
from controlroom.ui.pickers.known import LOCKERS
from controlroom.ui.questions import ask
from controlroom.ui.refusals import REFUSED, said, tried
from controlroom.ui.rights import held, in_organization
from controlroom.ui.routing import page, verb
from controlroom.ui.secrets.pages import tabs_of


class Of(Enum):
    """What somebody may change of a secret."""

    SECRET = "secret"  # noqa: S105 - a kind, not a secret
    """What it is, and whose."""
    VALUES = "values"


_READS: Final = Permission.READ_SECRETS
_NEW_ROWS: Final = 3
"""Empty rows for further attributes."""
_MOST_ROWS: Final = 100
_MOST_VALUES: Final = 200
"""Values that are listed: where each user gives their own, there may be many."""


@page("/shared-secrets", needs=_READS)
async def list_secrets(request: Asking) -> Shown:
    """Those that the actor may know of: their own, and what lockers share with them."""
    return await request.show(
        "lockers/secrets.html",
        title="Secrets of the organization",
        at="secrets",
        crumbs=request.way(("Secrets", "/secrets"), "Of the organization"),
        beside=tabs_of(request, "Of the organization"),
        found=await LIST.read(request, seen=seen_by(asker_of(request.actor))),
        may_make=request.actor.uses(Permission.OWN_SECRETS, None),
    )


@page("/shared-secrets/new", needs=_READS)
async def ask_for_secret(request: Asking) -> Shown:
    """Its name, and of what it has values."""
    return await _form(request, None, Fields([]))


@verb("/shared-secrets/new", may=in_organization(Permission.OWN_SECRETS))
async def create_secret(request: Asking) -> Shown:
    """Make it without values; who makes it owns it."""
    fields = await request.fields()
    made, refused = await tried(
        actions.create(
            *request.governing,
            name=fields.text("name"),
            description=fields.text("description"),
            attributes=_attributes(fields),
        )
    )
    if made is None:
        return await _form(request, None, fields, refused=refused)
    return request.done(f"{request.base}/shared-secrets/{made.number}", f"{made.name} is made. Give it its values.")


@page("/shared-secrets/{number:str}", needs=_READS)
async def show_secret(request: Asking, number: Path[str]) -> Shown:
    """Of what it has values, whose it is, and which locker shares it."""
    secret = await _secret(request, number)
    ensure_number(request, number, secret.number)
    return await _show(request, secret)


@page("/shared-secrets/{number:str}/edit", needs=_READS)
async def ask_to_edit(request: Asking, number: Path[str]) -> Shown:
    """Its name, and of what it has values."""
    secret = await _secret(request, number)
    pairs = [("name", secret.name), ("description", secret.description), ("revision", str(secret.revision))]
    for row, each in enumerate(secret.attributes):
        pairs += [(f"id{row}", str(each.id)), (f"name{row}", each.name), (f"about{row}", each.description)]
        ticked = (("masked", each.is_masked), ("password", each.is_password), ("own", each.is_user_provided))
        pairs += [(f"{name}{row}", "on") for name, is_set in ticked if is_set]
    return await _form(request, secret, Fields(pairs))


@verb("/shared-secrets/{number:str}/edit", may=held(Of.SECRET))
async def edit_secret(request: Asking, number: Path[str]) -> Shown:
    """Change it; an attribute whose name was emptied is gone with its values."""
    fields = await request.fields()
    secret = await _secret(request, number)
    change = SecretChange(
        name=fields.text("name"), description=fields.text("description"), attributes=_attributes(fields)
    )
    revision = fields.text("revision")
    is_number = revision.isdecimal() and revision.isascii() and len(revision) < 10  # noqa: PLR2004 - 32 bits
    _, refused = await tried(
        actions.edit(*request.governing, secret.id, change, revision=int(revision) if is_number else None)
    )
    if refused:
        return await _form(request, secret, fields, refused=refused)
    return request.done(f"{request.base}/shared-secrets/{number}", "The secret is changed.")


@verb("/shared-secrets/{number:str}/values", may=held(Of.VALUES))
async def give_values(request: Asking, number: Path[str]) -> Shown:
    """Give attributes values; an empty field leaves what is there."""
    fields = await request.fields()
    secret = await _secret(request, number)
    given = [Given(each.id, fields.raw(f"value:{each.id}")) for each in secret.attributes]
    given = [each for each in given if each.value]
    if not given:
        return await _show(request, secret, refused="No value was typed")
    _, refused = await tried(giving.give(*request.governing, secret.id, given, replaces=True))
    if refused:
        return await _show(request, secret, refused=refused)
    return request.done(f"{request.base}/shared-secrets/{number}", "The values are sealed.")


@page("/shared-secrets/{number:str}/values/{value:int}/remove", needs=_READS)
async def ask_to_remove_value(request: Asking, number: Path[str], value: Path[int]) -> Shown:
    """What is lost."""
    secret = await _secret(request, number)
    its = await _value(request, secret, value)
    whose = f"The value that {its.username} has given is lost." if its.username else "It is everybody's, and is lost."
    who, until = ("Their robots", "they give another one") if its.username else ("Robots", "it is given another one")
    return await ask(
        request,
        f"Remove the value of {its.attribute_name}",
        label="Remove",
        back=f"{request.base}/shared-secrets/{secret.number}",
        lost=whose,
        stays=f"{who} read {secret.name} without {its.attribute_name} until {until}.",
        at="secrets",
        crumbs=_way(request, secret, "Remove a value"),
    )


@verb("/shared-secrets/{number:str}/values/{value:int}/remove", may=held(Of.VALUES))
async def remove_value(request: Asking, number: Path[str], value: Path[int]) -> Shown:
    """Remove one value; the attribute stays, and lacks it."""
    secret = await _secret(request, number)
    its = await _value(request, secret, value)
    await giving.remove(*request.governing, secret.id, its.id)
    return request.done(f"{request.base}/shared-secrets/{number}", f"{its.attribute_name} has lost this value.")


async def _value(request: Asking, secret: SharedSecret, number: int) -> HeldValue:
    """A value that is the actor's to remove. Raises ValueNotFound."""
    its = await resolve(request.db, request.scope_for(_READS), values.VALUE, str(number), Ways.NUMBER)
    return await giving.one_removable(*request.governing, secret.id, its)


@verb("/shared-secrets/{number:str}/locker", may=held(Of.SECRET))
async def put_into_locker(request: Asking, number: Path[str]) -> Shown:
    """Let a locker share it, or none any more."""
    fields = await request.fields()
    secret = await _secret(request, number)
    try:
        if named := await LOCKERS.chosen(request, fields.text("locker")):
            found: LockerId = await resolve(request.db, request.scope_for(_READS), LOCKER, named)
            await actions.put_into(*request.governing, secret.id, found)
        elif secret.locker_id is not None:
            await actions.take_out(*request.governing, secret.id, secret.locker_id)
    except Invalid as wrong:
        return await _show(request, secret, refused=said(wrong))
    return request.done(f"{request.base}/shared-secrets/{number}", "What shares the secret is changed.")


@verb("/shared-secrets/{number:str}/owner", may=held(Of.SECRET))
async def give_away(request: Asking, number: Path[str]) -> Shown:
    """Let another user own it."""
    fields = await request.fields()
    secret = await _secret(request, number)
    finding = resolve(request.db, request.scope_for(_READS), USER, fields.text("user"))
    user, refused = await tried(finding)
    if user is not None:
        owner: UserId = user
        _, refused = await tried(actions.give_to(*request.governing, secret.id, owner))
    if refused:
        return await _show(request, secret, refused=refused)
    return request.done(f"{request.base}/shared-secrets", f"{secret.name} is another's now.")


@page("/shared-secrets/{number:str}/delete", needs=_READS)
async def ask_to_delete(request: Asking, number: Path[str]) -> Shown:
    """What is lost."""
    secret = await _secret(request, number)
    return await request.show(
        "lockers/secret_delete.html",
        title=f"Delete {secret.name}",
        at="secrets",
        crumbs=_way(request, secret, "Delete"),
        secret=secret,
    )


@verb("/shared-secrets/{number:str}/delete", may=held(Of.SECRET))
async def delete_secret(request: Asking, number: Path[str]) -> Shown:
    """Delete it with all its values."""
    secret = await _secret(request, number)
    await actions.delete(*request.governing, secret.id)
    return request.done(f"{request.base}/shared-secrets", f"{secret.name} is deleted, and its values with it.")


async def _secret(request: Asking, named: str) -> SharedSecret:
    found: SharedSecretId = await resolve(request.db, request.scope_for(_READS), SHARED_SECRET, named)
    secret = await actions.get(*request.governing, found)
    if may_edit((await actions.known(request.db, request.actor, found)).standing):
        request.holds_rights(Of)
    elif any(each.is_user_provided for each in secret.attributes):
        request.holds_rights([Of.VALUES])
    return secret


def _attributes(fields: Fields) -> list[AttributeDefinition]:
    """The rows of a form that have a name."""
    return [
        AttributeDefinition(
            id=AttributeId(known) if (known := as_uuid(fields.text(f"id{row}"))) else None,
            name=fields.text(f"name{row}"),
            description=fields.text(f"about{row}"),
            is_masked=fields.has(f"masked{row}"),
            is_password=fields.has(f"password{row}"),
            is_user_provided=fields.has(f"own{row}"),
        )
        for row in range(_MOST_ROWS)
        if fields.text(f"name{row}")
    ]


def _way(request: Asking, secret: SharedSecret | None, last: str) -> list[Crumb]:
    return request.way(
        ("Of the organization", "/shared-secrets"),
        (secret.name, f"/shared-secrets/{secret.number}") if secret else None,
        last,
    )


async def _show(request: Asking, secret: SharedSecret, *, refused: str = "") -> Shown:
    held = await actions.known(request.db, request.actor, secret.id)
    may = may_edit(held.standing)
    user = asker_of(request.actor).user
    return await request.show(
        "lockers/secret.html",
        title=secret.name,
        at="secrets",
        crumbs=request.way(("Of the organization", "/shared-secrets"), secret.name),
        status=REFUSED if refused else 200,
        secret=secret,
        here=f"{request.base}/shared-secrets/{secret.number}",
        removable=(await giving.removable(*request.governing, secret.id))[:_MOST_VALUES],
        most_values=_MOST_VALUES,
        given=set(await values.given(request.db, secret.id, user)),
        fillable=[each for each in secret.attributes if may or each.is_user_provided],
        locker=await LOCKERS.offered(request, str(secret.locker_id or "")) if may else None,
        changes=await history.changes_of(request.db, request.scope_for(_READS), secret.id),
        may_edit=may,
        refused=refused,
    )


async def _form(request: Asking, secret: SharedSecret | None, fields: Fields, *, refused: str = "") -> Shown:
    filled = [row for row in range(_MOST_ROWS) if fields.text(f"name{row}") or fields.text(f"id{row}")]
    return await request.show(
        "lockers/secret_form.html",
        title=f"Edit {secret.name}" if secret else "New secret of the organization",
        at="secrets",
        crumbs=_way(request, secret, "Edit" if secret else "New secret"),
        status=REFUSED if refused else 200,
        secret=secret,
        fields=fields,
        rows=range(min(max(filled, default=-1) + 1 + _NEW_ROWS, _MOST_ROWS)),
        refused=refused,
    )
