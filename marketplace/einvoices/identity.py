"""What documents are signed with: the seller's key and certificate, and whose signature on answers counts."""

from __future__ import annotations

from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from msgspec import Struct

from marketplace.config import Config
from marketplace.db.base import utcnow
from marketplace.db.keys import Keys

KEY_BITS = 2048
LIFETIME_DAYS = 3_650


class Identity(Struct, frozen=True):
    """PEM of a private key and of its certificate."""

    key: bytes
    certificate: bytes


def seller_identity(config: Config, keys: Keys) -> Identity:
    """The configured one, which an accredited authority issued; else one of this home, which only tests take.

    Raises OSError, ValueError.
    """
    if config.einvoice_seller_key is not None:
        return split_pem(config.einvoice_seller_key.read_bytes())
    return split_pem(keys.einvoice_signing(lambda: self_signed("Sàn dữ liệu")))


def split_pem(pem: bytes) -> Identity:
    """Key and certificate of one PEM file, in any order. Raises ValueError."""
    marker = b"-----BEGIN CERTIFICATE-----"
    end = b"-----END CERTIFICATE-----"
    start, stop = pem.find(marker), pem.find(end)
    if start < 0 or stop < start or b"PRIVATE KEY-----" not in pem:
        raise ValueError("the file holds no private key with a certificate")
    stop += len(end)
    return Identity(key=pem[:start] + pem[stop:], certificate=pem[start:stop] + b"\n")


def self_signed(name: str) -> bytes:
    """PEM of a fresh RSA key and its own certificate."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=KEY_BITS)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = utcnow()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=LIFETIME_DAYS))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private + certificate.public_bytes(Encoding.PEM)
