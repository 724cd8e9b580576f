"""Certificates as a street would make for its own gateway."""

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.gateways.contract import clock
from tests.gateways.node_gateway import Certificate


def own_certificate(name: str) -> tuple[Certificate, str]:
    """A certificate for the server `name`, and the PEM of the authority that signed it."""
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "街道测试 CA")])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    usage = x509.KeyUsage(*[field in {0, 5, 6} for field in range(9)])  # signature, certificates, lists

    def signed(of: x509.Name, public: ec.EllipticCurvePublicKey, *, is_ca: bool) -> x509.Certificate:
        now = clock()
        builder = (
            x509.CertificateBuilder()
            .subject_name(of)
            .issuer_name(authority)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now.replace(year=now.year - 1, day=1))
            .not_valid_after(now.replace(year=now.year + 1, day=1))
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
            )
        )
        if is_ca:
            builder = builder.add_extension(usage, critical=True)
        else:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        return builder.sign(authority_key, hashes.SHA256())

    def pem(certificate: x509.Certificate) -> str:
        return certificate.public_bytes(serialization.Encoding.PEM).decode()

    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    served = Certificate(pem(signed(subject, key.public_key(), is_ca=False)), private.decode())
    return served, pem(signed(authority, authority_key.public_key(), is_ca=True))
