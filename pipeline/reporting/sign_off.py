"""The sealed folder of a sign-off: every decision, the attestation as a PDF, chained to the report it rests on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline import resources
from pipeline.errors import ModelError
from pipeline.evidence import manifest
from pipeline.evidence.manifest import MANIFEST
from pipeline.evidence.sealing import draft_folder, seal
from pipeline.evidence.signature import SigningKey
from pipeline.reporting import csv, pdf, templating, view
from pipeline.reporting.dataset import load
from pipeline.reporting.decisions import DecisionSum
from pipeline.warehouse.database import Connection

__all__ = ["write"]

_DECISIONS = "decisions.csv"
_PDF = "sign-off.pdf"
#: Lines on paper, which is as many as anybody reads; decisions.csv inside the document has them all.
_REVOCATIONS_SHOWN = 500


def write(
    connection: Connection,
    folder: Path,
    *,
    decisions: str,
    attestation: Mapping[str, Any],
    quality: Mapping[str, Any],
    reviewers: Sequence[Mapping[str, Any]],
    revocations: Sequence[Mapping[str, Any]],
    previous_manifest_sha256: str,
    key: SigningKey | None,
    record: Callable[[str], None],
) -> tuple[Path, ...]:
    """Write the folder; return its files.

    ``record`` is given the manifest's hash when everything is written, before the folder takes its name: what it
    raises leaves no folder. The same values give the same bytes, so a folder that was recorded and got no name can be
    made again.

    ``decisions`` is a query with one row for each item, which takes ``$campaign``.
    ``attestation`` says who signs what: ``campaign``, ``signed_by``,
    ``email``, ``role``, ``signed_at``, ``scope``, ``opened_at``. ``revocations`` are the decisions to remove or
    reduce, the rows of ``sql/remediation/campaign.sql``.

    Raises:
        RenderError: a file cannot be written, or Pango is missing.
        ModelError: the decisions to remove or reduce do not add up.
    """
    pdf.check_libraries()
    dataset = load(connection)
    decided = DecisionSum.of(
        str(attestation["campaign"]),
        quality["removed"] + quality["reduced"],
        [(row["outcome"], row["left_out_because"]) for row in revocations],
    )
    if not decided.holds:
        raise ModelError(
            f"the decisions do not add up: {decided.text}",
            where=f"campaign {decided.campaign}",
            hint="report this as a bug",
        )
    with draft_folder(folder) as draft:
        neutralised = csv.write(
            connection,
            decisions,
            draft.file(_DECISIONS),
            order_by="source, account_id, entitlement_type, entitlement_id",
            parameters={"campaign": attestation["campaign"]},
        )
        entries = manifest.sealed_files(connection, draft.folder, [_DECISIONS])
        paper = draft.file(_PDF)
        templates = resources.templates()
        document = templating.fill(
            templates,
            "signed.html",
            view.arrange(dataset, rows_shown=0, data_sha256=manifest.data_sha256(entries)),
            attestation=attestation,
            quality=quality,
            reviewers=reviewers,
            revocations=_lines(revocations),
            revocations_shown=_REVOCATIONS_SHOWN,
            decided=decided,
        )
        content, _ = pdf.render(document, templates, [draft.folder / _DECISIONS], attestation["signed_at"])
        paper.write_bytes(content)
        sealed = seal(
            connection,
            draft,
            entries,
            neutralised=neutralised,
            previous_manifest_sha256=previous_manifest_sha256,
            key=key,
        )
        record(sealed.manifest_sha256)
    return folder / _DECISIONS, folder / _PDF, folder / MANIFEST


def _lines(revocations: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Put what was decided alike for one account on one line: its groups, by name."""
    lines: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in revocations:
        names = ("source", "account_id", "action", "target_role", "decided_by", "words", "left_out_because")
        line = lines.setdefault(tuple(row[name] for name in names), {**row, "access": []})
        line["access"].append(row["entitlement_name"])
    return list(lines.values())
