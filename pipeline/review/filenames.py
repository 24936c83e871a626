"""Names of the files of a campaign, which carry the address of their reviewer."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

__all__ = ["campaign_folder", "stem", "workbook_path"]


def campaign_folder(directory: Path, campaign: str) -> Path:
    """Return the folder of a campaign below the report directory."""
    return directory / "campaigns" / campaign


def workbook_path(directory: Path, campaign: str, reviewer: str) -> Path:
    """Return the path of a reviewer's workbook, whether it exists or not."""
    return campaign_folder(directory, campaign) / f"packet-{stem(reviewer)}.xlsx"


def stem(reviewer: str) -> str:
    """Return a reviewer's address as a part of a file name; no two reviewers share one.

    Characters that a file system may refuse become ``_``. An address with others of them than its @ also gets a hash.
    """
    readable = re.sub(r"[^a-z0-9.-]", "_", reviewer)
    if readable == reviewer.replace("@", "_", 1) and readable.count("_") == 1:
        return readable
    return f"{readable}-{hashlib.sha256(reviewer.encode()).hexdigest()[:8]}"
