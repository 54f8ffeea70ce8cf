"""The vault as robots use it (§4): secrets encrypted for the robot's key, and for ours on their way back.

The two directions differ in one point, which clients rely on (§4.2, §4.4): to a robot the nonce is the *lower-case hex
text* of the IV, from a robot it is the IV itself.
"""

import asyncio
import base64
import binascii
from typing import Annotated, Any

import msgspec
from litestar import MediaType, get, put
from msgspec import field

from controlroom.border.asking import Asking, Body, Path, Permission, QueryParameter
from controlroom.border.envelopes import Envelope, EnvelopeInvalid, RoomKey, enclosed, opened
from controlroom.dialects.robocorp.answers import OlderShape, Shape, shown_as
from controlroom.engine.vault import actions as vault
from controlroom.engine.vault.errors import SecretTooLarge
from controlroom.errors import Invalid
from controlroom.json_limits import check_nesting

_SECRETS = "/secrets-v1/workspaces/{workspace_id:uuid}/secrets"
_SCHEME = "robocloud-vault-transit-v2"
_KEY = RoomKey("vault-transit")
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Encryption(OlderShape, frozen=True, kw_only=True):
    """How a value is encrypted; bytes are base64."""

    encryption_scheme: str
    encrypted_aes: bytes = field(name="encryptedAES")
    auth_tag: bytes
    iv: bytes


class SecretMessage(Shape, frozen=True, kw_only=True):
    """A secret on its way, in either direction. The name in the path is the one that counts."""

    name: str = ""
    description: str = ""
    value: bytes
    encryption: Encryption


class Stored(Shape, frozen=True):
    """The secret as it is known now."""

    name: str
    description: str


@get(f"{_SECRETS}/publicKey", media_type=MediaType.TEXT)
async def get_public_key(request: Asking) -> str:
    """The key that secrets are to be encrypted for: base64 of its DER form."""
    return base64.b64encode(await _KEY.public(request.engine)).decode()


@get(f"{_SECRETS}/{{name:str}}")
async def get_secret(
    request: Asking,
    name: Path[str],
    encryption_scheme: Annotated[str | None, QueryParameter(name="encryptionScheme")] = None,
    public_key: Annotated[str | None, QueryParameter(name="publicKey")] = None,
) -> SecretMessage:
    """A secret, encrypted for the key that the robot brings."""
    _check_scheme(encryption_scheme)
    key = _from_base64(public_key or "")
    secret = await vault.read(*request.calling, name)
    sealed = await asyncio.to_thread(_for_robot, key, msgspec.json.encode(secret.values))
    return SecretMessage(
        name=secret.name, description=secret.description, value=sealed.content, encryption=_show_encryption(sealed)
    )


# The right is asked for before a body is read and anything is decrypted.
@put(f"{_SECRETS}/{{name:str}}", status_code=200, needs=Permission.WRITE_SECRETS, open_to_robots=True)
async def put_secret(request: Asking, name: Path[str], data: Body[SecretMessage]) -> Stored:
    """Create a secret, or replace all its values."""
    sent, most = data.encryption, request.engine.limits.secret_bytes
    _check_scheme(sent.encryption_scheme)
    if len(data.value) > most:
        raise SecretTooLarge(most)
    envelope = Envelope(content=data.value, key=sent.encrypted_aes, tag=sent.auth_tag, iv=sent.iv)
    plain = await asyncio.to_thread(opened, await _KEY.private(request.engine), envelope, what="the secret")
    secret = await vault.put(*request.calling, name, values=_values(plain), description=data.description)
    return Stored(secret.name, secret.description)


def _for_robot(key: bytes, plaintext: bytes) -> Envelope:
    """Encrypt for a robot's key (DER, SubjectPublicKeyInfo). Raises EnvelopeInvalid if it is not such a key."""
    return enclosed(plaintext, key, form="DER", iv_bytes=16, nonce=lambda iv: iv.hex().encode())


_show_encryption = shown_as(
    Encryption, Envelope, encryption_scheme=lambda _: _SCHEME, encrypted_aes="key", auth_tag="tag"
)


def _values(plain: bytes) -> dict[str, Any]:
    check_nesting(plain)
    try:
        return _decode(plain)
    except (msgspec.MsgspecError, UnicodeDecodeError) as broken:
        raise EnvelopeInvalid("the secret is not a JSON object") from broken


def _check_scheme(scheme: str | None) -> None:
    if scheme != _SCHEME:
        raise Invalid(f"The only encryptionScheme here is {_SCHEME}.", code="ENCRYPTION_SCHEME_UNKNOWN")


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text.replace(" ", "+"), validate=True)  # a plus that nobody quoted arrives as a space
    except binascii.Error as broken:
        raise EnvelopeInvalid("publicKey is not base64.") from broken
