"""Packets: the files with which each reviewer of a campaign reads and answers their items."""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import RenderError
from pipeline.progress import Progress
from pipeline.reporting import glyphs, packet_workbook, packets, pdf
from pipeline.reporting.packets import PacketContents
from pipeline.review import campaign as campaigns
from pipeline.review.campaign import Campaign
from pipeline.review.filenames import campaign_folder, stem
from pipeline.warehouse import saved
from pipeline.warehouse.database import Connection

__all__ = ["write"]


def write(connection: Connection, campaign: Campaign, directory: Path, progress: Progress) -> tuple[Path, ...]:
    """Write a workbook, a CSV file and a PDF for each reviewer to ``campaigns/<name>/`` below a folder.

    Return the paths. Imported decisions are filled in. Without the libraries that PDFs need, the PDFs are left out
    with a warning: the other two files hold everything.

    Raises:
        RenderError: a file cannot be written.
    """
    folder = campaign_folder(directory, campaign.campaign)
    reviewers = [row.reviewer_email for row in campaigns.progress_by_reviewer(connection, campaign.campaign)]
    has_pdf = _can_make_pdf(progress)
    written: list[Path] = []
    progress.stage("packets")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number, reviewer in enumerate(reviewers, start=1):
            written += _write_packet(connection, campaign, reviewer, folder, progress if has_pdf else None)
            progress.advance("reviewers", number, len(reviewers))
    except OSError as error:
        raise RenderError(
            f"a packet cannot be written: {error.strerror}",
            where=str(error.filename or folder),
            hint="check the folder, its permissions and the free space",
        ) from error
    return tuple(written)


def _write_packet(
    connection: Connection, campaign: Campaign, reviewer: str, folder: Path, pdf_progress: Progress | None
) -> list[Path]:
    """Write the files of one reviewer; the PDF only with ``pdf_progress``, which receives its warnings."""
    values = {"campaign": campaign.campaign, "reviewer": reviewer}
    query = saved.statement("review", "packet")
    cursor = connection.execute(f"select * from ({query}) order by place, item_id", values)
    contents = PacketContents(
        campaign.campaign,
        campaign.snapshot_id,
        reviewer,
        campaign.due_on,
        campaign.opened_at,
        [column[0] for column in cursor.description or []],
        cursor.fetchall(),
        [
            (row["source"], row["role"], row["rank"])
            for row in campaigns.rows(connection, "target_roles", snapshot_id=campaign.snapshot_id)
        ],
    )
    path = folder / f"packet-{stem(reviewer)}.xlsx"
    packet_workbook.write(path, contents)
    packets.write_csv(connection, query, values, path.with_suffix(".csv"))
    if pdf_progress is None:
        return [path, path.with_suffix(".csv")]
    missing = packets.write_pdf(path.with_suffix(".pdf"), contents)
    if missing:
        who = contents.names.index("who")
        pdf_progress.note(glyphs.warning(missing, sorted({str(row[who]) for row in contents.rows})))
    return [path, path.with_suffix(".csv"), path.with_suffix(".pdf")]


def _can_make_pdf(progress: Progress) -> bool:
    try:
        pdf.check_libraries()
    except RenderError as error:
        progress.note(f"the packets have no PDFs: {error}; {error.hint}")
        return False
    return True
