"""The encryption of what a machine is told to run, within TLS: `rc-encryption-v1` (§8.5).

AES-GCM with a nonce of 12 bytes, its key encrypted by RSA-OAEP (SHA-256). Pure functions on bytes.
"""

import secrets
from typing import ClassVar, Final

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from msgspec import Struct

from controlroom.errors import Invalid

SCHEME: Final = "rc-encryption-v1"
OAEP: Final = padding.OAEP(mgf=padding.MGF1(SHA256()), algorithm=SHA256(), label=None)

_NONCE_BYTES = 12
_TAG_BYTES = 16
_KEY_BITS = range(2048, 8193)  # Why a top: encrypting for an absurd key would be work for nothing
_LONGEST_PEM = 16_384


class ExchangeInvalid(Invalid):
    """The answer cannot be encrypted for what the caller brought."""

    code: ClassVar[str] = "ENCRYPTION_INVALID"


class Sealed(Struct, frozen=True, kw_only=True):
    """An encrypted answer, as four fields of raw bytes (on the wire each is base64)."""

    payload: bytes
    encrypted_key: bytes
    tag: bytes
    iv: bytes


def encrypt_for(public_key: str, plaintext: bytes) -> Sealed:
    """Encrypt for the key of a machine (PEM, PKCS#1). Raises ExchangeInvalid if it is not such a key."""
    try:
        if len(public_key) > _LONGEST_PEM:
            raise ExchangeInvalid("publicKey is too long")
        key = load_pem_public_key(public_key.encode())
    except ValueError as broken:
        raise ExchangeInvalid("publicKey is not the PEM form of a public key") from broken
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size not in _KEY_BITS:
        raise ExchangeInvalid("publicKey is not an RSA key of 2048 to 8192 bits")
    aes, iv = secrets.token_bytes(32), secrets.token_bytes(_NONCE_BYTES)
    sealed = AESGCM(aes).encrypt(iv, plaintext, None)
    return Sealed(payload=sealed[:-_TAG_BYTES], encrypted_key=key.encrypt(aes, OAEP), tag=sealed[-_TAG_BYTES:], iv=iv)
