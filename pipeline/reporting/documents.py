"""The two PDFs of a report: one to read and sign, one with the evidence for the auditor.

Each function takes the build as frames and a path, so that both can run side by side in processes of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars

from pipeline import resources
from pipeline.evidence import manifest
from pipeline.evidence.manifest import SealedFile
from pipeline.reporting import brief, glyphs, pdf, templating, view
from pipeline.reporting.dataset import Dataset

__all__ = ["ATTACHED_BYTES", "BRIEF", "EVIDENCE", "ROWS_PER_TABLE", "DocumentJob", "write_brief", "write_evidence"]

#: Names of the files.
BRIEF = "access-review.pdf"
EVIDENCE = "access-review-evidence.pdf"
#: Most rows shown of a table that may be long.
ROWS_PER_TABLE = 200
#: A larger CSV file (about 40,000 accounts) is not attached to the evidence, so that it can be mailed.
ATTACHED_BYTES = 16 * 1024 * 1024
#: Most privileged accounts shown, about six pages; more of them mean that the roles are wrong.
_PRIVILEGED_SHOWN = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentJob:
    """What both documents need besides the build.

    ``folder`` has the finished CSV files and ``data`` their hashes. ``tables`` are the names of the CSV files to
    attach to the evidence. At most ``rows_per_table`` rows of each table that may be long are shown. ``templates`` is
    the folder of the templates.
    """

    folder: Path
    data: Sequence[SealedFile]
    tables: Sequence[str]
    rows_per_table: int = ROWS_PER_TABLE
    attached_bytes: int = ATTACHED_BYTES
    templates: Path = field(default_factory=resources.templates)


def write_brief(dataset: Dataset, job: DocumentJob, path: Path) -> list[str]:
    """Write the report to read and sign; return warnings for its reader.

    Raises:
        RenderError: Pango is missing, or a template is wrong.
    """
    arranged = view.arrange(
        dataset,
        rows_shown=job.rows_per_table,
        data_sha256=manifest.data_sha256(job.data),
    )
    own = brief.arrange(
        dataset,
        rows_shown=job.rows_per_table,
        privileged_shown=max(_PRIVILEGED_SHOWN, job.rows_per_table),
        sums=arranged.decision_sums,
    )
    return _write(templating.fill(job.templates, "brief.html", arranged, brief=own), dataset, job, path)


def write_evidence(dataset: Dataset, job: DocumentJob, path: Path) -> list[str]:
    """Write the evidence for the auditor, with the CSV files embedded; return warnings for its reader.

    Raises:
        RenderError: Pango is missing, or a template is wrong.
    """
    tables = [file for file in job.data if file.path in job.tables]
    attached = [file.path for file in tables if file.bytes <= job.attached_bytes]
    arranged = view.arrange(
        dataset,
        rows_shown=job.rows_per_table,
        data_sha256=manifest.data_sha256(job.data),
        attached=attached,
        left_out=[file.path for file in tables if file.path not in attached],
    )
    document = templating.fill(job.templates, "evidence.html", arranged)
    return _write(document, dataset, job, path, [job.folder / name for name in attached])


def _write(document: str, dataset: Dataset, job: DocumentJob, path: Path, attached: Sequence[Path] = ()) -> list[str]:
    """Render one document to its path; return a warning if characters are missing from every font."""
    content, missing = pdf.render(document, job.templates, attached, dataset.snapshot["finished_at"])
    path.write_bytes(content)
    return [glyphs.warning(missing, _names(dataset))] if missing else []


def _names(dataset: Dataset) -> Iterator[str]:
    """Yield every text from a source that may be on a page."""
    for frame in (
        dataset.privileged_accounts,
        dataset.person_access,
        dataset.finding_rows,
        dataset.summary,
        dataset.sources,
        *dataset.objects.frames(),
    ):
        for column in frame.iter_columns():
            if column.dtype == polars.String:
                yield from column.drop_nulls()
