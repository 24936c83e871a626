"""The review cycle as its callers see it: open, hand out packets, import decisions, show the status, sign off.

Each step opens the database only for its own time and returns its results. Nothing here prints.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from pipeline.clock import Clock, utc_now
from pipeline.errors import GateError, UsageError
from pipeline.evidence.sealing import Proofs
from pipeline.evidence.signature import signing_key
from pipeline.evidence.stamping import stamp_sealed
from pipeline.progress import Progress, Silent
from pipeline.review import campaign as campaigns
from pipeline.review import importing, packets, signing, syncing
from pipeline.review.campaign import (
    Blocker,
    Campaign,
    LeftOutItems,
    NewCampaign,
    ReviewerProgress,
    ReviewQuality,
    RiskProgress,
)
from pipeline.review.importing import Imported
from pipeline.review.signing import Signer
from pipeline.review.store import ReviewStore
from pipeline.review.syncing import BroughtIn
from pipeline.settings import Settings
from pipeline.warehouse import database
from pipeline.warehouse.database import Connection

__all__ = [
    "CampaignStatus",
    "Import",
    "NewCampaign",
    "OpenedCampaign",
    "PageImport",
    "ReviewService",
    "Signer",
    "WrittenFiles",
]


@dataclass(frozen=True, slots=True)
class OpenedCampaign:
    """A campaign that was just opened: its items by reviewer, and the items that were left out."""

    campaign: str
    snapshot_id: str
    reviewers: tuple[ReviewerProgress, ...]
    left_out: tuple[LeftOutItems, ...]

    @property
    def items(self) -> int:
        """Return how many items are assigned to a reviewer."""
        return sum(row.items for row in self.reviewers)


@dataclass(frozen=True, slots=True)
class WrittenFiles:
    """The files that were written for a campaign."""

    campaign: str
    snapshot_id: str
    files: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class PageImport:
    """What was brought in from the page of a campaign; ``path`` is its store."""

    campaign: str
    path: Path
    found: BroughtIn


@dataclass(frozen=True, slots=True)
class Import:
    """The results of returned files, each with its path, and the errors of files that were refused as a whole."""

    files: tuple[tuple[Path, Imported], ...]
    refused: tuple[UsageError | GateError, ...]

    @property
    def problems(self) -> int:
        """Return how many mistakes the files have."""
        return sum(len(imported.problems) for _, imported in self.files)


@dataclass(frozen=True, slots=True)
class CampaignStatus:
    """The progress of a campaign.

    ``days_overdue`` is 0 unless the campaign is open, past its due date and has pending items. ``decisions_on_page``
    and ``reassignments_on_page`` were not brought in yet; the other numbers do not know of them. ``refused_requests``
    are in the log of the page, which owners read there. ``signed_by`` and ``signed_at`` (UTC) are of
    the sign-off.
    """

    campaign: str
    snapshot_id: str
    is_signed: bool
    due_on: date | None
    days_overdue: int
    decisions: ReviewQuality
    blockers: tuple[Blocker, ...]
    reviewers: tuple[ReviewerProgress, ...]
    risks: tuple[RiskProgress, ...]
    decisions_on_page: int = 0
    reassignments_on_page: int = 0
    refused_requests: int = 0
    signed_by: str | None = None
    signed_at: datetime | None = None


class ReviewService:
    """The steps of a review, over the database and the report directory of one configuration.

    ``environment`` holds the secrets. ``progress`` receives warnings and how far a step is; without it nothing is
    shown.
    """

    def __init__(
        self,
        settings: Settings,
        environment: Mapping[str, str] = os.environ,
        progress: Progress | None = None,
        *,
        clock: Clock = utc_now,
    ) -> None:
        self._settings = settings
        self._environment = environment
        self._progress: Progress = progress or Silent()
        self._clock = clock

    def open(self, new: NewCampaign) -> OpenedCampaign:
        """Open a campaign over the access in the current build.

        Raises:
            UsageError: the name, the scope, the due date or a reviewer is invalid, or the name is taken.
            WarehouseError: there is no build.
            IncompleteError: the snapshot is not FULL.
            GateError: an item has no reviewer, or there are no items.
        """
        with database.writing(self._database, notify=self._progress.note) as connection:
            opened = campaigns.open_campaign(connection, new, self._clock())
            return OpenedCampaign(
                opened.campaign,
                opened.snapshot_id,
                campaigns.progress_by_reviewer(connection, opened.campaign),
                campaigns.left_out(connection, opened.campaign),
            )

    def write_packets(self, name: str | None = None) -> WrittenFiles:
        """Write the packets of a campaign, by default the only open one, below the report directory.

        Raises:
            UsageError: there is no campaign of that name, or none or several are open.
            RenderError: a file cannot be written.
        """
        with database.reading(self._database, notify=self._progress.note) as connection:
            campaign = campaigns.find(connection, name)
            if self._waiting(connection, campaign).total():
                self._progress.note(
                    "these packets lack decisions or reassignments on the page: run 'access-review review import' "
                    "and write them again"
                )
            files = packets.write(connection, campaign, self._settings.reports.directory, self._progress)
        return WrittenFiles(campaign.campaign, campaign.snapshot_id, files)

    def prepare_page(self, name: str | None = None) -> ReviewStore:
        """Open the store of an open campaign, by default the only one; make it first if there is none.

        Raises:
            UsageError: there is no campaign of that name, or none or several are open.
            RenderError: the store cannot be written.
        """
        with database.reading(self._database, notify=self._progress.note) as connection:
            campaign = campaigns.find(connection, name)
            return ReviewStore.make(connection, campaign, ReviewStore.path_of(self._settings, campaign.campaign))

    def bring_in(self, name: str | None = None) -> PageImport | None:
        """Bring the decisions, reassignments and mails of a campaign's page into the database.

        Return None if the campaign has no page. Bringing in again changes nothing.

        Raises:
            UsageError: there is no campaign of that name, or none or several are open.
            GateError: the campaign is signed off.
        """
        with database.writing(self._database, notify=self._progress.note) as connection:
            return self._bring_in(connection, name)

    def import_files(self, files: Sequence[Path], name: str | None = None, *, skip_invalid: bool = False) -> Import:
        """Import returned packets, each in a transaction of its own, after what is on the pages of their campaigns.

        A file with problems is not imported; with ``skip_invalid``, its rows without a problem are.
        """
        imported: list[tuple[Path, Imported]] = []
        refused: list[UsageError | GateError] = []
        with database.writing(self._database, notify=self._progress.note) as connection:
            for path in files:
                try:
                    found = importing.import_file(
                        connection,
                        path,
                        name=name,
                        store_of=self._store_of,
                        now=self._clock(),
                        skip_invalid=skip_invalid,
                    )
                except (UsageError, GateError) as error:  # about this file alone: the others can be imported
                    refused.append(error)
                    continue
                for note in found.notes:
                    self._progress.note(note)
                imported.append((path, found))
        return Import(tuple(imported), tuple(refused))

    def status(self, name: str | None = None) -> CampaignStatus:
        """Return the progress of a campaign, by default the open one, or the last one if all are signed off.

        Raises:
            UsageError: there is no campaign of that name, or none or several are open.
        """
        with database.reading(self._database, notify=self._progress.note) as connection:
            campaign = campaigns.find(connection, name, or_last=True)
            quality = campaigns.quality(connection, campaign.campaign)
            store = None if campaign.is_signed else self._store_of(campaign.campaign)
            with store or nullcontext():
                waiting = syncing.waiting(connection, campaign.campaign, store) if store else Counter[str]()
                refused = store.refusal_count() if store else 0
            late = (self._clock().date() - campaign.due_on).days if campaign.due_on else 0
            return CampaignStatus(
                campaign.campaign,
                campaign.snapshot_id,
                campaign.is_signed,
                campaign.due_on,
                late if late > 0 and quality.pending and not campaign.is_signed else 0,
                quality,
                campaigns.blockers(connection, campaign.campaign),
                campaigns.progress_by_reviewer(connection, campaign.campaign),
                campaigns.progress_by_risk(connection, campaign.campaign),
                waiting["decision"],
                waiting["reassignment"],
                refused,
                campaign.signed_by,
                campaign.signed_at,
            )

    def sign_off(self, signer: Signer, name: str | None = None) -> WrittenFiles:
        """Sign off a campaign and seal its decisions in a folder; its snapshot becomes the baseline.

        If an earlier call was interrupted after the sign-off was recorded, the same call writes the folder.

        Raises:
            UsageError: there is no campaign of that name, or none or several are open.
            GateError: it is signed already, an item blocks it, decisions on its page have not been brought in, or the
                build has no sealed report.
            ConfigurationError: the signing key cannot be used.
            WarehouseError: the current build is not the one that was reviewed.
            RenderError: a file cannot be written; the campaign is not signed then.
        """
        evidence = self._settings.evidence
        proofs = Proofs(signing_key(self._environment), evidence.timestamp_url)
        directory = self._settings.reports.directory
        with database.writing(self._database, notify=self._progress.note) as connection:
            campaign = signing.find_campaign(connection, name, directory)
            now = self._clock()
            store = None if campaign.is_signed else self._store_of(campaign.campaign)
            with store or nullcontext(), syncing.closed(connection, campaign.campaign, store, now):
                files = signing.sign(connection, campaign, signer, directory, now=now, proofs=proofs)
        stamp_sealed(files[0].parent, self._settings, self._environment, self._progress.note)
        return WrittenFiles(campaign.campaign, campaign.snapshot_id, files)

    def _bring_in(self, connection: Connection, name: str | None) -> PageImport | None:
        campaign = campaigns.find(connection, name)
        if campaign.is_signed:
            raise GateError(
                f"the campaign '{campaign.campaign}' is signed off",
                where="review.sign_offs",
                hint="open another campaign",
            )
        store = self._store_of(campaign.campaign)
        if store is None:
            return None
        with store:
            found = syncing.bring_in(connection, campaign.campaign, store, self._clock())
        return PageImport(campaign.campaign, store.path, found)

    def _waiting(self, connection: Connection, campaign: Campaign) -> Counter[str]:
        """Return how many decisions and reassignments are on the page only, by kind."""
        store = None if campaign.is_signed else self._store_of(campaign.campaign)
        if store is None:
            return Counter()
        with store:
            return syncing.waiting(connection, campaign.campaign, store)

    def _store_of(self, campaign: str) -> ReviewStore | None:
        """Return the store of a campaign, or None if it has no page."""
        path = ReviewStore.path_of(self._settings, campaign)
        return ReviewStore.open(path) if path.exists() else None

    @property
    def _database(self) -> Path:
        return self._settings.warehouse.database
