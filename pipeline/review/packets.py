"""Handing out: one packet for each reviewer of a campaign."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from pipeline import resources
from pipeline.errors import RenderError
from pipeline.reporting import packets
from pipeline.review import campaign as campaigns
from pipeline.review.campaign import Campaign
from pipeline.warehouse import saved
from pipeline.warehouse.database import Connection

__all__ = ["write"]


def write(connection: Connection, campaign: Campaign, directory: Path) -> list[Path]:
    """Write a workbook and a CSV file for each reviewer to ``campaigns/<name>/`` below a folder; return the paths.

    Decisions that were imported already stand in them.

    Raises:
        RenderError: a file cannot be written.
    """
    campaigns.hold_current(connection, campaign.campaign)
    query = saved.find(saved.load_queries(resources.sql() / "review"), "packet", {"reviewer": None})
    folder = directory / "campaigns" / campaign.campaign
    written: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for row in campaigns.rows(connection, "progress"):
            reviewer = row["reviewer_email"]
            connection.execute(
                f"create or replace temp table packet as select * from ({query.sql}) order by {packets.ORDER}",
                {"reviewer": reviewer},
            )
            stem = _stem(reviewer)
            cursor = connection.execute(f"select * from packet order by {packets.ORDER}")
            packets.write_xlsx(
                folder / f"{stem}.xlsx",
                names=[column[0] for column in cursor.description or []],
                rows=cursor.fetchall(),
                campaign=campaign.campaign,
                reviewer=reviewer,
                due_on=campaign.due_on,
                opened_at=campaign.opened_at,
            )
            packets.write_csv(connection, "packet", folder / f"{stem}.csv")
            written += [folder / f"{stem}.xlsx", folder / f"{stem}.csv"]
    except OSError as error:
        raise RenderError(
            f"a packet cannot be written: {error.strerror}",
            where=str(error.filename or folder),
            hint="check the folder, its permissions and the free space",
        ) from error
    return written


def _stem(reviewer: str) -> str:
    """Return the name of a reviewer's files without its ending; no two reviewers share one.

    What a file system may refuse becomes ``_``; an address with more of that than its @ gets a hash too.
    """
    readable = re.sub(r"[^a-z0-9.-]", "_", reviewer)
    if readable == reviewer.replace("@", "_", 1) and readable.count("_") == 1:
        return f"packet-{readable}"
    return f"packet-{readable}-{hashlib.sha256(reviewer.encode()).hexdigest()[:8]}"
