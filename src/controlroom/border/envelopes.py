"""Envelopes that only the holder of an RSA key opens: AES-GCM under a key of its own, that one by RSA-OAEP (SHA-256).

Functions on bytes, of some milliseconds each, and the room's own key. What stands on the wire, and by which names, is a
grammar's; it also says what becomes of an envelope's IV, for there are clients that take its text for the nonce.
"""

import asyncio
import secrets
from collections.abc import Callable
from typing import ClassVar, Final, Literal
from weakref import WeakKeyDictionary

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
    load_pem_public_key,
)
from msgspec import Struct

from controlroom.engine.access.server_keys import server_key
from controlroom.engine.engine import Engine
from controlroom.errors import Invalid
from controlroom.keys import Keys

ROOM_KEY_BITS: Final = 3072
"""128 bits of security; made in about half a second, once in the life of a room, opens an envelope in 3 ms."""

_OAEP: Final = padding.OAEP(mgf=padding.MGF1(SHA256()), algorithm=SHA256(), label=None)
_TAG_BYTES = 16
_AES_BYTES = frozenset({16, 24, 32})
_NONCE_BYTES = range(8, 129)  # what AES-GCM takes here
_KEY_BITS = range(2048, 8193)  # Why a top: encrypting for an absurd key would be work for nothing
_LONGEST_KEY = 16_384
_LOADED: Final = {"DER": load_der_public_key, "PEM": load_pem_public_key}


class EnvelopeInvalid(Invalid):
    """An envelope that cannot be opened, or a key that nothing can be encrypted for."""

    code: ClassVar[str] = "ENCRYPTION_INVALID"


class Envelope(Struct, frozen=True, kw_only=True):
    """What was encrypted, as four fields of raw bytes."""

    content: bytes
    key: bytes
    """Of the content, enclosed for the receiver."""
    tag: bytes
    iv: bytes


def enclosed(
    plaintext: bytes,
    public_key: bytes,
    *,
    form: Literal["DER", "PEM"],
    iv_bytes: int,
    nonce: Callable[[bytes], bytes] = bytes,
) -> Envelope:
    """Encrypt for a caller's key, of which messages speak as `publicKey`; `nonce` is made of the IV.

    Raises EnvelopeInvalid if it is no RSA key of 2048 to 8192 bits in that form.
    """
    try:
        if len(public_key) > _LONGEST_KEY:
            raise EnvelopeInvalid("publicKey is too long")
        key = _LOADED[form](public_key)
    except ValueError as broken:
        raise EnvelopeInvalid(f"publicKey is not the {form} form of a public key") from broken
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size not in _KEY_BITS:
        raise EnvelopeInvalid("publicKey is not an RSA key of 2048 to 8192 bits")
    aes, iv = secrets.token_bytes(32), secrets.token_bytes(iv_bytes)
    sealed = AESGCM(aes).encrypt(nonce(iv), plaintext, None)
    return Envelope(content=sealed[:-_TAG_BYTES], key=key.encrypt(aes, _OAEP), tag=sealed[-_TAG_BYTES:], iv=iv)


def opened(private_key: rsa.RSAPrivateKey, envelope: Envelope, *, what: str) -> bytes:
    """Open what was encrypted for us, which messages call so. Raises EnvelopeInvalid, whatever is wrong with it."""
    try:
        aes = private_key.decrypt(envelope.key, _OAEP)
        if len(aes) in _AES_BYTES and len(envelope.iv) in _NONCE_BYTES and len(envelope.tag) == _TAG_BYTES:
            return AESGCM(aes).decrypt(envelope.iv, envelope.content + envelope.tag, None)
    except (ValueError, InvalidTag):
        pass
    raise EnvelopeInvalid(f"{what} was not encrypted for this server")


class RoomKey:
    """The room's RSA key of a name: made when it is first asked for, sealed, the same on every server."""

    def __init__(self, name: str) -> None:
        self._name = name
        # Why by the keys: they are the control room's own; tests have several rooms in one process.
        self._known: WeakKeyDictionary[Keys, rsa.RSAPrivateKey] = WeakKeyDictionary()

    async def private(self, engine: Engine) -> rsa.RSAPrivateKey:
        """What opens envelopes."""
        known = self._known.get(engine.keys)
        if known is None:
            der = await server_key(engine, self._name, _made)
            known = self._known[engine.keys] = await asyncio.to_thread(_loaded, der)
        return known

    async def public(self, engine: Engine) -> bytes:
        """What callers encrypt for: DER, SubjectPublicKeyInfo."""
        key = (await self.private(engine)).public_key()
        return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _made() -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=ROOM_KEY_BITS)
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def _loaded(der: bytes) -> rsa.RSAPrivateKey:
    key = load_der_private_key(der, password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("the room's key is not an RSA key")
    return key
