"""The key for which clients encrypt values on their way here, and theirs for which we do (§2.12.3).

A key is the base64 of a small XML text, `<RSAKeyValue><Modulus>…</Modulus><Exponent>…</Exponent></RSAKeyValue>`, and is
named by that very text. Values are encrypted by RSA-OAEP (SHA-256, also for MGF1), as base64.
"""

import asyncio
import base64
import binascii
import re
from collections.abc import Callable, Sequence
from typing import Final

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from controlroom.border.envelopes import RoomKey
from controlroom.engine.engine import Engine
from controlroom.errors import Invalid

_KEY: Final = RoomKey("credential-transport")
_OAEP: Final = padding.OAEP(mgf=padding.MGF1(SHA256()), algorithm=SHA256(), label=None)
_PARTS: Final = re.compile(
    rb"<Modulus>([A-Za-z0-9+/=\s]{1,3000})</Modulus>.{0,100}?<Exponent>([A-Za-z0-9+/=\s]{1,100})</Exponent>", re.DOTALL
)
_LONGEST: Final = 8_000
_BITS: Final = range(2048, 8193)  # Why a top: encrypting for an absurd key would be work for nothing


class KeyWrong(Invalid):
    """A key that this server has not given out, a value that was not encrypted for it, or what is no key at all."""

    def __init__(self) -> None:
        super().__init__("The encryption key is incorrect.", code="")


async def public_key(engine: Engine) -> str:
    """The room's key as clients get it, and name it."""
    return _written((await _KEY.private(engine)).public_key().public_numbers())


async def opened(engine: Engine, key: str | None, values: Sequence[str]) -> list[str]:
    """The values in clear: those encrypted for the key that is named, or (without one) as they are. Raises KeyWrong."""
    if not key:
        return list(values)
    private = await _KEY.private(engine)
    if _named(key) != _written(private.public_key().public_numbers()):
        raise KeyWrong
    return await asyncio.to_thread(_opened, private, values)


async def closed_for(key: str | None) -> Callable[[str], str]:
    """What encrypts a value for a caller's key; without one it stays as it is. Raises KeyWrong."""
    if not key:
        return lambda value: value
    public = _read(_named(key))

    def close(value: str) -> str:
        try:
            return base64.b64encode(public.encrypt(value.encode(), _OAEP)).decode()
        except ValueError as too_long:
            raise Invalid("The value is too long for the encryption key.", code="VALUE_TOO_LONG") from too_long

    return close


def _named(key: str) -> str:
    """The key's text: in a query that was not quoted, a plus has become a space."""
    return key.strip().replace(" ", "+")


def _opened(private: rsa.RSAPrivateKey, values: Sequence[str]) -> list[str]:
    try:
        return [private.decrypt(base64.b64decode(value, validate=True), _OAEP).decode() for value in values]
    except (binascii.Error, ValueError) as broken:
        raise KeyWrong from broken


def _written(numbers: rsa.RSAPublicNumbers) -> str:
    modulus, exponent = _bytes(numbers.n), _bytes(numbers.e)
    xml = f"<RSAKeyValue><Modulus>{modulus}</Modulus><Exponent>{exponent}</Exponent></RSAKeyValue>"
    return base64.b64encode(xml.encode()).decode()


def _bytes(number: int) -> str:
    return base64.b64encode(number.to_bytes((number.bit_length() + 7) // 8)).decode()


def _read(key: str) -> rsa.RSAPublicKey:
    """A caller's key. No XML is read: two texts are looked for in it."""
    try:
        found = _PARTS.search(base64.b64decode(key, validate=True)) if len(key) <= _LONGEST else None
        if found is None:
            raise KeyWrong
        modulus, exponent = (int.from_bytes(base64.b64decode(part)) for part in found.groups())
        public = rsa.RSAPublicNumbers(exponent, modulus).public_key()
    except ValueError as broken:
        raise KeyWrong from broken
    if public.key_size not in _BITS:
        raise KeyWrong
    return public
