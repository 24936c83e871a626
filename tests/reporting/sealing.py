"""What tests of sealed folders share: writing, checking and spoiling one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from pipeline.evidence import signature
from pipeline.evidence.sealing import Proofs
from pipeline.evidence.signature import PublicKey, SigningKey
from pipeline.evidence.verification import FolderVerification, verify
from pipeline.reporting import report

CSV = (
    "access.csv", "changes.csv", "findings.csv", "licences.csv", "population.csv", "reach.csv", "reconciliation.csv",
    "rules.csv", "trend.csv",
)  # fmt: skip
HOSTILE = ("two\nlines", 'a "quoted" name', '"', "=1+1", "plain")


def write(
    connection: duckdb.DuckDBPyConnection, directory: Path, *formats: str, **options: Any
) -> report.ReportFolder:
    """Write a report, in this process if no number of ``cores`` is given: others would first import the libraries."""
    proofs = Proofs(options.pop("key", None))
    chosen = report.ReportOptions(**{"cores": 1, "proofs": proofs, **options})
    return report.write(connection, directory, frozenset(formats or ("csv",)), lambda _: None, chosen)


def check(folder: Path, key: PublicKey | None = None) -> FolderVerification:
    return verify(folder, key=key)


def named(found: FolderVerification) -> set[str]:
    return {problem.path for problem in found.problems}


def make_key(path: Path) -> tuple[SigningKey, PublicKey]:
    _, public = signature.generate(path)
    key = signature.signing_key({signature.KEY_VARIABLE: str(path)})
    assert key is not None
    return key, public


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def remove_row(folder: Path) -> str:
    path = folder / "rules.csv"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    return "rules.csv"
