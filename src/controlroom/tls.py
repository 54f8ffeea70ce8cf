"""https without a certificate of one's own: a private authority in the data folder, and a certificate for this host.

tls/ca.pem    the authority's certificate, which clients are told to trust (ten years)
tls/ca.key    its key, 0600
tls/host.pem  this host's certificate and the authority's (90 days; made anew when a third is left or a name is missing)
tls/host.key  its key, 0600
"""

import fcntl
import ipaddress
import os
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from controlroom import whole_files
from controlroom.errors import Invalid

_CA_AGE = timedelta(days=3650)
_HOST_AGE = timedelta(days=90)
_RENEW_BEFORE = timedelta(days=30)
_CLOCKS_DIFFER = timedelta(hours=1)


def host_names(listening_at: str) -> list[str]:
    """The names and addresses by which clients may call a server that listens at an address."""
    names = ["localhost", "127.0.0.1", "::1", socket.gethostname(), socket.getfqdn()]
    if listening_at not in {"", "0.0.0.0", "::"}:  # noqa: S104 - recognised, not bound
        names.insert(0, listening_at)
    return list(dict.fromkeys(name for name in names if name))


def certificate(folder: Path, names: Sequence[str], *, now: datetime | None = None) -> tuple[Path, Path]:
    """A certificate for these names and its key, made or renewed as needed; `ca.pem` beside it signs them.

    The authority stays the same as long as its files are there, so that clients have to be told only once. Of several
    servers that ask at once, one makes it.
    """
    now = now or datetime.now(UTC)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    chain, key = folder / "host.pem", folder / "host.key"
    with _alone(folder):
        ca, ca_key = _authority(folder, now)
        if not _is_good(chain, key, ca, names, now):
            _issue(chain, key, ca, ca_key, names, now)
    return chain, key


def context(chain: Path, key: Path) -> ssl.SSLContext:
    """What a server needs to speak TLS with a certificate. Raises Invalid `TLS` for files that are not one."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.set_alpn_protocols(["http/1.1"])
    try:
        made.load_cert_chain(chain, key)
    except (OSError, ssl.SSLError) as error:
        raise Invalid(f"{chain} and {key} are no certificate and its key: {error}", code="TLS") from error
    return made


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Among all processes that look into the folder, be the only one."""
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _authority(folder: Path, now: datetime) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    path, key_path = folder / "ca.pem", folder / "ca.key"
    if path.exists() and key_path.exists():
        known = x509.load_pem_x509_certificate(path.read_bytes())
        if known.not_valid_after_utc - now > _HOST_AGE:
            return known, _read_key(key_path)
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"Control Room of {socket.gethostname()}")
    made = (
        _builder(name, name, key, now, _CA_AGE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    whole_files.write(key_path, _pem(key))
    whole_files.write(path, made.public_bytes(serialization.Encoding.PEM), mode=0o644)
    return made, key


def _issue(
    chain: Path,
    key_path: Path,
    ca: x509.Certificate,
    ca_key: ec.EllipticCurvePrivateKey,
    names: Sequence[str],
    now: datetime,
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    made = (
        _builder(_name(names[0]), ca.subject, key, now, _HOST_AGE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    whole_files.write(key_path, _pem(key))
    whole_files.write(chain, made.public_bytes(pem) + ca.public_bytes(pem), mode=0o644)


def _is_good(chain: Path, key: Path, ca: x509.Certificate, names: Sequence[str], now: datetime) -> bool:
    if not (chain.exists() and key.exists()):
        return False
    known = x509.load_pem_x509_certificate(chain.read_bytes())
    alternatives = known.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return (
        known.not_valid_after_utc - now > _RENEW_BEFORE
        and known.public_key() == _read_key(key).public_key()
        and all(_general_name(name) in alternatives for name in names)
        and _is_signed_by(known, ca)
    )


def _is_signed_by(known: x509.Certificate, ca: x509.Certificate) -> bool:
    try:
        known.verify_directly_issued_by(ca)
    except Exception:  # noqa: BLE001 - the library names several; whichever it is, the certificate is made anew
        return False
    return True


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, age: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCKS_DIFFER)
        .not_valid_after(now + age)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _read_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise Invalid(f"{path} is not a key that we made: remove it, and a new one is made", code="TLS")
    return key


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
