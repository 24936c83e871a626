"""The sealed folder of a verified remediation: every change, and what the later extract shows of it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pipeline.evidence.manifest import MANIFEST
from pipeline.evidence.sealing import Proofs, draft_folder, seal
from pipeline.reporting import csv
from pipeline.warehouse.database import Connection

__all__ = ["write"]

_FILE = "remediation.csv"


def write(connection: Connection, directory: Path, *, rests_on: Path, proofs: Proofs) -> tuple[Path, ...]:
    """Write ``<snapshot_id>-remediation-<n>/``, chained to the manifest of its report folder.

    Raises:
        RenderError: a file cannot be written.
    """
    [(snapshot_id,)] = connection.execute("select snapshot_id from reports.snapshot").fetchall()
    previous = hashlib.sha256((rests_on / MANIFEST).read_bytes()).hexdigest()
    stem = f"{snapshot_id}-remediation-"
    number = next(n for n in range(1, 1_000_000) if not (directory / f"{stem}{n}").exists())
    folder = directory / f"{stem}{number}"
    with draft_folder(folder) as draft:
        neutralised = csv.write(
            connection, "select * from review.changes", draft.file(_FILE), order_by="source, account_id, change_id"
        )
        seal(connection, draft, neutralised=neutralised, previous_manifest_sha256=previous, proofs=proofs)
    return folder / _FILE, folder / MANIFEST
