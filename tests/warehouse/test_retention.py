"""Old rows can go; what reports show, compare with or will compare with stays, and nothing is built from nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import WarehouseError
from pipeline.warehouse import comparison, events, retention, snapshots
from pipeline.warehouse.model import Model
from tests.warehouse.builds import behind, only
from tests.warehouse.conftest import House, opened, opened_copy

NOW = datetime(2026, 7, 1)  # noqa: DTZ001 - UTC without a zone, as the database has it
#: Two old ones, the baseline, the one that is shown, one that is newer and PARTIAL.
OLD, OLDER_PARTIAL, BASELINE, SHOWN, NEWEST = (f"2026010{day}T000000Z-0000" for day in range(1, 6))


@pytest.fixture(scope="module")
def template(
    tmp_path_factory: pytest.TempPathFactory, models: list[Model], source: Any, make_user: Callable[..., Any]
) -> Path:
    folder = tmp_path_factory.mktemp("filled")
    kept = behind(only(models))
    with opened(folder, models) as house:
        for snapshot_id in (OLD, OLDER_PARTIAL, BASELINE, SHOWN, NEWEST):
            is_partial = snapshot_id in {OLDER_PARTIAL, NEWEST}
            outcome = {"observations": ()} if is_partial else {}
            accounts = [make_user("ann"), make_user("bob")]
            prod = source(accounts, dashboards=[{"oid": "d", "title": "Sales"}], outcome=outcome)
            snapshot = house.land(snapshot_id, {"prod": prod})
            if not is_partial:
                house.build(snapshot, models=kept)
    return folder


@pytest.fixture
def filled(template: Path, tmp_path: Path, models: list[Model]) -> Iterator[House]:
    with opened_copy(template, tmp_path, models) as house:
        yield house


def test_only_unused_rows_are_deleted(filled: Any) -> None:
    pruned = retention.prune(filled.connection, before=NOW, now=NOW)

    assert pruned == [OLD, OLDER_PARTIAL]
    left = [BASELINE, SHOWN, NEWEST]
    for table in ("users", "dashboards"):
        assert filled.rows(f"select distinct snapshot_id from raw.{table} order by 1") == [(kept,) for kept in left]
    assert filled.rows("select distinct snapshot_id from history.accounts order by 1") == [(BASELINE,), (SHOWN,)]
    assert filled.rows("select snapshot_id, pruned_at from meta.snapshots order by 1") == [
        (OLD, NOW),
        (OLDER_PARTIAL, NOW),
        *((kept, None) for kept in left),
    ]
    assert filled.rows(f"select count(*) > 0 from meta.pages where snapshot_id = '{OLD}'") == [(True,)]


def test_rows_that_are_not_old_enough_stay(filled: Any) -> None:
    first_end = filled.rows("select min(finished_at) from meta.snapshots")[0][0]

    assert retention.prune(filled.connection, before=first_end, now=NOW) == []


def test_a_pruned_snapshot_is_neither_pruned_twice_nor_built_from_nothing(filled: Any) -> None:
    retention.prune(filled.connection, before=NOW, now=NOW)

    assert retention.prune(filled.connection, before=NOW, now=NOW) == []
    with pytest.raises(WarehouseError, match="were pruned on 2026-07-01"):
        snapshots.get(filled.connection, OLD).require_rows()
    with pytest.raises(WarehouseError, match="were pruned on 2026-07-01"):
        comparison.changes(filled.connection, OLD, SHOWN)


def test_each_sources_newest_complete_extract_stays(house: Any, source: Any, make_user: Callable[..., Any]) -> None:
    for snapshot_id, name in ((OLD, "prod"), (BASELINE, "prod"), (SHOWN, "other"), (NEWEST, "other")):
        house.land(snapshot_id, {name: source([make_user("ann")])})

    assert retention.prune(house.connection, before=NOW, now=NOW) == [OLD, SHOWN]


def test_old_events_go_but_not_what_a_sink_or_the_next_event_needs(house: Any) -> None:
    event = (
        "insert into history.events by name"
        " select p as position, 'e' || p as event_id, 'joiner' as kind, 'prod' as source, 'a' || p as account_id,"
        " 'account' as field, 'none' as privileged_effect, 's1' as previous_snapshot_id, 's2' as snapshot_id,"
        " $at as happened_after, $at as detected_at from range(1, 6) as numbers(p)"
    )
    house.connection.execute(event, {"at": datetime(2026, 1, 1)})  # noqa: DTZ001
    sink = {"sink_id": "s", "sink": "events.jsonl", "position": 4, "now": NOW}
    events.remember(house.connection, **sink)

    assert retention.prune_events(house.connection, before=datetime(2025, 1, 1)) == 0  # noqa: DTZ001
    assert retention.prunable(house.connection, before=NOW).events == [1, 2, 3]
    assert retention.prune_events(house.connection, before=NOW) == 3
    assert house.rows("select position from history.events order by 1") == [(4,), (5,)]
    events.remember(house.connection, **{**sink, "position": 5})
    assert retention.prune_events(house.connection, before=NOW) == 1
    assert [each["position"] for each in events.pending(house.connection, 4, 10)] == [5]
