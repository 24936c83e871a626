"""The event log: each source has its own chain of complete extracts, despite clocks, failed builds and pruning."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from pipeline.warehouse import events, retention

NOW = datetime(2026, 7, 1)  # noqa: DTZ001 - UTC without a zone, as the database has it


@pytest.fixture
def watched(house: Any, source: Any, make_user: Callable[..., Any]) -> Callable[..., Any]:
    """Land, build and record one extract, as a tick does: the day it says it is of, and each source's accounts."""

    # events are about accounts and groups; what rules find and reports show is not made
    schemas = {"staging", "graph", "landed", "completeness"}
    needed = [model for model in house.models if model.schema in schemas or model.table == "findings.register"]

    def tick(day: int, broken: str = "", **accounts: str) -> Any:
        sources = {
            name: source(
                [make_user(account) for account in names.split()],
                outcome={"observations": ()} if name in broken.split() else {},
            )
            for name, names in accounts.items()
        }
        snapshot = house.land(f"202601{day:02}T000000Z-0000", sources)
        events.note(house.connection, snapshot.snapshot_id, now=NOW)
        if events.has_comparable(house.connection, snapshot.snapshot_id):
            house.build(snapshot, models=needed)
        events.record(house.connection, snapshot, now=NOW)
        return snapshot

    return tick


def recorded(house: Any) -> list[tuple[str, str, str]]:
    rows = house.rows("select source, kind, account_id from history.events where field = 'account' order by position")
    return [(str(source), str(kind), str(account)) for source, kind, account in rows]


def test_a_clock_set_back_neither_repeats_nor_misses_events(house: Any, watched: Any) -> None:
    watched(2, prod="ann")
    watched(4, prod="ann bob")
    watched(3, prod="ann bob cy")
    watched(5, prod="bob cy")

    assert recorded(house) == [("prod", "joiner", "bob"), ("prod", "joiner", "cy"), ("prod", "leaver", "ann")]


def test_a_partial_extract_is_not_compared(house: Any, watched: Any) -> None:
    first = watched(1, prod="ann bob")
    partial = watched(2, broken="prod", prod="ann")
    last = watched(3, prod="ann bob cy")

    assert recorded(house) == [("prod", "joiner", "cy")]
    assert house.rows("select snapshot_id, previous_snapshot_id, is_compared from meta.watched order by 1") == [
        (first.snapshot_id, None, True),
        (partial.snapshot_id, None, False),
        (last.snapshot_id, first.snapshot_id, True),
    ]


def test_a_source_that_was_not_read_whole_waits_and_the_others_do_not(house: Any, watched: Any) -> None:
    first = watched(1, prod="ann", lab="eve fay")
    second = watched(2, broken="lab", prod="ann bob", lab="eve")
    watched(3, broken="prod", prod="bob", lab="fay gus")
    watched(4, broken="prod lab", prod="bob", lab="")
    watched(5, prod="bob", lab="fay gus hal")

    assert recorded(house) == [
        ("prod", "joiner", "bob"),
        ("lab", "leaver", "eve"),
        ("lab", "joiner", "gus"),
        ("prod", "leaver", "ann"),
        ("lab", "joiner", "hal"),
    ]
    compared = house.rows(
        "select source, previous_snapshot_id from meta.watched where snapshot_id like '20260103%' and is_compared"
        " union all select source, previous_snapshot_id from meta.watched"
        " where snapshot_id like '20260105%' and source = 'prod'"
    )
    assert compared == [("lab", first.snapshot_id), ("prod", second.snapshot_id)]


def test_a_source_that_is_configured_later_starts_its_own_log(house: Any, watched: Any) -> None:
    watched(1, prod="ann")
    watched(2, prod="ann bob", lab="eve")
    watched(3, lab="eve fay")  # prod was taken out, and comes back
    watched(4, prod="bob", lab="fay")

    assert recorded(house) == [
        ("prod", "joiner", "bob"),
        ("lab", "joiner", "fay"),
        ("prod", "leaver", "ann"),
        ("lab", "leaver", "eve"),
    ]


def test_an_account_that_is_deleted_and_created_again_leaves_and_joins(
    house: Any, source: Any, make_user: Callable[..., Any]
) -> None:
    for day, account in ((1, "id-1"), (2, "id-2")):
        user = make_user(account, userName="ann", email="ann@example.com", groups=["g-all", "g-sales"])
        snapshot = house.land(f"202601{day:02}T000000Z-0000", {"prod": source([user])})
        house.build(snapshot)
        events.record(house.connection, snapshot, now=NOW)

    rows = house.rows("select account_id, kind, user_name from history.events order by position")
    assert rows == [
        ("id-1", "group_removed", "ann"),
        ("id-1", "group_removed", "ann"),
        ("id-1", "leaver", "ann"),
        ("id-2", "joiner", "ann"),
        ("id-2", "group_added", "ann"),
        ("id-2", "group_added", "ann"),
    ]


def test_an_extract_whose_build_failed_is_compared_later_and_pruned(
    house: Any, source: Any, make_user: Callable[..., Any], watched: Any
) -> None:
    watched(1, prod="ann")
    failed = house.land("20260102T000000Z-0000", {"prod": source([make_user("ann"), make_user("bob")])})
    events.note(house.connection, failed.snapshot_id, now=NOW)  # and then its build failed
    watched(3, prod="ann bob cy")
    watched(4, prod="ann bob cy")

    pruned = retention.prune(house.connection, before=NOW, now=NOW, watched_only=True)

    assert recorded(house) == [("prod", "joiner", "bob"), ("prod", "joiner", "cy")]
    assert failed.snapshot_id in pruned


def test_only_old_watched_extracts_that_nothing_needs_are_pruned(
    house: Any, source: Any, make_user: Callable[..., Any], watched: Any
) -> None:
    by_hand = house.land("20260101T000000Z-0000", {"prod": source([make_user("ann")])})
    house.build(by_hand)
    old, baseline = watched(2, prod="ann"), watched(3, prod="ann")
    reported = house.land("20260104T000000Z-0000", {"prod": source([make_user("ann")])})
    build = house.build(reported)  # compares with the newest before it, which watch made
    house.connection.execute(
        "insert into meta.reports (snapshot_id, build_id, data_sha256, manifest_sha256, written_at)"
        " values ($snapshot, $build, 'd', 'm', $now)",
        {"snapshot": reported.snapshot_id, "build": build.build_id, "now": NOW},
    )
    thinned = [watched(day, prod="ann") for day in (5, 6)]
    kept = [watched(day, prod="ann") for day in (7, 8, 9)]
    before = thinned[-1].finished_at + timedelta(seconds=1)

    pruned = retention.prune(house.connection, before=before, now=NOW, watched_only=True)

    assert pruned == [old.snapshot_id, *(snapshot.snapshot_id for snapshot in thinned)]
    left = [row[0] for row in house.rows("select distinct snapshot_id from raw.users order by 1")]
    assert left == [each.snapshot_id for each in (by_hand, baseline, reported, *kept)]
    assert house.rows("select count(*) from meta.watched") == [(7,)]


def test_the_last_compared_extract_is_kept_when_the_clock_was_set_back(house: Any, watched: Any) -> None:
    watched(4, prod="ann")
    last = watched(2, prod="ann bob")

    retention.prune(house.connection, before=NOW, now=NOW, watched_only=True)
    watched(3, prod="bob")

    assert house.rows(f"select count(*) from history.accounts where snapshot_id = '{last.snapshot_id}'") == [(2,)]
    assert recorded(house) == [("prod", "joiner", "bob"), ("prod", "leaver", "ann")]
