"""The encryption of secrets on their way, within TLS (§4.2, §4.4): pure functions on bytes, and the vault through them.

A secret travels encrypted by AES-GCM under a key of its own, which travels encrypted by RSA-OAEP (SHA-256). The two
directions differ in one point, which clients rely on: to a robot the nonce is the *lower-case hex text* of the IV, from
a robot it is the IV itself.
"""

import asyncio
import secrets
from typing import Any
from weakref import WeakKeyDictionary

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)
from msgspec import Struct

from controlroom.engine.access.model import Actor, StepRunActor
from controlroom.engine.access.server_keys import server_key
from controlroom.engine.engine import Engine
from controlroom.engine.vault import actions as vault
from controlroom.engine.vault.errors import SecretTooLarge
from controlroom.engine.vault.model import Secret, SecretValues
from controlroom.errors import Invalid
from controlroom.ids import WorkspaceId
from controlroom.json_limits import check_nesting
from controlroom.keys import Keys

SCHEME = "robocloud-vault-transit-v2"

_OAEP = padding.OAEP(mgf=padding.MGF1(SHA256()), algorithm=SHA256(), label=None)
_IV_BYTES = 16
_TAG_BYTES = 16
_AES_BYTES = frozenset({16, 24, 32})
_NONCE_BYTES = range(8, 129)  # what AES-GCM takes here
_CLIENT_KEY_BITS = range(2048, 8193)  # Why a top: encrypting for an absurd key would be work for nothing

SERVER_KEY_BITS = 3072
"""128 bits of security; made in about half a second, once in the life of a room, opens a secret in 3 ms."""


_SERVER_KEY = "vault-transit"
# Why by the keys: they are the control room's own, one object a process; tests have several rooms in one process.
_server_keys: WeakKeyDictionary[Keys, rsa.RSAPrivateKey] = WeakKeyDictionary()
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class TransitInvalid(Invalid):
    """An encrypted secret that cannot be opened, or a key that nothing can be encrypted for."""

    def __init__(self, why: str) -> None:
        super().__init__(why, code="ENCRYPTION_INVALID")


class Parcel(Struct, frozen=True, kw_only=True):
    """An encrypted secret, as four fields of raw bytes (on the wire each is base64)."""

    value: bytes
    encrypted_aes: bytes
    auth_tag: bytes
    iv: bytes


def encrypt_for(public_key: bytes, plaintext: bytes) -> Parcel:
    """Encrypt for a robot's key (DER, SubjectPublicKeyInfo). Raises TransitInvalid if it is not such a key."""
    try:
        key = load_der_public_key(public_key)
    except ValueError as broken:
        raise TransitInvalid("publicKey is not the DER form of a public key") from broken
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size not in _CLIENT_KEY_BITS:
        raise TransitInvalid("publicKey is not an RSA key of 2048 to 8192 bits")
    aes, iv = secrets.token_bytes(32), secrets.token_bytes(_IV_BYTES)
    sealed = AESGCM(aes).encrypt(iv.hex().encode(), plaintext, None)
    return Parcel(
        value=sealed[:-_TAG_BYTES], encrypted_aes=key.encrypt(aes, _OAEP), auth_tag=sealed[-_TAG_BYTES:], iv=iv
    )


def decrypt(server_key: rsa.RSAPrivateKey, parcel: Parcel) -> bytes:
    """Open what a robot has encrypted for the server's key. Raises TransitInvalid, whatever is wrong with it."""
    try:
        aes = server_key.decrypt(parcel.encrypted_aes, _OAEP)
        if len(aes) in _AES_BYTES and len(parcel.iv) in _NONCE_BYTES and len(parcel.auth_tag) == _TAG_BYTES:
            return AESGCM(aes).decrypt(parcel.iv, parcel.value + parcel.auth_tag, None)
    except (ValueError, InvalidTag):
        pass
    raise TransitInvalid("the secret was not encrypted for this server")


def make_server_key() -> bytes:
    """A new private key, as DER. Takes about half a second of a core."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=SERVER_KEY_BITS)
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def load_server_key(der: bytes) -> rsa.RSAPrivateKey:
    """The private key of its DER form. Takes milliseconds: keep it."""
    key = load_der_private_key(der, password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("the server's key is not an RSA key")
    return key


def public_key_of(server_key: rsa.RSAPrivateKey) -> bytes:
    """What robots encrypt for: DER, SubjectPublicKeyInfo."""
    return server_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


async def read_encrypted(
    engine: Engine, actor: Actor | StepRunActor, workspace: WorkspaceId, name: str, *, public_key: bytes
) -> tuple[SecretValues, Parcel]:
    """`vault.read`, encrypted for the caller's RSA key (DER). Raises also TransitInvalid if it is none."""
    secret = await vault.read(engine, actor, workspace, name)
    parcel = await asyncio.to_thread(encrypt_for, public_key, msgspec.json.encode(secret.values))
    return secret, parcel


async def put_encrypted(
    engine: Engine,
    actor: Actor | StepRunActor,
    workspace: WorkspaceId,
    name: str,
    *,
    parcel: Parcel,
    description: str | None = None,
) -> Secret:
    """`vault.put` what was encrypted for the server's key. Raises TransitInvalid if it opens to no JSON object."""
    if len(parcel.value) > engine.limits.secret_bytes:
        raise SecretTooLarge(engine.limits.secret_bytes)
    key = await _transit_key(engine)
    plain = await asyncio.to_thread(decrypt, key, parcel)
    check_nesting(plain)
    try:
        values = _decode(plain)
    except (msgspec.MsgspecError, UnicodeDecodeError) as broken:
        raise TransitInvalid("the secret is not a JSON object") from broken
    return await vault.put(engine, actor, workspace, name, values=values, description=description)


async def transit_public_key(engine: Engine) -> bytes:
    """The key (DER) that secrets are encrypted for on their way here: the same on every server."""
    return public_key_of(await _transit_key(engine))


async def _transit_key(engine: Engine) -> rsa.RSAPrivateKey:
    known = _server_keys.get(engine.keys)
    if known is None:
        der = await server_key(engine, _SERVER_KEY, make_server_key)
        known = _server_keys[engine.keys] = await asyncio.to_thread(load_server_key, der)
    return known
