"""A forger: changes a sealed folder and knows how its manifest is made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb

from pipeline.evidence import manifest

__all__ = ["reseal"]


def reseal(folder: Path, **changes: Any) -> None:
    """Write a new manifest for the present content of the folder."""
    path = folder / manifest.MANIFEST
    document = json.loads(path.read_bytes())
    with duckdb.connect() as connection:
        paths = [path for path in manifest.files_below(folder) if path not in manifest.SIDE_FILES]
        files = manifest.sealed_files(connection, folder, paths)
    document["files"] = [{name: getattr(entry, name) for name in entry.__slots__} for entry in files]
    document["data_sha256"] = manifest.data_sha256(files)
    path.write_text(json.dumps(document | changes, indent=2))
