"""What is encrypted for one receiver, in both directions, as clients do it."""

import secrets

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from hypothesis import given, settings
from hypothesis import strategies as st

from controlroom.border.envelopes import Envelope, EnvelopeInvalid, RoomKey, enclosed, opened

OAEP = padding.OAEP(mgf=padding.MGF1(SHA256()), algorithm=SHA256(), label=None)
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def form_of(key, form: str) -> bytes:
    return key.public_key().public_bytes(getattr(Encoding, form), PublicFormat.SubjectPublicKeyInfo)


@given(st.binary(max_size=300), st.sampled_from(["DER", "PEM"]))
@settings(max_examples=20, deadline=None)
def test_the_holder_of_the_key_opens_what_was_encrypted_for_it(plaintext, form):
    """The tag travels apart, the key of the content under OAEP with SHA-256, in either form of the receiver's key."""
    envelope = enclosed(plaintext, form_of(KEY, form), form=form, iv_bytes=12)

    aes = KEY.decrypt(envelope.key, OAEP)
    assert AESGCM(aes).decrypt(envelope.iv, envelope.content + envelope.tag, None) == plaintext
    assert (len(envelope.iv), len(envelope.content), len(envelope.tag)) == (12, len(plaintext), 16)


def test_a_nonce_is_made_of_the_iv():
    """Vault clients take the lower-case hex text of the IV for it."""
    envelope = enclosed(b"{}", form_of(KEY, "DER"), form="DER", iv_bytes=16, nonce=lambda iv: iv.hex().encode())

    aes = KEY.decrypt(envelope.key, OAEP)
    assert AESGCM(aes).decrypt(envelope.iv.hex().encode(), envelope.content + envelope.tag, None) == b"{}"


@given(st.binary(max_size=300), st.sampled_from([16, 24, 32]))
@settings(max_examples=20, deadline=None)
def test_the_room_opens_what_a_client_has_encrypted(plaintext, aes_bytes):
    """The nonce is the IV; the key may have any length that AES knows."""
    assert opened(KEY, _envelope_for(KEY.public_key(), plaintext, aes_bytes), what="it") == plaintext


def test_a_changed_envelope_is_refused():
    """Whatever field is touched, cut or emptied, nothing comes out."""
    good = _envelope_for(KEY.public_key(), b'{"user": "ada"}', 32)
    fields = {name: getattr(good, name) for name in good.__struct_fields__}

    for name, value in fields.items():
        for wrong in (b"", value[:-1], bytes([value[0] ^ 1]) + value[1:]):
            with pytest.raises(EnvelopeInvalid, match="the secret was not encrypted for this server"):
                opened(KEY, Envelope(**fields | {name: wrong}), what="the secret")


@pytest.mark.parametrize("form", ["DER", "PEM"])
def test_what_is_no_rsa_key_of_a_fair_size_is_refused(form):
    """No such form, an endless text, another kind of key, a key that is too short."""
    elliptic, short = form_of(ec.generate_private_key(ec.SECP256R1()), form), form_of(_short_key(), form)
    broken = b"-----BEGIN RSA PUBLIC KEY-----\nAAAA\n-----END RSA PUBLIC KEY-----\n"
    for wrong in (b"", b"nonsense", broken, b"x" * 20_000, elliptic, short):
        with pytest.raises(EnvelopeInvalid):
            enclosed(b"secret", wrong, form=form, iv_bytes=12)


async def test_the_rooms_key_opens_what_was_encrypted_for_its_public_half(room):
    """Each server of the room has the same one."""
    public = await RoomKey("test").public(room.engine)

    envelope = _envelope_for(load_der_public_key(public), b"{}", 32)
    assert opened(await RoomKey("test").private(room.engine), envelope, what="it") == b"{}"


def _short_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - the weakness is the point


def _envelope_for(key: rsa.RSAPublicKey, plaintext: bytes, aes_bytes: int) -> Envelope:
    """Encrypt as vault clients do."""
    aes, iv = secrets.token_bytes(aes_bytes), secrets.token_bytes(16)
    sealed = AESGCM(aes).encrypt(iv, plaintext, None)
    return Envelope(content=sealed[:-16], key=key.encrypt(aes, OAEP), tag=sealed[-16:], iv=iv)
