"""The store of one campaign, with everything that the page and the commands do with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Self

from pipeline.review.store.access import StoredAccess
from pipeline.review.store.deciding import StoredDecisions
from pipeline.review.store.handing_over import StoredMails, StoredReassignments
from pipeline.settings import Settings

if TYPE_CHECKING:  # the page runs without DuckDB
    from pipeline.review.campaign import Campaign
    from pipeline.warehouse.database import Connection

__all__ = ["ReviewStore"]

_FILE = "review.sqlite"


class ReviewStore(StoredDecisions, StoredReassignments, StoredMails, StoredAccess):
    """The file in which the reviewers of one campaign decide. Safe for any number of threads and processes."""

    @staticmethod
    def path_of(settings: Settings, campaign: str) -> Path:
        """Return the path of a campaign's store, whether it exists or not."""
        return settings.reports.directory / "campaigns" / campaign / _FILE

    @classmethod
    def make(cls, connection: Connection, campaign: Campaign, path: Path) -> Self:
        """Open the store of a campaign; make it from the database first if there is none.

        Raises:
            RenderError: it cannot be written.
            WarehouseError: it belongs to another version of the program.
        """
        from pipeline.review.store.creation import make_store

        make_store(connection, campaign, path)
        return cls.open(path)
