"""Time stamps of RFC 3161: requested for the manifest of a folder, and checked with nothing but the folder.

``manifest.json.tsr`` is the answer of a time-stamping authority as it came, so
``openssl ts -verify -in manifest.json.tsr -data manifest.json -CAfile CA`` checks it too. The authority signs a time
and the hash of the manifest, on which everything else rests. The folder's signature needs no stamp of its own,
because the manifest lists the public key that makes it.

A certificate must have been valid when the stamp was made, not when it is checked: a stamp outlives the certificate.
Whether it was revoked is not known offline.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import NameOID
from rfc3161_client import TimestampRequestBuilder, VerificationError, VerifierBuilder, decode_timestamp_response
from rfc3161_client.base import HashAlgorithm
from rfc3161_client.tsp import PKIStatus, TimeStampRequest, TimeStampResponse

from pipeline.errors import UsageError
from pipeline.evidence.certificate_order import in_der_order
from pipeline.evidence.manifest import MANIFEST

__all__ = ["CLOCK_TOLERANCE", "Authorities", "BadStampError", "TimeStamp", "request"]

#: How far the clock of the extract and that of the authority may differ: what a source's clock may, too (300 s).
CLOCK_TOLERANCE = timedelta(seconds=300)
#: How OpenSSL words why a certificate does not count, inside the message of the library.
_REASON = re.compile(r"Verify error: ?([^\"\\]+)")
_NOT_CERTIFIED = "unable to get local issuer certificate"


class BadStampError(Exception):
    """A time stamp does not hold. The text says why, to be read after the name of its file: ``is not ...``."""


@dataclass(frozen=True, slots=True)
class Authorities:
    """The certificates that a caller trusts to certify time-stamping authorities."""

    certificates: tuple[x509.Certificate, ...]

    @classmethod
    def read(cls, path: Path) -> Authorities:
        """Read a file with certificates in PEM form, or one in DER form.

        Raises:
            UsageError: the file cannot be read, or holds no certificate, or none that is signed by itself.
        """
        hint = "name the root certificate of the time-stamping authority, as its operator publishes it"
        try:
            content = path.read_bytes()
        except OSError as error:
            raise UsageError(
                f"the certificate cannot be read: {error.strerror}", where=str(path), hint=hint
            ) from error
        try:
            if b"-----BEGIN" in content:
                found = x509.load_pem_x509_certificates(content)
            else:
                found = [x509.load_der_x509_certificate(content)]
        except ValueError as error:
            raise UsageError("the file holds no certificate", where=str(path), hint=hint) from error
        if not any(certificate.subject == certificate.issuer for certificate in found):
            raise UsageError(
                "the file holds no root certificate, only ones that another certificate has signed",
                where=str(path),
                hint="add the certificates up to the root to the file, one after the other",
            )
        return cls(tuple(dict.fromkeys(found)))


def request(content: bytes) -> TimeStampRequest:
    """Return a new request to stamp the SHA-256 of some content, with a random nonce."""
    return TimestampRequestBuilder(content, HashAlgorithm.SHA256, nonce=True, cert_req=True).build()


@dataclass(frozen=True, slots=True)
class TimeStamp:
    """A time stamp as it reads: when it was made (UTC), and by whom. It proves nothing before it is checked."""

    stamped_at: datetime
    authority: str
    nonce: int | None
    _response: TimeStampResponse = field(repr=False)

    @classmethod
    def read(cls, content: bytes) -> TimeStamp:
        """Read the answer of an authority.

        Raises:
            BadStampError: it is a refusal, or is not a time stamp that carries the certificate of its signer.
        """
        try:
            response = decode_timestamp_response(in_der_order(content))
            if response.status != PKIStatus.GRANTED:
                said = _printable("; ".join(response.status_string))
                raise BadStampError(f"is a refusal of the authority{': ' + said if said else ''}")
            info = response.tst_info
            moment = info.gen_time
            [signer] = response.signed_data.signer_infos
            owners = [x509.load_der_x509_certificate(each) for each in response.signed_data.certificates]
            names = [
                each.subject
                for each in owners
                if (each.issuer, each.serial_number) == (signer.issuer, signer.serial_number)
            ]
        except BadStampError:
            raise
        except Exception as error:  # a damaged file makes the two libraries raise many kinds
            raise BadStampError("is not a time stamp of RFC 3161") from error
        if not names:
            raise BadStampError("does not carry the certificate of the authority that signed it")
        at = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        return cls(at, _name(names[0]), info.nonce, response)

    def require_content(self, content: bytes) -> None:
        """Check that the stamp is for some content. This needs no certificate.

        Raises:
            BadStampError: it is for other content.
        """
        imprint = self._response.tst_info.message_imprint
        hashes = {
            "2.16.840.1.101.3.4.2.1": "sha256",
            "2.16.840.1.101.3.4.2.2": "sha384",
            "2.16.840.1.101.3.4.2.3": "sha512",
        }
        name = hashes.get(imprint.hash_algorithm.dotted_string)
        if name is None:
            raise BadStampError("is for a hash that is not one of SHA-256, SHA-384 and SHA-512")
        if hashlib.new(name, content).digest() != imprint.message:
            raise BadStampError(f"is for another file: its hash is not that of {MANIFEST}")

    def require_after(self, moment: datetime) -> None:
        """Check that the stamp was made after a moment, as far as two clocks agree.

        Raises:
            BadStampError: it says that it was made before.
        """
        if self.stamped_at < moment - CLOCK_TOLERANCE:
            raise BadStampError(
                f"says that it was made at {self.stamped_at:%Y-%m-%d %H:%M:%S} UTC, before the extract ended "
                f"({moment:%Y-%m-%d %H:%M:%S} UTC): one of the two clocks was wrong"
            )

    def require_signed(self, content: bytes, authorities: Authorities) -> None:
        """Check that an authority that the caller trusts has signed this stamp of some content.

        The certificate of the signer must be for time stamps, and it and those up to the root must have been valid
        when the stamp was made.

        Raises:
            BadStampError: it has not, or the stamp was changed afterwards.
        """
        try:
            VerifierBuilder(roots=list(authorities.certificates)).build().verify_message(self._response, content)
        except VerificationError as error:
            raise BadStampError(self._why(str(error))) from error
        except Exception as error:  # see read()
            raise BadStampError("has been changed: its signature cannot be read") from error

    def _why(self, message: str) -> str:
        """Say in words why the library rejects the stamp."""
        found = _REASON.search(message)
        if "EKU" in message or (found and "purpose" in found[1]):
            return f"is signed with a certificate of '{self.authority}' that is not one for time stamps"
        if found is None:
            return "has been changed: its signature does not match"
        reason = found[1].strip()
        if "expired" in reason or "not yet valid" in reason:
            state = "had expired" if "expired" in reason else "was not yet valid"
            at = f"{self.stamped_at:%Y-%m-%d %H:%M:%S} UTC"
            return f"is signed by '{self.authority}' with a certificate that {state} when it was made, {at}"
        detail = "" if reason == _NOT_CERTIFIED else f" ({reason})"
        return f"is signed by '{self.authority}', which the certificate of --tsa-certificate does not certify{detail}"


def _name(subject: x509.Name) -> str:
    """Return the name of a certificate for people: ``Example Time Stamping (Example Corp)``."""
    common, organisation = (
        _first(subject.get_attributes_for_oid(oid)) for oid in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME)
    )
    if common and organisation and organisation != common:
        return _printable(f"{common} ({organisation})")
    return _printable(common or organisation or subject.rfc4514_string())


def _printable(text: str) -> str:
    """Replace what a terminal would not show as text: stamps come from anywhere."""
    return "".join(character if character.isprintable() else " " for character in text)


def _first(attributes: Sequence[x509.NameAttribute[str | bytes]]) -> str:
    return next((str(attribute.value) for attribute in attributes), "")
