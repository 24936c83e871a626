"""A time-stamping authority on loopback: OpenSSL makes the stamps, and a fault changes what is sent."""

from __future__ import annotations

import itertools
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.fakes.http import HttpServer, Reply, Request

__all__ = ["Authority", "Certified"]

_CONFIGURATION = """\
[tsa]
default_tsa = authority
[authority]
serial = {folder}/serial
digests = {digests}
default_policy = 1.2.3.4.1
signer_digest = sha256
ess_cert_id_alg = sha256
"""


@dataclass(frozen=True)
class Certified:
    """A certificate with its key; ``path`` is the certificate in PEM form, ``key_path`` the key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    path: Path
    key_path: Path

    @classmethod
    def make(
        cls,
        path: Path,
        name: str,
        issuer: Certified | None = None,
        *,
        begins: timedelta = timedelta(days=-100),
        ends: timedelta = timedelta(days=100),
        usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.TIME_STAMPING,
    ) -> Certified:
        """Make a root, or the certificate of an authority that ``issuer`` signs, valid around the present."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example Trust"),
                x509.NameAttribute(NameOID.COMMON_NAME, name),
            ]
        )
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer.certificate.subject if issuer else subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + begins)
            .not_valid_after(now + ends)
            .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        )
        if issuer is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=True)
        certificate = builder.sign(issuer.key if issuer else key, hashes.SHA256())
        key_path = path.with_suffix(".key")
        path.write_bytes(certificate.public_bytes(Encoding.PEM))
        key_path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return cls(certificate, key, path, key_path)


class Authority:
    """Serves stamps to the end of the ``with`` block; ``root`` is what its users trust.

    ``fault`` receives a query and the answer to it, and returns what is sent instead. ``sent`` are certificates that
    the stamps carry besides the signer's, in this order.
    """

    def __init__(self, folder: Path, name: str = "Example Time Stamping") -> None:
        if shutil.which("openssl") is None:
            pytest.skip("openssl is not installed")
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.root = Certified.make(folder / "root.pem", f"{name} Root")
        self.signer = Certified.make(folder / "signer.pem", name, self.root)
        self.sent: list[Certified] = []
        self.fault: Callable[[bytes, bytes], Reply | bytes] = lambda _, answer: answer
        self._numbers = itertools.count()
        self._server = HttpServer(self._answer)

    def __enter__(self) -> Authority:
        self._server.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.__exit__(kind, error, trace)

    @property
    def url(self) -> str:
        return f"{self._server.url}/tsr"

    @property
    def requests(self) -> list[Request]:
        return self._server.requests

    def stamp(self, query: bytes, signer: Certified | None = None, *, digests: str = "sha256, sha512") -> bytes:
        """Return the answer to a query, signed by the authority's certificate or another one."""
        signer = signer or self.signer
        case = self.folder / str(next(self._numbers))
        case.mkdir()
        (case / "query").write_bytes(query)
        (case / "serial").write_text("01\n")
        (case / "sent").write_bytes(b"".join(each.path.read_bytes() for each in self.sent))
        certificates = f"certs = {case / 'sent'}\n" if self.sent else ""
        (case / "configuration").write_text(_CONFIGURATION.format(folder=case, digests=digests) + certificates)
        subprocess.run(
            [
                *("openssl", "ts", "-reply", "-config", case / "configuration", "-queryfile", case / "query"),
                *("-signer", signer.path, "-inkey", signer.key_path, "-out", case / "answer"),
            ],
            check=True,
            capture_output=True,
        )
        return (case / "answer").read_bytes()

    def _answer(self, request: Request) -> Reply:
        if request.method != "POST" or request.headers.get("content-type") != "application/timestamp-query":
            return Reply(400)
        sent = self.fault(request.body, self.stamp(request.body))
        return sent if isinstance(sent, Reply) else Reply(200, sent, "application/timestamp-reply")
