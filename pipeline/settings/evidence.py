"""The section of evidence: the authority that stamps the manifests of sealed folders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pipeline.settings.tables import TableReader

__all__ = ["EvidenceSettings", "read_evidence"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceSettings:
    """Who says when a folder was sealed.

    ``timestamp_url`` is a time-stamping authority of RFC 3161; None for no time stamps. Plain http is allowed: only a
    hash is sent, and the answer is signed.
    """

    timestamp_url: str | None = None


def read_evidence(reader: TableReader, document: dict[str, Any]) -> EvidenceSettings:
    """Read ``[evidence]``.

    Raises:
        ConfigurationError: a key or value of it is wrong.
    """
    evidence = reader.section(EvidenceSettings, document, "evidence")
    if evidence.timestamp_url is None:
        return evidence
    where, example = "evidence.timestamp_url", "copy the address from your authority, as http://timestamp.example.com"
    try:
        parts = urlsplit(evidence.timestamp_url)
        host, _ = parts.hostname, parts.port
    except ValueError:  # its text quotes what stands where the port should be, which may be part of a password
        raise reader.error(where, "this is not a web address", example) from None
    if parts.username is not None or parts.password is not None:
        raise reader.error(
            where, "credentials inside a URL are refused", "use an authority that needs none: only a hash is sent"
        )
    if parts.scheme not in {"http", "https"} or not host or parts.query or parts.fragment:
        raise reader.error(where, "this is not the web address of a time-stamping authority", example)
    return evidence
