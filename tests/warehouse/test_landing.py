"""Landing: every item of every page is a row, other sweeps stay as evidence, and a failure leaves nothing."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import WarehouseError
from pipeline.spool import Observation
from pipeline.warehouse import database, snapshots
from pipeline.warehouse.model import Model

SNAPSHOT = "20260101T000000Z-0001"
LATER = "20260102T000000Z-0002"


def test_every_item_of_every_page_is_a_row_in_its_place(
    house: Any, source: Any, make_user: Callable[..., Any]
) -> None:
    users = [make_user(f"u{number:02}") for number in range(25)]

    house.land(SNAPSHOT, {"prod": source(users, page_size=10)})

    rows = house.rows("select page, ordinal, payload from raw.users order by page, ordinal")
    assert [json.loads(payload) for _, _, payload in rows] == users
    assert [(page, ordinal) for page, ordinal, _ in rows] == [(1 + n // 10, 1 + n % 10) for n in range(25)]
    assert house.rows(
        "select resource, count(*), sum(items) from meta.pages group by resource order by resource"
    ) == [
        ("groups", 2, 3),
        ("roles", 2, 3),
        ("users", 4, 25),
    ]


def test_times_are_stored_in_utc(house: Any, source: Any, make_user: Callable[..., Any]) -> None:
    snapshot = house.land(SNAPSHOT, {"prod": source([make_user("ann")])})

    assert house.rows("select distinct started_at::varchar, fetched_at::varchar from meta.pages") == [
        ("2026-01-01 00:00:00", "2026-01-01 00:00:01")
    ]
    assert (snapshot.finished_at.microsecond, snapshot.as_of.isoformat()) == (500_000, "2026-01-01T00:01:00")


def test_a_rejected_sweep_stays_as_evidence(house: Any, source: Any, make_user: Callable[..., Any]) -> None:
    given = source([make_user("ann")], rejected_users=[make_user("ann"), make_user("gone")])

    snapshot = house.land(SNAPSHOT, {"prod": given})

    assert house.rows(
        "select sweep, is_accepted, payload ->> '$._id' from raw.users order by sweep, ordinal"
    ) == [(1, False, "ann"), (1, False, "gone"), (2, True, "ann")]  # fmt: skip
    assert snapshot.completeness == "FULL"
    house.build(snapshot)
    assert house.rows("select account_id from graph.accounts") == [("ann",)]


def test_a_page_beyond_16_mib_lands(house: Any, source: Any, make_user: Callable[..., Any]) -> None:
    users = [make_user(f"u{number}", notes="x" * 6_000_000) for number in range(3)]

    house.land(SNAPSHOT, {"prod": source(users)})

    assert house.rows("select sum(length(payload ->> '$.notes')) from raw.users") == [(18_000_000,)]


def test_groups_that_list_all_their_members_land(house: Any, source: Any, make_user: Callable[..., Any]) -> None:
    members = [f"{number:024x}" for number in range(3_500)]
    groups = [{"_id": f"g{number}", "name": f"Group {number}", "users": members} for number in range(400)]

    snapshot = house.land(SNAPSHOT, {"prod": source([make_user("ann", groups=[])], groups=groups)})

    assert house.rows("select count(*), sum(json_array_length(payload, '$.users')) from raw.groups") == [
        (400, 1_400_000)
    ]
    assert snapshot.completeness == "FULL"


def test_text_lands_unchanged(house: Any, source: Any, make_user: Callable[..., Any]) -> None:
    names = [
        'O\'Brien "Q"',
        "Žofie 🦊",
        "a\\b",
        "line\nend",
        "nul\u0000",
        "$snapshot_id; drop table raw.users --",
        "",
    ]
    users = [make_user(f"u{number}", firstName=name) for number, name in enumerate(names)]

    snapshot = house.land(SNAPSHOT, {"prod": source(users)})
    house.build(snapshot)

    assert [row[0] for row in house.rows("select payload ->> '$.firstName' from raw.users order by ordinal")] == names
    assert house.rows("select first_name from graph.accounts where account_id = 'u0'") == [(names[0],)]


@pytest.mark.parametrize("folder", ['it\'s "quoted"', "Büro 🦊", "glob [1] * ?", "a {b} $c"])
def test_the_name_of_the_folder_does_not_matter(
    tmp_path: Path, house: Any, source: Any, make_user: Callable[..., Any], folder: str
) -> None:
    house.folder = tmp_path / folder
    house.folder.mkdir()

    snapshot = house.land(SNAPSHOT, {"pro-d_1": source([make_user("ann"), make_user("bob")], page_size=1)})

    assert (house.rows("select count(*) from raw.users"), snapshot.completeness) == ([(2,)], "FULL")


def test_two_sources_with_equal_ids_stay_apart(house: Any, source: Any, make_user: Callable[..., Any]) -> None:
    snapshot = house.land(
        SNAPSHOT,
        {
            "eu": source([make_user("ann", groups=["g-sales"])]),
            "us": source([make_user("ann", roleId="r-admin", active=False)]),
        },
    )
    house.build(snapshot)

    assert house.rows(
        "select source, account_id, status, role_name, groups from reports.population order by source"
    ) == [("eu", "ann", "active", "consumer", "Sales"), ("us", "ann", "inactive", "admin", "")]
    assert house.rows("select count(*), count(distinct node_id) from graph.nodes") == [(14, 14)]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: next((folder / "prod").glob("users-*")).write_text("[{"),
        lambda folder: next((folder / "prod").glob("users-*")).unlink(),
        lambda folder: (folder / "pages.jsonl").write_text("no json"),
        lambda folder: (folder / "pages.jsonl").unlink(),
    ],
    ids=["cut short", "page gone", "journal unreadable", "journal gone"],
)
def test_a_failed_landing_leaves_nothing_behind_and_loses_nothing(
    house: Any,
    source: Any,
    make_user: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[Path], Any],
) -> None:
    earlier = house.land(SNAPSHOT, {"prod": source([make_user("ann")])})
    before = [house.rows(f"select * from {table} order by all") for table in _lasting(house)]
    written = house.spool(LATER, {"prod": source([make_user("bob")])})
    spoil(written.folder)
    house.spool = lambda _id, _sources: written

    with pytest.raises(WarehouseError, match="could not be landed"):
        house.land(LATER, {})

    assert [house.rows(f"select * from {table} order by all") for table in _lasting(house)] == before
    assert snapshots.latest(house.connection) == earlier


def _lasting(house: Any) -> list[str]:
    rows = house.rows(
        "select schema_name || '.' || table_name from duckdb_tables() where schema_name in ('meta', 'raw') order by 1"
    )
    return [name for (name,) in rows]


def test_snapshots_are_found_by_id_and_the_newest_is_the_last(
    house: Any, source: Any, make_user: Callable[..., Any]
) -> None:
    with pytest.raises(WarehouseError, match="holds no snapshot"):
        snapshots.latest(house.connection)

    first = house.land(SNAPSHOT, {"prod": source([make_user("ann")])})
    second = house.land(LATER, {"prod": source([make_user("ann")])})

    assert (first.previous_snapshot_id, second.previous_snapshot_id) == (None, SNAPSHOT)
    assert snapshots.list_all(house.connection) == [first, second]
    assert snapshots.latest(house.connection) == second
    with pytest.raises(WarehouseError, match="no snapshot 'x'"):
        snapshots.get(house.connection, "x")


# The completeness gate -----------------------------------------------------------------------------------------


def seen(result: Any, check_id: str = "end_proven") -> tuple[Observation, ...]:
    return (Observation(check_id, "About it", None, None, None, result, "What was seen."),)


@pytest.mark.parametrize(
    ("outcome", "completeness", "reason"),
    [
        ({}, "FULL", None),
        ({"observations": seen("PASS") + seen("NOT_AVAILABLE", "sweeps_agree")}, "FULL", None),
        ({"observations": seen("PASS") + seen("FAIL", "sweeps_agree")}, "PARTIAL", "source 'prod': What was seen"),
        ({"observations": seen("FAIL")}, "PARTIAL", "What was seen"),
        ({"observations": seen("NOT_AVAILABLE")}, "PARTIAL", "the end of the list of users was not proven"),
        ({"observations": ()}, "PARTIAL", "the end of the list of users was not proven"),
        ({"observations": (), "error": "the host went away"}, "PARTIAL", "source 'prod': the host went away"),
    ],
)
def test_a_snapshot_is_full_only_if_every_gate_check_passes(
    house: Any, source: Any, make_user: Callable[..., Any], outcome: Any, completeness: str, reason: str | None
) -> None:
    snapshot = house.land(SNAPSHOT, {"prod": source([make_user("ann")], outcome=outcome)})

    assert snapshot.completeness == completeness
    assert (snapshot.reason is None) if reason is None else (reason in (snapshot.reason or ""))


def test_one_source_that_fails_makes_the_snapshot_partial(
    house: Any, source: Any, make_user: Callable[..., Any]
) -> None:
    bad = source([], roles=[], groups=[], outcome={"observations": (), "error": "no answer", "accepted_sweeps": {}})

    snapshot = house.land(SNAPSHOT, {"eu": source([make_user("ann")]), "us": bad})

    assert snapshot.completeness == "PARTIAL"
    assert (snapshot.reason or "").startswith("source 'us': no answer")
    assert "source 'eu'" not in (snapshot.reason or "")


def principal(*role: Any) -> dict[str, Any]:
    from pipeline.spool import Principal

    return {"principal": Principal("svc", None, *role)}


COUNTS = {"users_before": 2, "users_after": 2}
CASES: list[tuple[str, str, bool, dict[str, Any]]] = [
    # check, result, gate, how the source differs from one with two ordinary users
    ("count_agrees", "PASS", True, {}),
    ("count_agrees", "PASS", True, {"outcome": {"server_counts": {"users_before": 2}}}),
    ("count_agrees", "FAIL", True, {"outcome": {"server_counts": {"users_before": 2, "users_after": 3}}}),
    ("count_agrees", "NOT_AVAILABLE", True, {"outcome": {"server_counts": {}}}),
    ("count_stable", "PASS", True, {}),
    ("count_stable", "FAIL", True, {"outcome": {"server_counts": {"users_before": 1, "users_after": 2}}}),
    ("count_stable", "NOT_AVAILABLE", True, {"outcome": {"server_counts": {"users_before": 2}}}),
    ("ids_consistent", "PASS", True, {"repeat_first_page": True}),
    ("ids_consistent", "FAIL", True, {"extra": [{"_id": "u0", "email": "other@x.test"}]}),
    ("ids_present", "PASS", True, {}),
    ("ids_present", "FAIL", True, {"extra": [{"email": "nobody@x.test"}]}),
    ("ids_present", "FAIL", True, {"extra": [{"_id": "", "email": "nobody@x.test"}]}),
    ("rows_stored", "PASS", True, {"repeat_first_page": True}),
    ("dashboards_stored", "PASS", False, {"dashboards": [{"oid": "d"}, {"oid": "e"}]}),
    ("caller_sees_everyone", "PASS", True, {"outcome": principal("r-admin", None)}),
    ("caller_sees_everyone", "PASS", True, {"outcome": principal(None, "Sys. Admin")}),
    ("caller_sees_everyone", "PASS", True, {"outcome": principal(None, "Tenant Admin")}),
    ("caller_sees_everyone", "PASS", True, {"roles": [{"_id": "r", "name": "custom_x", "baseRoleName": "admin"}],
                                            "outcome": principal("r", None)}),
    ("caller_sees_everyone", "FAIL", True, {"roles": [{"_id": "r", "baseRoleName": "dataAdmin"}],
                                            "outcome": principal("r", None)}),
    ("caller_sees_everyone", "FAIL", True, {"outcome": principal(None, "tenantAdmin"),
                                            "extra": [{"_id": "x", "tenantId": "1"}, {"_id": "y", "tenantId": "2"}]}),
    ("caller_sees_everyone", "FAIL", True, {"outcome": principal(None, "dataAdmin")}),
    ("caller_sees_everyone", "NOT_AVAILABLE", True, {"outcome": principal(None, None) | {"server_counts": {}}}),
    ("caller_sees_everyone", "NOT_AVAILABLE", True, {"outcome": principal(None, None) | {"server_counts": COUNTS}}),
    ("clock_skew", "PASS", False, {"outcome": {"clock_skew_seconds": -299.0}}),
    ("clock_skew", "FAIL", False, {"outcome": {"clock_skew_seconds": -300.0}}),
    ("clock_skew", "NOT_AVAILABLE", False, {"outcome": {"clock_skew_seconds": None}}),
    ("seats_agree", "NOT_AVAILABLE", False, {}),
    ("role_ids_resolve", "PASS", False, {"extra": [{"_id": "x", "roleId": ""}, {"_id": "y"}]}),
    ("role_ids_resolve", "PASS", False, {"extra": [{"_id": "x", "roleId": {"_id": "r-odd"}}]}),
    ("role_ids_resolve", "FAIL", False, {"extra": [{"_id": "x", "roleId": "r-gone"}]}),
    ("role_ids_resolve", "FAIL", False, {"extra": [{"_id": "x", "role": {"_id": "r-gone"}}]}),
    ("role_ids_resolve", "NOT_AVAILABLE", False, {"users": [{"_id": "x"}]}),
    ("group_ids_resolve", "PASS", False, {"extra": [{"_id": "x", "groups": [{"_id": "g-ops"}, None]}]}),
    ("group_ids_resolve", "FAIL", False, {"extra": [{"_id": "x", "groups": ["g-gone"]}]}),
    ("group_ids_resolve", "NOT_AVAILABLE", False, {"users": [{"_id": "x", "groups": None}]}),
    ("membership_sides_agree", "PASS", False, {"groups": [{"_id": "g", "name": "G", "users": ["x"]}],
                                               "extra": [{"_id": "x", "groups": ["g"]}]}),
    ("membership_sides_agree", "PASS", False, {"groups": [{"_id": "g", "name": "G", "users": ["x", {"_id": "y"}]},
                                                          {"_id": "g", "name": "G", "users": ["x", {"_id": "y"}]}],
                                               "extra": [{"_id": "x", "groups": ["g"]},
                                                         {"_id": "y", "groups": ["g", "g"]}]}),
    ("membership_sides_agree", "PASS", False, {"groups": [{"_id": "g-all", "name": "Everyone", "users": []},
                                                          {"_id": "g", "name": "G", "users": []}]}),
    ("membership_sides_agree", "FAIL", False, {"groups": [{"_id": "g", "name": "G", "users": [{"_id": "u0"}]}]}),
    ("membership_sides_agree", "FAIL", False, {"groups": [{"_id": "g", "users": [{"_id": "u0"}]}]}),
    ("membership_sides_agree", "NOT_AVAILABLE", False, {}),
    ("population_steady", "NOT_AVAILABLE", False, {}),
    ("scim_total", "NOT_AVAILABLE", False, {}),
    ("scim_total", "FAIL", False, {"scim_users": []}),
    ("scim_total", "PASS", False, {"scim_users": [{"id": "a"}, {"id": "b"}]}),
    ("scim_total", "FAIL", False, {"scim_users": [{"id": "a"}, {"id": "a"}, {"userName": "no id"}]}),
]  # fmt: skip


@pytest.mark.parametrize(("check", "result", "is_gate", "given"), CASES)
def test_each_check_passes_fails_or_is_unknown(
    house: Any,
    source: Any,
    make_user: Callable[..., Any],
    check: str,
    result: str,
    is_gate: bool,
    given: dict[str, Any],
) -> None:
    users = [make_user("u0"), make_user("u1"), *given.get("extra", ())]
    other = {key: value for key, value in given.items() if key != "extra"}

    snapshot = house.land(SNAPSHOT, {"prod": source(**{"users": users} | other)})

    rows = house.rows(f"select result, is_gate, explanation from meta.reconciliation where check_id = '{check}'")
    assert [row[:2] for row in rows] == [(result, is_gate)]
    if is_gate and result == "FAIL":
        assert snapshot.completeness == "PARTIAL"
        assert rows[0][2].removesuffix(".") in (snapshot.reason or "")


@pytest.mark.parametrize(("counts", "completeness"), [(COUNTS, "FULL"), ({}, "PARTIAL")])
def test_an_unreadable_caller_role_needs_an_agreeing_count(
    house: Any, source: Any, make_user: Callable[..., Any], counts: dict[str, int], completeness: str
) -> None:
    outcome = principal(None, None) | {"server_counts": counts}

    snapshot = house.land(SNAPSHOT, {"prod": source([make_user("u0"), make_user("u1")], outcome=outcome)})

    assert snapshot.completeness == completeness
    if completeness == "PARTIAL":
        assert "The role of the account that reads is not known, and no count confirms" in (snapshot.reason or "")


def test_a_missing_row_fails_the_gate(house: Any, source: Any, make_user: Callable[..., Any]) -> None:
    written = house.spool(SNAPSHOT, {"prod": source([make_user("ann"), make_user("bob")])})
    (written.folder / "prod" / "users-1-1.json").write_text(json.dumps([make_user("ann")]))
    house.spool = lambda _id, _sources: written

    snapshot = house.land(SNAPSHOT, {})

    assert snapshot.completeness == "PARTIAL"
    assert "The pages held 8 items, but 7 rows are stored" in (snapshot.reason or "")


def test_a_missing_dashboard_is_said_and_accounts_stay_complete(
    house: Any, source: Any, make_user: Callable[..., Any]
) -> None:
    written = house.spool(SNAPSHOT, {"prod": source([make_user("ann")], dashboards=[{"oid": "d"}, {"oid": "e"}])})
    (written.folder / "prod" / "dashboards-1-1.json").write_text('[{"oid": "d"}]')
    house.spool = lambda _id, _sources: written

    snapshot = house.land(SNAPSHOT, {})

    assert snapshot.completeness == "FULL"
    assert house.rows("select result, explanation from meta.reconciliation where check_id = 'dashboards_stored'") == [
        ("FAIL", "The pages held 2 items, but 1 row is stored.")
    ]


@pytest.mark.parametrize(("count", "result"), [(18, "PASS"), (17, "FAIL"), (30, "PASS")])
def test_a_population_that_shrinks_by_more_than_a_tenth_is_shown(
    house: Any, source: Any, make_user: Callable[..., Any], count: int, result: str
) -> None:
    partial = {"observations": ()}
    house.land("20251230T000000Z-0000", {"prod": source([make_user(f"u{n}") for n in range(20)])})
    house.land("20251231T000000Z-0000", {"prod": source([make_user("u1")], outcome=partial)})

    snapshot = house.land(SNAPSHOT, {"prod": source([make_user(f"u{n}") for n in range(count)])})

    found = house.rows(
        f"select expected, observed, result from meta.reconciliation "
        f"where check_id = 'population_steady' and snapshot_id = '{SNAPSHOT}'"
    )
    assert found == [("20", str(count), result)]
    assert snapshot.completeness == "FULL"


def test_every_completeness_check_is_tested_here(models: list[Model]) -> None:
    checks = {model.name for model in models if model.schema == "completeness"}
    lists = {model.name for model in models if model.each}

    of_files = {
        "grants_resolve",
        "grant_accounts_resolve",
        "entitlement_ids_consistent",
    }  # tests/sources/test_files.py
    of_shards = {"shards_joined", "shards_overlap", "shard_counts_agree"}  # tests/sources/test_shards.py
    tested = {check if check in checks else check.rpartition("_")[2] for check, *_ in CASES}
    assert tested | of_files | of_shards == checks
    assert all(any(check.endswith(f"_{name}") for check, *_ in CASES) for name in lists)


def test_the_landed_rows_are_in_the_database_after_it_is_closed(
    tmp_path: Path, house: Any, source: Any, make_user: Callable[..., Any]
) -> None:
    house.land(SNAPSHOT, {"prod": source([make_user("ann")])})
    house.connection.close()

    with database.reading(tmp_path / "access-review.duckdb", notify=pytest.fail) as connection:
        assert connection.execute("select count(*) from raw.users").fetchall() == [(1,)]
