"""Extracts from a fake Sisense without real waiting, and reads the spool back."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pipeline.errors import AccessReviewError, ConfigurationError, SourceError
from pipeline.settings import Credentials, Secret, SourceSettings
from pipeline.sources.extract import ExtractJob
from pipeline.sources.sisense.extract import extract
from pipeline.spool import Observation, PageEntry, SourceOutcome, Spool
from tests.fakes.sisense import API_TOKEN, PASSWORD, USERNAME, FakeSisense

BY_PASSWORD = Credentials(USERNAME, Secret(PASSWORD), None)
BY_TOKEN = Credentials(USERNAME, Secret(PASSWORD), Secret(API_TOKEN))


@dataclass
class Waiting:
    """A clock that advances only by sleeping."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    slept: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)

    def clock(self) -> datetime:
        return self.now


@dataclass
class Extract:
    spool: Spool
    outcome: SourceOutcome
    error: AccessReviewError | None
    waiting: Waiting
    pages: list[PageEntry]

    def rows(self, resource: str) -> list[Any]:
        """Return the records of the accepted sweep."""
        sweep = self.outcome.accepted_sweeps.get(resource)
        overlaps = self.outcome.overlaps[resource][sweep - 1] if resource in self.outcome.overlaps else []
        pages = [p for p in self.pages if (p.resource, p.sweep) == (resource, sweep) and p.file]
        return [
            row
            for page in pages
            for row in json.loads((self.spool.folder / page.file).read_bytes())[page.offset in overlaps :]
        ]

    @property
    def ids(self) -> set[str]:
        return {row["_id"] for row in self.rows("users") if isinstance(row.get("_id"), str)}

    def observed(self, check_id: str) -> Observation:
        return next(seen for seen in self.outcome.observations if seen.check_id == check_id)

    @property
    def failed(self) -> set[str]:
        """Return the checks that prevent FULL, including those that the warehouse makes of the same facts."""
        counts = self.outcome.server_counts
        failed = {seen.check_id for seen in self.outcome.observations if seen.result == "FAIL" and seen.is_gate}
        if self.error is not None:
            failed.add("error")
        if counts["users_before"] != counts["users_after"]:
            failed.add("count_stable")
        if counts["users_after"] is not None and counts["users_after"] != len(self.ids):
            failed.add("count_agrees")
        if self.outcome.error is None and self.observed("end_proven").result != "PASS":
            failed.add("end_proven")
        return failed

    def everything_written(self) -> bytes:
        return b"".join(path.read_bytes() for path in self.spool.folder.rglob("*") if path.is_file())


Extracting = Callable[..., Extract]


def extract_from(
    fake: FakeSisense | str, folder: Path, credentials: Credentials = BY_PASSWORD, **settings: Any
) -> Extract:
    url = fake if isinstance(fake, str) else fake.url
    source = SourceSettings(
        **{"name": "prod", "kind": "sisense", "url": url, "page_size": 50, "objects": False, **settings}
    )
    spool = Spool.create(folder)
    waiting = Waiting()
    error: AccessReviewError | None = None
    try:
        job = ExtractJob(source, spool, lambda resource, items, total: None, waiting.clock, waiting.sleep)
        extract(job, credentials)
    except (SourceError, ConfigurationError) as failure:
        error = failure
    spool.close()
    (outcome,) = spool.outcomes()
    return Extract(spool, outcome, error, waiting, list(spool.pages()))


@pytest.fixture
def extracting(tmp_path: Path) -> Extracting:
    taken = 0

    def run(fake: FakeSisense | str, credentials: Credentials = BY_PASSWORD, **settings: Any) -> Extract:
        nonlocal taken
        taken += 1
        return extract_from(fake, tmp_path / f"spool{taken}", credentials, **settings)

    return run


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    """Return a self-signed certificate for loopback, and a server's context that uses it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "fake")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "cert.pem"
    path.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    key_path = path.with_name("key.pem")
    key_path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, key_path)
    return path, context
