"""A store of a small campaign with two reviewers, made from a database as the program makes it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from pipeline.review import campaign as campaigns
from pipeline.review.campaign import NewCampaign
from pipeline.review.store import ReviewStore
from pipeline.warehouse import database
from pipeline.warehouse.model import Model
from tests.warehouse.builds import only
from tests.warehouse.conftest import House, Source, user

NOW = datetime(2026, 1, 10, 9, tzinfo=UTC)
#: Each reviews what the other uses.
ANN, BO = "ann@example.com", "bo@example.com"


def make_store(folder: Path, models: Sequence[Model]) -> ReviewStore:
    """Return the store of the campaign ``Q1``, in ``review.sqlite`` of a folder."""
    with database.writing(folder / "access-review.duckdb", notify=lambda _: None) as connection:
        house = House(connection, folder, models)
        house.build(
            house.land("20260101T000000Z-0000", {"prod": Source([user("ann"), user("bo"), user("cy")])}),
            models=only(models),
        )
        campaign = campaigns.open_campaign(connection, NewCampaign("Q1", reviewers=(ANN, BO)), NOW)
        return ReviewStore.make(connection, campaign, folder / "review.sqlite")
