"""The first start of a control room: an organization, a workspace, an admin, an API key, a user's pair.

It stands with the workspaces, not with access, because it makes both. What it made is committed at once and can be told
again at every later start, so that a server killed before it has written its ready file leaves nobody outside.
"""

import asyncio
import secrets
from pathlib import Path

import msgspec
import structlog
from msgspec import Struct

from controlroom.engine.access import signing_keys
from controlroom.engine.access import store as access_store
from controlroom.engine.access.actions import write_api_key
from controlroom.engine.access.grants import store as grants
from controlroom.engine.access.grants.model import Principal, PrincipalKind
from controlroom.engine.access.model import EVERYTHING, Role, system
from controlroom.engine.access.passwords import hash_password
from controlroom.engine.access.record import record
from controlroom.engine.access.roles.model import ADMIN
from controlroom.engine.access.scope import Of, ScopedTx, scoped
from controlroom.engine.access.server_keys import check_keys, keep, kept
from controlroom.engine.access.users import pairs
from controlroom.engine.access.users import store as user_store
from controlroom.engine.access.users.actions import initial_password_key, write_credential
from controlroom.engine.engine import Engine
from controlroom.engine.workspaces import store
from controlroom.engine.workspaces.model import FirstStart
from controlroom.errors import Invalid, NotFound
from controlroom.ids import ApiKeyId, GrantId, OrganizationId, UserCredentialId, UserId, WorkspaceId, uuid7
from controlroom.keys import Keys
from controlroom.postgres.database import Statements

log = structlog.get_logger(__name__)

_KEPT_AS = "first-start"
_USERNAME = "admin"


class _Made(Struct, frozen=True, kw_only=True):
    """Which rows the first start made."""

    organization_id: OrganizationId
    workspace_id: WorkspaceId
    api_key_id: ApiKeyId
    user_id: UserId
    credential_id: UserCredentialId
    identifier: str


async def keys_for(database: Statements, *, master_key: str | None, file: Path) -> Keys:
    """The keys of a room, by its master key or the file of it, which is made for a room that is not founded yet.

    Raises Invalid `MASTER_KEY` when the database is another key's, or the file of its key is missing: a new one would
    open nothing of what is there.
    """
    founded = await store.is_founded(database)
    if master_key is None and founded and not await asyncio.to_thread(file.exists):
        raise Invalid(
            f"the master key is missing: {file} is not there, and this room's database has secrets that only it opens. "
            "Put the file back, or give the key by CONTROLROOM_MASTER_KEY",
            code="MASTER_KEY",
        )
    keys = Keys.from_base64(master_key) if master_key is not None else Keys.from_file(file)
    if founded:
        await check_keys(database, keys, _KEPT_AS)
    return keys


async def bootstrap(engine: Engine) -> FirstStart | None:
    """On an empty database, make what a room needs, and tell it; None if there is an organization already.

    One commit, one winner: of several servers that start at once, one makes it and the others get None.
    """
    if await store.is_founded(engine.database):
        return None
    password = secrets.token_urlsafe(18)
    password_hash, signing_key = await asyncio.gather(hash_password(password), signing_keys.make())
    organization, workspace = OrganizationId(uuid7()), WorkspaceId(uuid7())
    async with scoped(engine.database, organization) as tx:
        await store.lock_first_start(tx)
        if await store.is_founded(tx):
            return None
        await store.add_organization(tx, organization, "Control Room")
        await store.add(tx, organization, workspace, "Default")
        admin = await user_store.add_user(
            tx,
            user=UserId(uuid7()),
            organization=organization,
            username=_USERNAME,
            password_hash=password_hash,
        )
        await _let_govern(tx, organization, workspace, admin.id)
        key, value = await write_api_key(
            engine,
            tx,
            Of(organization, (workspace,)),
            name="first key",
            permissions=EVERYTHING,
            created_by=admin.id,
        )
        await _let_govern_by(tx, organization, key.id)
        credential, pair = await write_credential(engine, tx, admin.id, name="first credentials")
        made = _Made(
            organization_id=organization,
            workspace_id=workspace,
            api_key_id=key.id,
            user_id=admin.id,
            credential_id=credential.id,
            identifier=credential.identifier,
        )
        await signing_keys.write(engine, tx, signing_key)
        await keep(engine, tx, _KEPT_AS, msgspec.json.encode(made))
        await keep(engine, tx, initial_password_key(admin.id), password.encode())
        await record(engine, tx, system(organization), made, "organization.created", organization)
    log.info("control room founded", organization=str(organization), workspace=str(workspace))
    return FirstStart(
        workspace_id=workspace, api_key=value, username=_USERNAME, password=password, user_credentials=pair
    )


async def first_start(engine: Engine) -> FirstStart:
    """What the first start made, told again from what is kept sealed. Audited as a reveal by the room itself.

    For the operator of the server alone: it asks for no permission but the master key. A key or pair that was deleted,
    and a password that the admin has changed, is None. Raises NotFound before `bootstrap`.
    """
    kept_rows = await kept(engine, _KEPT_AS)
    if kept_rows is None:
        raise NotFound("this control room has not been founded yet", code="NOT_FOUNDED")
    made = msgspec.json.decode(kept_rows, type=_Made)
    scope = Of(made.organization_id, (made.workspace_id,))
    async with scoped(engine.database, scope) as tx:
        key = await access_store.sealed_api_key(tx, scope, made.api_key_id)
        secret = await pairs.sealed_credential(tx, made.credential_id)
        user = await user_store.user(tx, made.organization_id, made.user_id)
        if key is not None:
            await record(engine, tx, system(made.organization_id), made, "api_key.revealed", made.api_key_id)
    password = await kept(engine, initial_password_key(made.user_id))
    return FirstStart(
        workspace_id=made.workspace_id,
        api_key=None
        if key is None
        else engine.keys.unseal(key.sealed, place=access_store.place_of_api_key(key.id)).decode(),
        username=user.username if user else _USERNAME,
        password=None if password is None else password.decode(),
        user_credentials=None if secret is None else _pair(engine, made, secret),
    )


async def _let_govern(tx: ScopedTx, organization: OrganizationId, workspace: WorkspaceId, admin: UserId) -> None:
    """Make the first user admin of the organization, and owner of its workspace."""
    await grants.add(
        tx,
        organization,
        grant=GrantId(uuid7()),
        principal=Principal(PrincipalKind.USER, admin),
        role=ADMIN,
        workspace=None,
    )
    await grants.add_membership(
        tx, organization, grant=GrantId(uuid7()), workspace=workspace, user=admin, role=Role.OWNER
    )


async def _let_govern_by(tx: ScopedTx, organization: OrganizationId, key: ApiKeyId) -> None:
    """Let the first key do in the organization what the first user may: whoever has it begins a room by it."""
    await grants.add(
        tx,
        organization,
        grant=GrantId(uuid7()),
        principal=Principal(PrincipalKind.CREDENTIAL, key),
        role=ADMIN,
        workspace=None,
    )


def _pair(engine: Engine, made: _Made, sealed: bytes) -> str:
    secret = engine.keys.unseal(sealed, place=pairs.place_of_user_credential(made.credential_id))
    return f"{made.identifier}:{secret.decode()}"
