"""Words a verification for people and for ``--json``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.clock import as_stored
from pipeline.reporting.text import moment
from pipeline.wording import counted

if TYPE_CHECKING:
    from pipeline.evidence.stamp_check import StampCheck
    from pipeline.evidence.time_stamp import TimeStamp
    from pipeline.evidence.verification import FolderVerification, Problem

__all__ = ["document", "hint", "printable", "problem_lines", "stamp_document", "stamped", "text"]

_SIGNATURES = {
    "unsigned": "unsigned: the author cannot be verified",
    "trusted": "valid for the key of --key:",
    "unproven": "valid for the key inside the folder, which proves nothing; give a key that you trust with --key:",
    "bad": "INVALID",
}
#: A stamp that was made later than this after the extract was added later: it says less.
_SOON = timedelta(days=1)


def text(folder: Path, found: FolderVerification) -> str:
    """Return the result for one folder: a line for each problem, then what the folder says, then the verdict."""
    lines = problem_lines(found.problems)
    if found.document:
        if found.document.get("pseudonymised"):
            lines.append("pseudonyms   yes: names, addresses and ids of people are replaced")
        lines += [
            f"snapshot     {found.document['snapshot_id']}",
            f"data sha256  {found.document['data_sha256']}",
            f"chained to   {found.document['previous_manifest_sha256'] or 'nothing: this is the first report'}",
        ]
    signer = f" {found.fingerprint}" if found.fingerprint else ""
    lines.append(f"signature    {_SIGNATURES[found.signature]}{signer}")
    lines.append(f"time stamp   {_time_stamp(found.time_stamp)}")
    if found.rebuilt is not None:
        lines.append(f"rebuilt      equal: {', '.join(found.rebuilt) or 'none'}")
    verdict = "NOT VERIFIED" if found.problems else "verified"
    lines.append(f"{verdict}: {folder}, {counted(found.files, 'file')}, {counted(found.bytes, 'byte')}")
    return printable(lines)


def document(folder: Path, found: FolderVerification) -> dict[str, object]:
    """Return the result for one folder as a document for ``--json``."""
    return {
        "folder": folder,
        "verified": not found.problems,
        "problems": [{"path": problem.path, "problem": problem.what} for problem in found.problems],
        "snapshot_id": found.document.get("snapshot_id"),
        "data_sha256": found.document.get("data_sha256"),
        "previous_manifest_sha256": found.document.get("previous_manifest_sha256"),
        "signature": found.signature,
        "fingerprint": found.fingerprint,
        "time_stamp": stamp_document(found.time_stamp),
        "rebuilt": found.rebuilt,
        "notes": found.notes,
    }


def stamp_document(checked: StampCheck) -> dict[str, object]:
    """Return a time stamp for ``--json``; ``state`` is none, missing, unchecked, trusted or bad."""
    stamp = checked.stamp
    return {
        "state": checked.state,
        "stamped_at": as_stored(stamp.stamped_at) if stamp else None,
        "authority": stamp.authority if stamp else None,
    }


def stamped(stamp: TimeStamp) -> str:
    """Return when a stamp was made and by whom."""
    return f"{moment(stamp.stamped_at)} by {stamp.authority}"


def hint(problems: Sequence[Problem], otherwise: str) -> str:
    """Return what to do about problems."""
    if all(problem.is_system_file for problem in problems):
        return "delete these files and verify again: no sealed file has changed"
    return otherwise


def problem_lines(problems: Sequence[Problem]) -> list[str]:
    """Return a line for each problem."""
    return [f"{problem.path}: {problem.what}" for problem in problems]


def printable(lines: Sequence[str]) -> str:
    """Join lines; what a terminal would not show as text becomes a space, because folders come from anywhere."""
    return "\n".join("".join(c if c.isprintable() else " " for c in line) for line in lines)


def _time_stamp(checked: StampCheck) -> str:
    if checked.state == "bad":
        return "INVALID"
    if checked.state == "missing":
        return "MISSING"
    if checked.stamp is None:
        return "not time-stamped"
    said = stamped(checked.stamp)
    if checked.delay is not None and checked.delay > _SOON:
        said += f", {counted(checked.delay.days, 'day')} after the extract ended"
    if checked.state == "trusted":
        return f"{said}; valid for the certificate of --tsa-certificate"
    return f"{said}; not checked: give the certificate of the authority with --tsa-certificate"
