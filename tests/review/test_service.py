"""The review service as a program calls it: no command line, no output, and a clock of the caller."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from pipeline.errors import UsageError
from pipeline.review.service import NewCampaign, ReviewService
from pipeline.settings import load_settings
from pipeline.warehouse import database
from pipeline.warehouse.model import Model
from tests.warehouse.conftest import House, Source, models, user

__all__ = ["models"]

NEW = NewCampaign("2026-Q1", reviewers=("ciso@example.com",), due_on=date(2026, 1, 31))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, models: list[Model]) -> Path:
    """Return a database with one build, which no test changes."""
    folder = tmp_path_factory.mktemp("built")
    path = folder / "access-review.duckdb"
    with database.writing(path, notify=lambda _: None) as connection:
        house = House(connection, folder, models)
        house.build(house.land("20260101T000000Z-0000", {"prod": Source([user("ann"), user("bob")])}))
    return path


@pytest.fixture
def service_on(built: Path, tmp_path: Path) -> Callable[[date], ReviewService]:
    """Return a function that gives the service on a day, over a copy of the database."""
    shutil.copy(built, tmp_path)
    configuration = tmp_path / "access-review.toml"
    configuration.write_text('[organization]\nname = "Example"\n', encoding="utf-8")
    settings = load_settings(configuration)

    def on(day: date) -> ReviewService:
        return ReviewService(settings, {}, clock=lambda: datetime(day.year, day.month, day.day, tzinfo=UTC))

    return on


def test_a_review_runs_from_python_and_prints_nothing(
    service_on: Callable[[date], ReviewService], capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    service = service_on(date(2026, 1, 10))

    opened = service.open(NEW)
    written = service.write_packets()
    [packet] = [path for path in written.files if path.suffix == ".csv"]
    decide(packet, "keep", "needed for the job")
    found = service.import_files([packet])

    assert opened.items == sum(row.items for row in opened.reviewers) > 0
    assert [(imported.new, imported.problems) for _, imported in found.files] == [(opened.items, ())]
    assert service.status().decisions.kept == opened.items
    assert service.status().blockers == ()
    assert capfd.readouterr() == ("", "")


def test_a_file_that_is_refused_does_not_stop_the_others(
    service_on: Callable[[date], ReviewService], tmp_path: Path
) -> None:
    service = service_on(date(2026, 1, 10))
    opened = service.open(NEW)
    [packet] = [path for path in service.write_packets().files if path.suffix == ".csv"]
    decide(packet, "remove", "no longer needed")

    found = service.import_files([tmp_path / "missing.csv", packet])

    assert [type(error) for error in found.refused] == [UsageError]
    assert [imported.new for _, imported in found.files] == [opened.items]


@pytest.mark.parametrize(("day", "days_overdue"), [(date(2026, 1, 31), 0), (date(2026, 2, 3), 3)])
def test_a_campaign_is_overdue_from_the_day_after_its_due_date(
    service_on: Callable[[date], ReviewService], day: date, days_overdue: int
) -> None:
    service_on(date(2026, 1, 10)).open(NEW)

    assert service_on(day).status().days_overdue == days_overdue


def test_an_unknown_scope_opens_nothing(service_on: Callable[[date], ReviewService]) -> None:
    service = service_on(date(2026, 1, 10))

    with pytest.raises(UsageError, match="not a scope"):
        service.open(replace(NEW, scope="everything"))
    with pytest.raises(UsageError, match="no campaign"):
        service.status()


def decide(packet: Path, decision: str, reason: str) -> None:
    with packet.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    with packet.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0].keys())
        writer.writeheader()
        writer.writerows({**row, "decision": decision, "reason": reason} for row in rows)
