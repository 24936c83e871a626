"""Seals a folder: the evidence beside the reports, the manifest over all of it, the signature over that.

The order is part of the design: data files first, then ``data_sha256`` over them, which the PDF prints; then the
manifest, which lists the PDF too; then the signature.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.evidence import manifest
from pipeline.evidence.manifest import MANIFEST, SIGNATURE, SealedFile
from pipeline.evidence.signature import PUBLIC_KEY_FILE, SigningKey
from pipeline.warehouse import archive
from pipeline.warehouse.database import Connection

__all__ = ["Seal", "collect", "seal"]


@dataclass(frozen=True, slots=True)
class Seal:
    """What identifies a sealed folder, and what the next one is chained to."""

    data_sha256: str
    manifest_sha256: str
    previous_manifest_sha256: str | None


def collect(connection: Connection, folder: Path) -> list[SealedFile]:
    """Write ``raw/``, ``sql/`` and ``inputs/`` beside the CSV files; return all these data files.

    Raises:
        WarehouseError: the build was made with other SQL than the program has now.
        RenderError: a file cannot be written.
    """
    archive.write(connection, folder)
    return manifest.entries(connection, folder, manifest.files_below(folder))


def seal(
    connection: Connection,
    folder: Path,
    data: Sequence[SealedFile] = (),
    *,
    neutralised: int,
    previous_manifest_sha256: str | None,
    key: SigningKey | None,
) -> Seal:
    """Write the manifest over everything in the folder, and its signature if there is a key.

    ``data`` are files that have been read already. ``neutralised`` is how many CSV cells got an apostrophe so that no
    spreadsheet runs them.

    Raises:
        OSError: a file cannot be written.
    """
    if key is not None:
        (folder / PUBLIC_KEY_FILE).write_bytes(key.public.pem())
    known = {entry.path for entry in data}
    others = [path for path in manifest.files_below(folder) if path not in known]
    files = [*data, *manifest.entries(connection, folder, others)]
    content = manifest.compose(
        connection,
        files,
        neutralised=neutralised,
        previous_manifest_sha256=previous_manifest_sha256,
    )
    (folder / MANIFEST).write_bytes(content)
    if key is not None:
        (folder / SIGNATURE).write_bytes(key.sign(content))
    return Seal(manifest.data_sha256(files), hashlib.sha256(content).hexdigest(), previous_manifest_sha256)
