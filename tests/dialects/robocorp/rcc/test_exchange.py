"""The encryption of what a machine is told to run (§8.5)."""

import pytest

from controlroom.dialects.robocorp.rcc.exchange import ExchangeInvalid, encrypt_for


@pytest.mark.parametrize(
    "key", ["", "no key", "-----BEGIN RSA PUBLIC KEY-----\nAAAA\n-----END RSA PUBLIC KEY-----\n", "x" * 20_000]
)
def test_only_for_a_key_is_encrypted(key):
    """What is no RSA key of a good size is refused, not an accident."""
    with pytest.raises(ExchangeInvalid):
        encrypt_for(key, b"")
