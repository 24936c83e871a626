"""Comparing two snapshots: what ``diff`` says is what the report of the later one says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import WarehouseError
from pipeline.warehouse import comparison, database
from pipeline.warehouse.model import Model
from tests.warehouse.builds import behind, only
from tests.warehouse.conftest import House, opened, opened_copy

OLD, MIDDLE, NEW = "20260101T000000Z-0001", "20260201T000000Z-0002", "20260301T000000Z-0003"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, models: list[Model], make_user: Any, source: Any) -> Path:
    """Three snapshots: one joins, one leaves and one becomes an administrator, and at last enters a group."""
    folder = tmp_path_factory.mktemp("compared")
    compared = only(models)
    stays, goes = make_user("stays"), make_user("goes")
    comes, rises = make_user("comes"), make_user("stays", roleId="r-admin")
    with opened(folder, models) as house:
        for snapshot_id, users in (
            (OLD, [stays, goes]),
            (MIDDLE, [rises, comes]),
            (NEW, [rises | {"groups": ["g-all", "g-ops"]}, comes]),
        ):
            house.build(house.land(snapshot_id, {"prod": source(users)}), models=compared)
    return folder


@pytest.fixture
def built(template: Path, tmp_path: Path, models: list[Model]) -> Iterator[House]:
    with opened_copy(template, tmp_path, models) as house:
        yield house


def compared(house: Any, old: str, new: str) -> list[dict[str, Any]]:
    path = house.folder / "access-review.duckdb"
    house.connection.close()
    with database.reading(path, notify=pytest.fail) as connection:
        columns, rows = comparison.changes(connection, old, new)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def test_diff_of_consecutive_snapshots_equals_the_changes_of_the_later_report(built: Any) -> None:
    reported = built.rows("select * from reports.changes order by source, object_kind, key, change, field")

    found = compared(built, MIDDLE, NEW)

    assert [tuple(row.values()) for row in found] == reported
    assert [(row["object_kind"], row["change"], row["new_value"]) for row in found] == [
        ("membership", "added", "Ops")
    ]


def test_any_two_snapshots_can_be_compared_and_in_either_direction(built: Any) -> None:
    def accounts(rows: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
        return {(r["change"], r["key"], r["privileged_effect"]) for r in rows if r["object_kind"] == "account"}

    forward = compared(built, OLD, NEW)
    backward = compared(built, NEW, OLD)

    assert accounts(forward) == {
        ("joiner", "comes", "none"),
        ("leaver", "goes", "none"),
        ("role_changed", "stays", "gained"),
        ("new_privileged", "stays", "gained"),
    }
    assert accounts(backward) == {
        ("joiner", "goes", "none"),
        ("leaver", "comes", "none"),
        ("role_changed", "stays", "lost"),
        ("privilege_lost", "stays", "lost"),
    }
    assert {(row["baseline_snapshot_id"], row["snapshot_id"]) for row in forward} == {(OLD, NEW)}


def test_a_snapshot_does_not_differ_from_itself(built: Any) -> None:
    assert compared(built, NEW, NEW) == []


def test_a_missing_or_unbuilt_snapshot_is_named(house: Any, make_user: Any, source: Any) -> None:
    house.build(house.land(OLD, {"prod": source([make_user("a")])}), models=behind(only(house.models)))
    house.land(NEW, {"prod": source([make_user("a")])})

    with pytest.raises(WarehouseError, match=f"'{NEW}' was never built") as caught:
        comparison.changes(house.connection, OLD, NEW)
    with pytest.raises(WarehouseError, match="there is no snapshot 'x'"):
        comparison.changes(house.connection, "x", OLD)

    assert caught.value.exit_code == 4
    assert f"build --snapshot {NEW}" in caught.value.hint
