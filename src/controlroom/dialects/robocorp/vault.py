"""The vault as robots use it (§4): secrets encrypted for the robot's key, and for ours on their way back."""

import base64
import binascii
from typing import Annotated

from litestar import MediaType, get, put
from msgspec import Struct, field

from controlroom.border.answers import shown_as
from controlroom.border.asking import Asking, Body, Path, Permission, QueryParameter
from controlroom.dialects.robocorp import vault_transit
from controlroom.errors import Invalid

_SECRETS = "/secrets-v1/workspaces/{workspace_id:uuid}/secrets"


class Encryption(Struct, frozen=True, rename="camel", kw_only=True):
    """How a value is encrypted; bytes are base64."""

    encryption_scheme: str
    encrypted_aes: bytes = field(name="encryptedAES")
    auth_tag: bytes
    iv: bytes


class SecretMessage(Struct, frozen=True, kw_only=True):
    """A secret on its way, in either direction. The name in the path is the one that counts."""

    name: str = ""
    description: str = ""
    value: bytes
    encryption: Encryption


class Stored(Struct, frozen=True):
    """The secret as it is known now."""

    name: str
    description: str


@get(f"{_SECRETS}/publicKey", media_type=MediaType.TEXT)
async def get_public_key(request: Asking) -> str:
    """The key that secrets are to be encrypted for: base64 of its DER form."""
    return base64.b64encode(await vault_transit.transit_public_key(request.engine)).decode()


@get(f"{_SECRETS}/{{name:str}}")
async def get_secret(
    request: Asking,
    name: Path[str],
    encryption_scheme: Annotated[str | None, QueryParameter(name="encryptionScheme")] = None,
    public_key: Annotated[str | None, QueryParameter(name="publicKey")] = None,
) -> SecretMessage:
    """A secret, encrypted for the key that the robot brings."""
    _check_scheme(encryption_scheme)
    secret, parcel = await vault_transit.read_encrypted(
        *request.calling, name, public_key=_from_base64(public_key or "")
    )
    return SecretMessage(
        name=secret.name, description=secret.description, value=parcel.value, encryption=_show_encryption(parcel)
    )


# The right is asked for before a body is read and anything is decrypted.
@put(f"{_SECRETS}/{{name:str}}", status_code=200, needs=Permission.WRITE_SECRETS, open_to_robots=True)
async def put_secret(request: Asking, name: Path[str], data: Body[SecretMessage]) -> Stored:
    """Create a secret, or replace all its values."""
    sent = data.encryption
    _check_scheme(sent.encryption_scheme)
    parcel = vault_transit.Parcel(
        value=data.value, encrypted_aes=sent.encrypted_aes, auth_tag=sent.auth_tag, iv=sent.iv
    )
    secret = await vault_transit.put_encrypted(*request.calling, name, parcel=parcel, description=data.description)
    return Stored(secret.name, secret.description)


_show_encryption = shown_as(Encryption, vault_transit.Parcel, encryption_scheme=lambda _: vault_transit.SCHEME)


def _check_scheme(scheme: str | None) -> None:
    if scheme != vault_transit.SCHEME:
        raise Invalid(f"The only encryptionScheme here is {vault_transit.SCHEME}.", code="ENCRYPTION_SCHEME_UNKNOWN")


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text.replace(" ", "+"), validate=True)  # a plus that nobody quoted arrives as a space
    except binascii.Error as broken:
        raise vault_transit.TransitInvalid("publicKey is not base64.") from broken
