"""The remediation service as a program calls it: no command line, no output, and a clock of the caller."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.errors import GateError, UsageError
from pipeline.remediation import service as remediation
from pipeline.remediation.service import Operator, RemediationService, Selection
from pipeline.settings import load_settings
from pipeline.warehouse import database
from pipeline.warehouse.model import Model
from tests.warehouse.conftest import House, Source, models, user

__all__ = ["models"]

EXTRACTED_AT = datetime(2026, 1, 1, 0, 1, tzinfo=UTC)
STALE = Selection(stale_days=90, max_share=100)
OPERATOR = Operator("Bo Dahl", "bo@example.com", is_single=False)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, models: list[Model]) -> Path:
    """Return a database with one stale account, which no test changes."""
    folder = tmp_path_factory.mktemp("built")
    path = folder / "access-review.duckdb"
    users = [
        user("ann", lastLogin="2025-12-30T08:00:00.000Z"),
        user("bob", lastLogin="2025-06-01T08:00:00.000Z"),
        user("adm", lastLogin="2025-12-31T08:00:00.000Z", roleId="r-admin"),
    ]
    with database.writing(path, notify=lambda _: None) as connection:
        house = House(connection, folder, models)
        house.build(house.land("20260101T000000Z-0000", {"prod": Source(users)}))
    return path


@pytest.fixture
def service_at(built: Path, tmp_path: Path) -> Callable[[datetime], RemediationService]:
    """Return a function that gives the service at a time, over a copy of the database."""
    shutil.copy(built, tmp_path)
    configuration = tmp_path / "access-review.toml"
    configuration.write_text(
        '[organization]\nname = "Example"\n[sources.prod]\nkind = "sisense"\nurl = "https://bi.example.com"\n',
        encoding="utf-8",
    )
    settings = load_settings(configuration)
    environment = {"ACCESS_REVIEW_PROD_TOKEN": "synthetic"}
    return lambda at: RemediationService(settings, environment, clock=lambda: at)


def test_a_plan_is_made_approved_and_prepared_from_python_and_nothing_is_printed(
    service_at: Callable[[datetime], RemediationService], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    service = service_at(EXTRACTED_AT + timedelta(hours=1))
    file = tmp_path / "plan.json"

    written = service.plan(STALE, file)
    with pytest.raises(GateError, match="not approved"):
        service.prepare(file, OPERATOR)
    remediation.approve(file, "Ann Ek", "ann@example.com", environment={})
    ready = service.prepare(file, OPERATOR)
    status = remediation.status(file, database_path=None, notify=lambda _: None)

    assert [(change.account_id, change.action) for change in written.plan.changes] == [("bob", "deactivate")]
    assert [change.account_id for change in ready.plan.changes] == ["bob"]
    assert [status.state(change) for change in status.plan.changes] == ["open"]
    assert capfd.readouterr() == ("", "")


def test_the_callers_clock_decides_whether_an_extract_is_too_old(
    service_at: Callable[[datetime], RemediationService], tmp_path: Path
) -> None:
    late = service_at(EXTRACTED_AT + timedelta(hours=25))

    with pytest.raises(GateError, match="the limit is 24"):
        late.plan(STALE, tmp_path / "plan.json")


def test_a_selection_of_nothing_is_refused(
    service_at: Callable[[datetime], RemediationService], tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="no accounts are selected"):
        service_at(EXTRACTED_AT).plan(Selection(), tmp_path / "plan.json")
