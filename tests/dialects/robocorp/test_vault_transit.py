"""The encryption of secrets on their way, in both directions, as clients do it (§4)."""

import secrets

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from controlroom.dialects.robocorp.vault_transit import (
    Parcel,
    TransitInvalid,
    decrypt,
    encrypt_for,
    load_server_key,
    make_server_key,
    public_key_of,
)

OAEP = padding.OAEP(mgf=padding.MGF1(SHA256()), algorithm=SHA256(), label=None)
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def der_of(key) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@given(st.binary(max_size=300))
@settings(max_examples=20, deadline=None)
def test_a_robot_opens_what_was_encrypted_for_it(plaintext):
    """The nonce is the lower-case hex text of the IV, the tag travels apart, the key under OAEP with SHA-256."""
    parcel = encrypt_for(der_of(KEY), plaintext)

    aes = KEY.decrypt(parcel.encrypted_aes, OAEP)
    assert AESGCM(aes).decrypt(parcel.iv.hex().encode(), parcel.value + parcel.auth_tag, None) == plaintext
    assert len(parcel.value) == len(plaintext)
    assert len(parcel.auth_tag) == 16


@given(st.binary(max_size=300), st.sampled_from([16, 24, 32]))
@settings(max_examples=20, deadline=None)
def test_the_server_opens_what_a_robot_has_encrypted(plaintext, aes_bytes):
    """In this direction the nonce is the IV itself."""
    assert decrypt(KEY, _parcel_for(KEY, plaintext, aes_bytes)) == plaintext


def test_a_changed_parcel_is_refused():
    """Whatever field is touched, cut or emptied, nothing comes out."""
    good = _parcel_for(KEY, b'{"user": "ada"}', 32)
    fields = {name: getattr(good, name) for name in good.__struct_fields__}

    for name, value in fields.items():
        for wrong in (b"", value[:-1], bytes([value[0] ^ 1]) + value[1:]):
            with pytest.raises(TransitInvalid):
                decrypt(KEY, Parcel(**fields | {name: wrong}))


def test_what_is_no_rsa_key_of_a_fair_size_is_refused():
    """No DER, another kind of key, a key that is too short."""
    for wrong in (b"", b"nonsense", der_of(ec.generate_private_key(ec.SECP256R1())), der_of(_short_key())):
        with pytest.raises(TransitInvalid):
            encrypt_for(wrong, b"secret")


def test_the_servers_key_is_read_back():
    """A made key opens what was encrypted for its public half."""
    key = load_server_key(make_server_key())

    assert public_key_of(key) == der_of(key)
    assert decrypt(key, _parcel_for(key, b"{}", 32)) == b"{}"


def _short_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - the weakness is the point


def _parcel_for(key: rsa.RSAPrivateKey, plaintext: bytes, aes_bytes: int) -> Parcel:
    """Encrypt as vault clients do."""
    aes, iv = secrets.token_bytes(aes_bytes), secrets.token_bytes(16)
    sealed = AESGCM(aes).encrypt(iv, plaintext, None)
    return Parcel(value=sealed[:-16], encrypted_aes=key.public_key().encrypt(aes, OAEP), auth_tag=sealed[-16:], iv=iv)
