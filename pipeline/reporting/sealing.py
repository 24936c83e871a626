"""Sealing a folder: its manifest, chained to the one before, and the signature."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.reporting import manifest
from pipeline.reporting.dataset import Dataset
from pipeline.reporting.manifest import MANIFEST, SIGNATURE
from pipeline.reporting.signature import PUBLIC_KEY_FILE, SigningKey
from pipeline.warehouse.database import Connection

__all__ = ["seal"]


def seal(
    connection: Connection,
    dataset: Dataset,
    draft: Path,
    names: Sequence[str],
    *,
    neutralised: int,
    previous_manifest_sha256: str,
    key: SigningKey | None,
) -> bytes:
    """Write the manifest of the files ``names`` of a folder, signed if there is a key; return the manifest.

    ``neutralised`` is how many CSV cells got an apostrophe so that no spreadsheet runs them.

    Raises:
        OSError: a file cannot be written.
    """
    listed = list(names)
    if key is not None:
        (draft / PUBLIC_KEY_FILE).write_bytes(key.public.pem())
        listed.append(PUBLIC_KEY_FILE)
    content = manifest.compose(
        connection,
        dataset,
        manifest.entries(connection, draft, listed),
        neutralised=neutralised,
        previous_manifest_sha256=previous_manifest_sha256,
    )
    (draft / MANIFEST).write_bytes(content)
    if key is not None:
        (draft / SIGNATURE).write_bytes(key.sign(content))
    return content
