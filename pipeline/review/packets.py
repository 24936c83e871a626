"""Handing out: one packet for each reviewer of a campaign, to fill in and to read."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

from pipeline import resources
from pipeline.errors import RenderError
from pipeline.progress import Progress
from pipeline.reporting import glyphs, packets, pdf
from pipeline.review import campaign as campaigns
from pipeline.review.campaign import Campaign
from pipeline.warehouse import saved
from pipeline.warehouse.database import Connection

__all__ = ["write"]


def write(connection: Connection, campaign: Campaign, directory: Path, progress: Progress) -> list[Path]:
    """Write a workbook, a CSV file and a PDF for each reviewer to ``campaigns/<name>/`` below a folder.

    Return the paths. Decisions that were imported already stand in them. Where PDFs cannot be made for want of a
    library, that is a warning: they are to read, and the other two have everything.

    Raises:
        RenderError: a file cannot be written.
    """
    campaigns.hold_current(connection, campaign.campaign)
    query = saved.find(saved.load_queries(resources.sql() / "review"), "packet", {"reviewer": None})
    folder = directory / "campaigns" / campaign.campaign
    reviewers = [row["reviewer_email"] for row in campaigns.rows(connection, "progress")]
    has_pdf = _can_make_pdf(progress)
    written: list[Path] = []
    progress.stage("packets")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number, reviewer in enumerate(reviewers, start=1):
            connection.execute(f"create or replace temp table packet as {query.sql}", {"reviewer": reviewer})
            path = folder / f"{_stem(reviewer)}.xlsx"
            cursor = connection.execute("select * from packet order by place, item_id")
            asked: dict[str, Any] = {
                "names": [column[0] for column in cursor.description or []],
                "rows": cursor.fetchall(),
                "campaign": campaign.campaign,
                "reviewer": reviewer,
                "due_on": campaign.due_on,
                "opened_at": campaign.opened_at,
            }
            packets.write_xlsx(path, **asked)
            packets.write_csv(connection, "packet", path.with_suffix(".csv"))
            written += [path, path.with_suffix(".csv")]
            if has_pdf:
                missing = packets.write_pdf(path.with_suffix(".pdf"), snapshot_id=campaign.snapshot_id, **asked)
                if missing:
                    progress.note(glyphs.warning(missing, [str(row[0]) for row in _names(connection)]))
                written.append(path.with_suffix(".pdf"))
            progress.advance("reviewers", number, len(reviewers))
    except OSError as error:
        raise RenderError(
            f"a packet cannot be written: {error.strerror}",
            where=str(error.filename or folder),
            hint="check the folder, its permissions and the free space",
        ) from error
    return written


def _can_make_pdf(progress: Progress) -> bool:
    try:
        pdf.check_libraries()
    except RenderError as error:
        progress.note(f"the PDFs to read are left out: {error}; {error.hint}")
        return False
    return True


def _names(connection: Connection) -> list[tuple[Any, ...]]:
    return connection.execute('select distinct "who" from packet').fetchall()


def _stem(reviewer: str) -> str:
    """Return the name of a reviewer's files without its ending; no two reviewers share one.

    What a file system may refuse becomes ``_``; an address with more of that than its @ gets a hash too.
    """
    readable = re.sub(r"[^a-z0-9.-]", "_", reviewer)
    if readable == reviewer.replace("@", "_", 1) and readable.count("_") == 1:
        return f"packet-{readable}"
    return f"packet-{readable}-{hashlib.sha256(reviewer.encode()).hexdigest()[:8]}"
