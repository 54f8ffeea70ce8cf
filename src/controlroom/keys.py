"""Everything that depends on the master key: sealing what must be read again, hashing what must be found, signing.

The master key is 32 bytes from `CONTROLROOM_MASTER_KEY` (base64) or from a file of mode 0600. Working keys are derived
from it by HKDF-SHA-256, one a purpose, so that a leaked working key tells nothing of the others.
"""

import base64
import hashlib
import hmac
import os
import secrets
import string
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from controlroom import whole_files
from controlroom.errors import Invalid, Unauthenticated

MASTER_KEY_BYTES = 32
_NONCE_BYTES = 12
_WRAPPED_BYTES = _NONCE_BYTES + 32 + 16
_MAC_BYTES = 16
_ALPHABET = string.digits + string.ascii_letters
_CHECKSUM_CHARACTERS = 6


class Unsealable(Exception):  # noqa: N818 - it names the state of a ciphertext
    """A ciphertext that this master key did not make for this place. A bug, or the wrong key file."""


class Keys:
    """The working keys of a control room."""

    def __init__(self, master: bytes) -> None:
        if len(master) != MASTER_KEY_BYTES:
            raise Invalid(f"the master key must have {MASTER_KEY_BYTES} bytes, not {len(master)}", code="MASTER_KEY")
        self._wrapping = AESGCM(_derive(master, "wrap data keys"))
        self._lookup = _derive(master, "look up tokens")
        self._signing = _derive(master, "sign runtime tokens")
        self.link_key = _derive(master, "sign object links")
        """For `objects.links.Links`."""

    @classmethod
    def from_base64(cls, text: str) -> Self:
        """The keys of a master key given as base64 text; raises Invalid `MASTER_KEY`."""
        try:
            return cls(base64.b64decode(text.strip(), validate=True))
        except ValueError as broken:
            raise Invalid("the master key is not base64", code="MASTER_KEY") from broken

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """The keys of a key file, made with mode 0600 when it is absent; safe when several processes start at once.

        Whole and on disk before it has its name: what it seals is lost without it.
        """
        if not path.exists():
            aside = whole_files.aside(path)
            with open(aside, "xb", opener=_private) as file:
                file.write(base64.b64encode(secrets.token_bytes(MASTER_KEY_BYTES)) + b"\n")
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileExistsError):  # another process was first
                os.link(aside, path)
            aside.unlink()
            _keep_name(path.parent)
        try:
            return cls.from_base64(path.read_text(encoding="ascii"))
        except (OSError, UnicodeDecodeError) as unreadable:
            raise Invalid(f"the master key {path} cannot be read: {unreadable}", code="MASTER_KEY") from unreadable

    def seal(self, plaintext: bytes, *, place: str) -> bytes:
        """Encrypt under a data key of its own, which the master key wraps; `place` (table, row, column) is bound in."""
        data_key = secrets.token_bytes(32)
        bound = place.encode()
        wrap_nonce, nonce = secrets.token_bytes(_NONCE_BYTES), secrets.token_bytes(_NONCE_BYTES)
        wrapped = self._wrapping.encrypt(wrap_nonce, data_key, bound)
        return wrap_nonce + wrapped + nonce + AESGCM(data_key).encrypt(nonce, plaintext, bound)

    def unseal(self, sealed: bytes, *, place: str) -> bytes:
        """What was sealed for this place; raises Unsealable."""
        bound = place.encode()
        try:
            data_key = self._wrapping.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:_WRAPPED_BYTES], bound)
            nonce = sealed[_WRAPPED_BYTES : _WRAPPED_BYTES + _NONCE_BYTES]
            return AESGCM(data_key).decrypt(nonce, sealed[_WRAPPED_BYTES + _NONCE_BYTES :], bound)
        except (InvalidTag, ValueError) as broken:
            raise Unsealable(f"cannot unseal {place}: is this the master key of this database?") from broken

    def lookup(self, token: str) -> bytes:
        """The keyed hash by which a token is found: the database alone does not tell what the tokens are."""
        return hmac.digest(self._lookup, token.encode(), hashlib.sha256)

    def sign(self, payload: bytes) -> bytes:
        """A 16 byte MAC of a runtime token's payload."""
        return hmac.digest(self._signing, payload, hashlib.sha256)[:_MAC_BYTES]

    def pack_token(self, prefix: str, payload: bytes) -> str:
        """A self-contained token: prefix, then payload and MAC as URL-safe base64."""
        return prefix + base64.urlsafe_b64encode(payload + self.sign(payload)).rstrip(b"=").decode()

    def unpack_token(self, prefix: str, token: str) -> bytes:
        """The payload of a token that `pack_token` made; raises Unauthenticated."""
        body = token.removeprefix(prefix)
        try:
            raw = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
        except ValueError:
            raw = b""
        payload, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        if not token.startswith(prefix) or not hmac.compare_digest(self.sign(payload), mac):
            raise Unauthenticated("the token is not one of ours")
        return payload


def mint(prefix: str, *, length: int = 48) -> str:
    """A new random token: prefix, `length` alphanumerics (5.95 bits each), and a checksum that tells typing errors."""
    body = "".join(secrets.choice(_ALPHABET) for _ in range(length))
    return prefix + body + _checksum(prefix + body)


def is_well_formed(token: str) -> bool:
    """Whether the checksum fits: if not, it need not be looked up."""
    return _checksum(token[:-_CHECKSUM_CHARACTERS]) == token[-_CHECKSUM_CHARACTERS:]


def _checksum(text: str) -> str:
    number = zlib.crc32(text.encode())
    digits = []
    for _ in range(_CHECKSUM_CHARACTERS):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(digits)


def _derive(master: bytes, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"controlroom {purpose}".encode()).derive(master)


def _keep_name(folder: Path) -> None:
    """Have the names in a folder on disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
