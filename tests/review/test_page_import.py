"""Decisions on the page and in files lead to the same database and the same sealed decisions."""

from __future__ import annotations

import csv
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from pipeline.errors import GateError
from pipeline.project import Project
from pipeline.review.answers import Answer
from pipeline.review.service import NewCampaign, ReviewService, Signer
from pipeline.review.store import Actor, CampaignClosed, ReviewStore
from pipeline.settings import load_settings
from pipeline.warehouse import database
from pipeline.warehouse.model import Model
from tests.warehouse.conftest import House, Source, models, user

__all__ = ["models"]

NOW = datetime(2026, 1, 10, 9, tzinfo=UTC)
CISO, IT = Actor("ciso@example.com", "link", "127.0.0.1"), Actor("it@example.com", "oidc", "::1")
CLEO = Signer("Cleo Chief", "chief@example.com", "CISO")
#: Columns that say how and when somebody decided.
WAYS = {"method", "is_bulk", "decided_from", "decided_at", "imported_at"}


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory, models: list[Model]) -> Path:
    """Return a folder with a sealed report and an open campaign, which no test changes."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "access-review.toml").write_text('[organization]\nname = "Example"\n', encoding="utf-8")
    with database.writing(folder / "access-review.duckdb", notify=lambda _: None) as connection:
        house = House(connection, folder, models)
        users = [
            user("ann", groups=["g-all", "g-sales"]),
            user("bob", groups=["g-all", "g-ops"], roleId="r-admin"),
            user("cleo"),
            user("dan", lastLogin="2024-06-01T08:00:00.000Z"),
        ]
        house.build(house.land("20260101T000000Z-0000", {"prod": Source(users)}))
    settings = load_settings(folder / "access-review.toml")
    Project(settings, {}).report(formats=("csv",))
    ReviewService(settings, {}, clock=lambda: NOW).open(NewCampaign("Q1", reviewers=("ciso@example.com",)))
    return folder


@pytest.fixture
def service(opened: Path, tmp_path: Path) -> ReviewService:
    return _service(opened, tmp_path / "page")


def _service(opened: Path, folder: Path) -> ReviewService:
    shutil.copytree(opened, folder)
    return ReviewService(load_settings(folder / "access-review.toml"), {}, clock=lambda: NOW + timedelta(hours=8))


def store_of(service: ReviewService) -> ReviewStore:
    return service.prepare_page("Q1")


def answers(store: ReviewStore, reviewer: str) -> dict[str, Answer]:
    """Return an answer for each item of a reviewer: every third is removed, privileged roles are reduced."""
    found = {}
    items = [item for card in store.cards(reviewer, limit=1000)[0] for item in card.items]
    for number, item in enumerate(items):
        if item.entitlement_type == "role" and item.permission_level == "privileged":
            found[item.item_id] = Answer("reduce", "a lower one will do", "Viewer")
        else:
            found[item.item_id] = Answer("remove" if number % 3 == 2 else "keep", f"talked to them, {number}")
    return found


def fill(packet: Path, chosen: dict[str, Answer]) -> Path:
    """Write answers into a packet, as CSV."""
    with packet.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        answer = chosen.get(row["item_id"].removeprefix("item-"))
        if answer is not None:
            row |= {"decision": answer.decision, "reason": answer.reason, "target_role": answer.target_role}
    with packet.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return packet


def packet_of(service: ReviewService) -> Path:
    [packet] = [path for path in service.write_packets().files if path.suffix == ".csv"]
    return packet


def sealed(service: ReviewService) -> list[dict[str, str]]:
    """Sign off; return the sealed decisions without how and when people decided."""
    [path] = [path for path in service.sign_off(CLEO).files if path.name == "decisions.csv"]
    with path.open(encoding="utf-8", newline="") as stream:
        return [{name: cell for name, cell in row.items() if name not in WAYS} for row in csv.DictReader(stream)]


def history(folder: Path) -> list[tuple[str, ...]]:
    """Return the sealed decisions that no longer hold, in the order in which they were made."""
    [path] = folder.rglob("decision_history.csv")
    names = ("decision", "method", "outcome", "replaced_by", "replaced_by_reviewer")
    with path.open(encoding="utf-8", newline="") as stream:
        rows = sorted(csv.DictReader(stream), key=lambda row: row["decided_at"])
    return [tuple(row[name] for name in names) for row in rows]


def test_the_page_seals_the_same_decisions_as_a_workbook(opened: Path, tmp_path: Path) -> None:
    on_page, by_file = _service(opened, tmp_path / "on_page"), _service(opened, tmp_path / "by_file")
    with store_of(on_page) as store:
        chosen = answers(store, CISO.email)
        for number, (item_id, answer) in enumerate(chosen.items()):
            store.decide(CISO, item_id, Answer("keep", "a mistake"), now=NOW + timedelta(seconds=number))
            store.decide(CISO, item_id, answer, now=NOW + timedelta(seconds=number))

    with pytest.raises(GateError, match="decisions on the page have not been brought in"):
        on_page.sign_off(CLEO)
    before = on_page.status()
    first, second = on_page.bring_in(), on_page.bring_in()
    by_file.import_files([fill(packet_of(by_file), chosen)])

    assert (before.decisions_on_page, before.decisions.pending) == (2 * len(chosen), len(chosen))
    assert first is not None
    assert second is not None
    assert (first.found.new, first.found.changed, second.found.decisions) == (len(chosen), len(chosen), 0)
    assert on_page.status().decisions_on_page == 0
    assert sealed(on_page) == sealed(by_file) != []
    assert [history(tmp_path / name) for name in ("on_page", "by_file")] == [
        [("keep", "link", "replaced", answer.decision, CISO.email) for answer in chosen.values()], []
    ]  # fmt: skip
    with store_of_closed(on_page) as store, pytest.raises(CampaignClosed):
        store.decide(CISO, next(iter(chosen)), Answer("keep", "too late"), now=NOW)


def store_of_closed(service: ReviewService) -> ReviewStore:
    return ReviewStore.open(ReviewStore.path_of(service._settings, "Q1"))


def test_a_file_comes_after_the_page_and_appears_there(service: ReviewService) -> None:
    packet = packet_of(service)
    with store_of(service) as store:
        chosen = answers(store, CISO.email)
        first, second, *_ = chosen
        store.decide(CISO, first, Answer("keep", "said the page"), now=NOW)
        store.decide(CISO, second, chosen[second], now=NOW)

        [(_, found)] = service.import_files([fill(packet, chosen)]).files
        again = service.import_files([packet])
        held = store.item(CISO.email, first)
        store.undo(CISO, now=NOW)  # the file's answer stays: it is not a step on the page
        service.bring_in()

    assert (found.new, found.changed, found.unchanged) == (len(chosen) - 2, 1, 1)
    [replaced] = found.replaced
    assert (replaced.was, replaced.decided_at, replaced.now) == (
        "keep",
        NOW.replace(tzinfo=None),
        chosen[first].decision,
    )
    assert [each.unchanged for _, each in again.files] == [len(chosen)]
    assert held is not None
    assert (held.answer, held.method, held.decided_at) == (chosen[first], "file", None)
    assert service.status().decisions.pending == 1


def test_a_handed_over_item_is_decided_by_its_new_reviewer(service: ReviewService, tmp_path: Path) -> None:
    with store_of(service) as store:
        chosen = answers(store, CISO.email)
        moved = list(chosen)[:2]
        store.reassign(moved, CISO.email, IT.email, "on leave", "owner@example.com", now=NOW)
        for item_id, answer in chosen.items():
            store.decide(IT if item_id in moved else CISO, item_id, answer, now=NOW)
        service.bring_in()

    packets = {path.name for path in service.write_packets().files if path.suffix == ".csv"}
    rows = sealed(service)

    assert packets == {"packet-ciso_example.com.csv", "packet-it_example.com.csv"}
    handed = [row for row in rows if row["item_id"] in moved]
    assert {(row["reviewer_email"], row["decided_by"], row["original_reviewer_email"]) for row in handed} == {
        (IT.email, IT.email, CISO.email)
    }


def test_a_refused_sign_off_leaves_the_page_open(service: ReviewService) -> None:
    assert service.bring_in() is None  # there is no page yet
    with store_of(service) as store:
        item_id, *_ = answers(store, CISO.email)
        with pytest.raises(GateError, match="not decided yet"):
            service.sign_off(CLEO)
        store.decide(CISO, item_id, Answer("keep", "needed"), now=NOW)

        with pytest.raises(GateError, match="1 decision on the page has not been brought in"):
            service.sign_off(CLEO)
        assert store.campaign.closed_at is None


def test_the_database_keeps_who_decided_when_how_and_from_where(service: ReviewService, tmp_path: Path) -> None:
    with store_of(service) as store:
        item_id = store.cards(CISO.email)[0][0].items[0].item_id
        decided = store.decide(CISO, item_id, Answer("keep", "needed"), now=NOW)
        [undone] = store.undo(CISO, now=NOW)
    service.bring_in()

    with duckdb.connect(tmp_path / "page" / "access-review.duckdb", read_only=True) as connection:
        rows = connection.execute(
            "select sequence, decision, reviewer_email, method, is_bulk, decided_from, decided_at, decision_id, "
            "undoes from review.decisions order by sequence"
        ).fetchall()

    at = NOW.replace(tzinfo=None)
    who = (CISO.email, "link", False, "127.0.0.1", at)
    assert rows == [
        (1, "keep", *who, decided.decision_id, None),
        (2, "withdrawn", *who, undone.decision_id, decided.decision_id),
    ]
    assert service.status().decisions.pending == service.status().decisions.items
