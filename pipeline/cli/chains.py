"""``verify --chain``: a directory of report folders, checked as a whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli import verdicts
from pipeline.cli.terminal import Terminal, align
from pipeline.errors import GateError
from pipeline.reporting.text import moment
from pipeline.wording import counted

if TYPE_CHECKING:
    from pipeline.evidence.chains import Chain, ChainedFolder, ChainVerification
    from pipeline.evidence.verification import FolderVerification

__all__ = ["show"]

_SIGNATURES = {"trusted": "valid", "unproven": "not checked", "bad": "INVALID"}
_STAMPS = {"missing": "MISSING", "bad": "INVALID"}


def show(terminal: Terminal, directory: Path, verify: Callable[[Path], FolderVerification]) -> None:
    """Check the folders of a directory and print the result.

    Raises:
        UsageError: the directory cannot be read, or holds no report folder.
        GateError: a folder, or a link between folders, has a problem.
    """
    from pipeline.evidence.chains import verify_chains

    found = verify_chains(directory, verify)
    for note in found.notes:
        terminal.note(verdicts.printable([note]))
    terminal.result(_text(directory, found), _document(directory, found))
    if found.problems:
        raise GateError(
            f"the reports are not verified: {counted(len(found.problems), 'problem')}",
            where=str(directory),
            hint=verdicts.hint(
                found.problems, "do not rely on the folders that are named; another copy may have them whole"
            ),
        )


def _text(directory: Path, found: ChainVerification) -> str:
    lines = verdicts.problem_lines(found.problems)
    for chain in found.chains:
        lines.append(f"{chain.organization}: {', '.join(chain.sources)}")
        rows = [(each.name, _result(found, each.name), *_row(chain, each)) for each in chain.folders]
        lines += align(("folder", "result", "kind", "chained to", "signature", "time stamp"), rows).splitlines()
        lines.append("")
    if found.unplaced:
        lines.append("In no chain, because the manifest cannot be used:")
        lines += align(("folder", "result"), [(name, _result(found, name)) for name in found.unplaced]).splitlines()
        lines.append("")
    verdict = "NOT VERIFIED" if found.problems else "verified"
    unplaced = f", {len(found.unplaced)} in no chain" if found.unplaced else ""
    folders = counted(found.folders + len(found.unplaced), "folder")
    lines.append(f"{verdict}: {directory}, {counted(len(found.chains), 'chain')}, {folders}{unplaced}")
    return verdicts.printable(lines)


def _result(found: ChainVerification, name: str) -> str:
    problems = len(found.problems_of(name))
    return counted(problems, "problem") if problems else "verified"


def _row(chain: Chain, each: ChainedFolder) -> tuple[str, ...]:
    begins = "nothing: the first report" if each.previous is None else "NOT HERE"
    checked = each.found.time_stamp
    stamp = moment(checked.stamp.stamped_at) if checked.stamp else _STAMPS.get(checked.state, "none")
    if checked.stamp and checked.state in {"bad", "unchecked"}:
        stamp += ", INVALID" if checked.state == "bad" else ", not checked"
    return (
        each.kind,
        chain.chained_to.get(each.name, begins),
        _SIGNATURES.get(each.found.signature, each.found.signature),
        stamp,
    )


def _document(directory: Path, found: ChainVerification) -> dict[str, object]:
    return {
        "directory": directory,
        "verified": not found.problems,
        "problems": [{"path": problem.path, "problem": problem.what} for problem in found.problems],
        "chains": [
            {
                "organization": chain.organization,
                "sources": chain.sources,
                "folders": [
                    {
                        "folder": each.folder,
                        "kind": each.kind,
                        "snapshot_id": each.snapshot_id,
                        "manifest_sha256": each.sha256,
                        "previous_manifest_sha256": each.previous,
                        "chained_to": chain.chained_to.get(each.name),
                        "verified": not found.problems_of(each.name),
                        "signature": each.found.signature,
                        "fingerprint": each.found.fingerprint,
                        "time_stamp": verdicts.stamp_document(each.found.time_stamp),
                    }
                    for each in chain.folders
                ],
            }
            for chain in found.chains
        ],
        "in_no_chain": found.unplaced,
        "notes": found.notes,
    }
