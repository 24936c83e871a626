"""The sealed folder of a sign-off: all decisions, and the attestation as a PDF, chained to the report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline import resources
from pipeline.errors import ModelError
from pipeline.evidence import manifest
from pipeline.evidence.manifest import MANIFEST
from pipeline.evidence.sealing import Proofs, draft_folder, seal
from pipeline.reporting import csv, pdf, templating, view
from pipeline.reporting.dataset import load
from pipeline.reporting.decisions import DecisionSum
from pipeline.warehouse.database import Connection

__all__ = ["SignOffContents", "write"]

_DECISIONS = "decisions.csv"
_HISTORY = "decision_history.csv"
_PDF = "sign-off.pdf"
#: Most lines in the PDF; decisions.csv, which is attached to it, has all of them.
_REVOCATIONS_SHOWN = 500


#: Columns by which decisions are listed, as people look for them.
_ORDER = ("display_name", "user_name", "source", "account_id", "entitlement_type", "decision", "words")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOffContents:
    """The contents of a sign-off.

    ``decisions`` is a query with one row for each item, ``history`` one with those that were replaced or taken back;
    both take ``$campaign``. ``attestation`` says who signs
    what: ``campaign``, ``signed_by``, ``email``, ``role``, ``signed_at``, ``scope``, ``opened_at``. ``quality`` has
    the counts of the campaign, ``reviewers`` those of each reviewer. ``revocations`` are the decisions to remove or
    reduce access, the rows of ``sql/remediation/campaign.sql``.
    """

    decisions: str
    history: str
    attestation: Mapping[str, Any]
    quality: Mapping[str, Any]
    reviewers: Sequence[Mapping[str, Any]]
    revocations: Sequence[Mapping[str, Any]]

    def sum_up(self) -> DecisionSum:
        """Return what the decisions to remove or reduce access add up to.

        Raises:
            ModelError: they do not add up.
        """
        decided = DecisionSum.of(
            str(self.attestation["campaign"]),
            self.quality["removed"] + self.quality["reduced"],
            [(row["outcome"], row["left_out_because"]) for row in self.revocations],
        )
        if not decided.holds:
            raise ModelError(
                f"the decisions do not add up: {decided.text}",
                where=f"campaign {decided.campaign}",
                hint="report this as a bug",
            )
        return decided


def write(
    connection: Connection,
    folder: Path,
    contents: SignOffContents,
    *,
    previous_manifest_sha256: str,
    proofs: Proofs,
    record: Callable[[str], None],
) -> tuple[Path, ...]:
    """Write the folder; return its files.

    ``record`` receives the manifest's hash when all files are written and before the folder gets its name. If it
    raises, there is no folder. The same contents give the same bytes, so an interrupted sign-off can be repeated.

    Raises:
        RenderError: a file cannot be written, or Pango is missing.
        ModelError: the decisions to remove or reduce do not add up.
    """
    pdf.check_libraries()
    dataset = load(connection)
    decided = contents.sum_up()
    with draft_folder(folder) as draft:
        neutralised = _write_tables(connection, contents, draft.file)
        entries = manifest.sealed_files(connection, draft.folder, [_DECISIONS, _HISTORY])
        paper = draft.file(_PDF)
        templates = resources.templates()
        document = templating.fill(
            templates,
            "signed.html",
            view.arrange(dataset, rows_shown=0, data_sha256=manifest.data_sha256(entries)),
            attestation=contents.attestation,
            quality=contents.quality,
            reviewers=contents.reviewers,
            revocations=_lines(contents.revocations),
            revocations_shown=_REVOCATIONS_SHOWN,
            decided=decided,
        )
        content, _ = pdf.render(
            document,
            templates,
            [draft.folder / _DECISIONS, draft.folder / _HISTORY],
            contents.attestation["signed_at"],
        )
        paper.write_bytes(content)
        sealed = seal(
            connection,
            draft,
            entries,
            neutralised=neutralised,
            previous_manifest_sha256=previous_manifest_sha256,
            proofs=proofs,
        )
        record(sealed.manifest_sha256)
    return folder / _DECISIONS, folder / _HISTORY, folder / _PDF, folder / MANIFEST


def _write_tables(connection: Connection, contents: SignOffContents, place: Callable[[str], Path]) -> int:
    """Write the decisions and their history; return how many cells were neutralised."""
    order = "source, account_id, entitlement_type, entitlement_id"
    values = {"campaign": contents.attestation["campaign"]}
    written = csv.write(connection, contents.decisions, place(_DECISIONS), order_by=order, parameters=values)
    return written + csv.write(
        connection, contents.history, place(_HISTORY), order_by=f"{order}, sequence", parameters=values
    )


def _lines(revocations: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Put equal decisions about one account on one line, with the names of all its groups; sort them by name."""
    lines: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in revocations:
        names = ("source", "account_id", "action", "target_role", "decided_by", "words", "left_out_because")
        line = lines.setdefault(tuple(row[name] for name in names), {**row, "access": []})
        line["access"].append(row["entitlement_name"])
    for line in lines.values():
        line["access"].sort(key=str.lower)
    return sorted(lines.values(), key=lambda line: [str(line[name] or "").lower() for name in _ORDER])
