"""The private authority and its certificates."""

import socket
import ssl
import stat
import threading
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from controlroom import tls
from controlroom.errors import Invalid

NOW = datetime.now(UTC)


def shake_hands(chain, key, ca, name: str) -> dict:
    """What a client that trusts the authority learns about a server of this certificate."""
    ours, theirs = socket.socketpair()
    served = threading.Thread(target=lambda: tls.context(chain, key).wrap_socket(theirs, server_side=True).close())
    served.start()
    try:
        with ssl.create_default_context(cafile=ca).wrap_socket(ours, server_hostname=name) as client:
            return client.getpeercert()
    finally:
        served.join()


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1", "room.example"])
def test_clients_that_trust_the_authority_trust_the_host(tmp_path, name):
    """Every name and address of the host is in its certificate."""
    chain, key = tls.certificate(tmp_path / "tls", tls.host_names("room.example"))

    assert shake_hands(chain, key, tmp_path / "tls" / "ca.pem", name)


def test_keys_are_for_their_owner_only(tmp_path):
    """Keys are 0600 in a folder of 0700; the certificates may be read."""
    folder = tmp_path / "tls"
    tls.certificate(folder, ["localhost"])

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in folder.iterdir()} == {
        "ca.pem": "0o644",
        "ca.key": "0o600",
        "host.pem": "0o644",
        "host.key": "0o600",
    }


def test_a_good_certificate_is_kept(tmp_path):
    """Starting again changes nothing."""
    chain, _ = tls.certificate(tmp_path, ["localhost"])
    before = chain.read_bytes()

    tls.certificate(tmp_path, ["localhost"])

    assert chain.read_bytes() == before


@pytest.mark.parametrize(("days", "is_renewed"), [(59, False), (61, True), (100, True)])
def test_a_certificate_is_renewed_in_time_by_the_same_authority(tmp_path, days, is_renewed):
    """With less than a third of its life left a certificate is made anew; clients need not be told."""
    chain, _ = tls.certificate(tmp_path, ["localhost"], now=NOW - timedelta(days=days))
    before, authority = chain.read_bytes(), (tmp_path / "ca.pem").read_bytes()

    tls.certificate(tmp_path, ["localhost"], now=NOW)

    assert (chain.read_bytes() != before) == is_renewed
    assert (tmp_path / "ca.pem").read_bytes() == authority


def test_a_new_name_gets_a_new_certificate(tmp_path):
    """A host that is called by another name now has it in its certificate at the next start."""
    tls.certificate(tmp_path, ["localhost"])

    chain, _ = tls.certificate(tmp_path, ["localhost", "new.example"])

    names = x509.load_pem_x509_certificate(chain.read_bytes()).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert names.value.get_values_for_type(x509.DNSName) == ["localhost", "new.example"]


def test_an_authority_that_was_replaced_signs_anew(tmp_path):
    """A certificate of another authority is not kept."""
    chain, _ = tls.certificate(tmp_path, ["localhost"])
    before = chain.read_bytes()
    (tmp_path / "ca.pem").unlink()

    chain, key = tls.certificate(tmp_path, ["localhost"])

    assert chain.read_bytes() != before
    assert shake_hands(chain, key, tmp_path / "ca.pem", "localhost")


def test_files_that_are_no_certificate_are_refused(tmp_path):
    """Wrong files are named in the error."""
    (tmp_path / "a.pem").write_text("nothing")
    with pytest.raises(Invalid, match=r"a\.pem"):
        tls.context(tmp_path / "a.pem", tmp_path / "a.pem")
