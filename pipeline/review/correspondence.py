"""Mail of a campaign, and due campaigns, as the command line uses them: with the database where it is needed."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pipeline.clock import Clock, utc_now
from pipeline.errors import AccessReviewError, ConfigurationError, GateError, UsageError
from pipeline.progress import Progress, Silent
from pipeline.reporting.text import day
from pipeline.review import campaign as campaigns
from pipeline.review import notices
from pipeline.review.cadence import DueReview, due_reviews
from pipeline.review.campaign import NewCampaign
from pipeline.review.filenames import workbook_path
from pipeline.review.notices import Handover, MailRun
from pipeline.review.service import OpenedCampaign, ReviewService
from pipeline.review.store import CampaignClosed, ReviewStore, StoreRefusal
from pipeline.settings import Settings
from pipeline.warehouse import database
from pipeline.warehouse.database import Connection

__all__ = ["Correspondence", "OpenedReview"]


@dataclass(frozen=True, slots=True)
class OpenedReview:
    """A review that was due: its campaign, or the error that kept it from being opened."""

    review: DueReview
    opened: OpenedCampaign | None
    error: AccessReviewError | None


class Correspondence:
    """Invitations, reminders, reassignments and due campaigns of one configuration.

    ``environment`` holds the secrets. ``progress`` receives warnings and how far the writing of packets is.
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
        self._service = ReviewService(settings, environment, progress, clock=clock)

    def invite(self, name: str | None = None) -> MailRun:
        """Mail each reviewer and owner of a campaign once; without a page, the packets are written first.

        Raises:
            UsageError: there is no campaign of that name, or none or several are open.
            GateError: the campaign is signed off.
            ConfigurationError: the password of the mail server is missing.
            RenderError: a file cannot be written.
        """
        with self._store(name) as store:
            self._write_missing_workbooks(store)
            return notices.invite(store, self._settings, self._environment, now=self._clock())

    def remind(self, name: str | None = None, *, only_overdue: bool = False) -> MailRun:
        """Mail the reviewers with open items, each at most once a day. Raises as :meth:`invite`."""
        with self._store(name) as store:
            self._write_missing_workbooks(store)
            return notices.remind(
                store, self._settings, self._environment, now=self._clock(), only_overdue=only_overdue
            )

    def reassign(self, handover: Handover, name: str | None = None) -> tuple[int, MailRun]:
        """Give items to another reviewer, in the store and in the database, and mail them; return how many.

        Raises:
            UsageError: the items cannot be handed over to this reviewer; nothing changes.
            GateError: the campaign is signed off.
            ConfigurationError: the password of the mail server is missing; nothing changes.
            RenderError: a file cannot be written.
        """
        with self._service.prepare_page(name) as store:
            campaign = store.campaign.name

            def bring_in() -> None:
                self._service.bring_in(campaign)
                if self._settings.web.base_url is None:
                    self._service.write_packets(campaign)

            try:
                return notices.hand_over(
                    store, self._settings, self._environment, handover, now=self._clock(), before_mail=bring_in
                )
            except CampaignClosed as error:
                raise GateError(str(error), where=f"campaign {campaign}", hint="open another campaign") from error
            except StoreRefusal as error:
                raise UsageError(
                    f"nothing was reassigned: {error}",
                    where=f"campaign {campaign}",
                    hint="'access-review review status' shows the reviewers; packets show the ids of items",
                ) from error

    def due(self) -> tuple[DueReview, ...]:
        """Return the review of each scope of the cadence in the current period.

        Raises:
            ConfigurationError: there is no cadence.
        """
        with database.reading(self._settings.warehouse.database, notify=self._progress.note) as connection:
            return self._due(connection)

    def open_due(self, reviewers: Sequence[str] = ()) -> tuple[OpenedReview, ...]:
        """Open the campaigns that are due; without ``reviewers``, with those of the last campaign of the scope.

        Raises:
            ConfigurationError: there is no cadence.
        """
        with database.reading(self._settings.warehouse.database, notify=self._progress.note) as connection:
            due = [each for each in self._due(connection) if each.state == "due"]
            chains = {each.scope: reviewers or _last_reviewers(connection, each.scope) for each in due}
            if due:
                self._warn_of_old_access(connection)
        found = []
        for review in due:
            new = NewCampaign(review.campaign, review.scope, chains[review.scope], review.due_on)
            try:
                found.append(OpenedReview(review, self._service.open(new), None))
            except (GateError, UsageError) as error:  # about this campaign alone: the others can be opened
                found.append(OpenedReview(review, None, error))
        return tuple(found)

    def _due(self, connection: Connection) -> tuple[DueReview, ...]:
        months = self._settings.cadence.months()
        if not months:
            raise ConfigurationError(
                "there is no cadence to be due by",
                where=f"{self._settings.path}, cadence",
                hint='add a table [cadence] with privileged = "quarterly", or external, or all',
            )
        return due_reviews(campaigns.every(connection), months, self._clock().date())

    def _warn_of_old_access(self, connection: Connection) -> None:
        row = connection.execute("select finished_at from reference.snapshot").fetchone()
        if row is None:
            return
        finished_at: datetime = row[0].replace(tzinfo=UTC)
        age = (self._clock() - finished_at).days
        if age > 7:
            self._progress.note(
                f"the access to review is from {day(finished_at)}: 'access-review run' extracts it anew"
            )

    def _store(self, name: str | None) -> ReviewStore:
        """Return the store of a campaign; the database is opened only to find the campaign or make the store."""
        if name is not None and (path := ReviewStore.path_of(self._settings, name)).is_file():
            return ReviewStore.open(path)
        return self._service.prepare_page(name)

    def _write_missing_workbooks(self, store: ReviewStore) -> None:
        if self._settings.web.base_url is not None or store.campaign.closed_at is not None:
            return
        campaign, directory = store.campaign.name, self._settings.reports.directory
        if not all(workbook_path(directory, campaign, row.label).exists() for row in store.reviewers()):
            self._service.write_packets(campaign)


def _last_reviewers(connection: Connection, scope: str) -> Sequence[str]:
    """Return how the reviewers of the last campaign of a scope were assigned; nothing if there was none."""
    row = connection.execute(
        "select reviewers from review.campaigns where scope = $scope order by opened_at desc limit 1",
        {"scope": scope},
    ).fetchone()
    return row[0] if row else ()
