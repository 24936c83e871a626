"""The queries that ship with the program: each runs on a build and answers what its first line asks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline import resources
from pipeline.errors import ModelError, UsageError
from pipeline.warehouse import adhoc, database
from pipeline.warehouse.saved import SavedQuery, find, load_queries, why_no_rows

OLD, NEW = "20260101T000000Z-0001", "20260215T000000Z-0002"
ROSTER = "person_id,email,department\np1,ada@example.com,Research\np2,bo@example.com,Sales\n"
GIVEN = {
    "group": "OPS",
    "person": "Ada@example.com",
    "snapshot": NEW,
    "account": "Ada@example.com",
    "object": "Orders Board",
}
OBJECTS = {
    "dashboards": {
        "oid": "d1",
        "title": "Orders Board",
        "owner": "ada",
        "shares": [{"shareId": "g-ops", "type": "group", "rule": "edit"}],
    },
    "models": {"_id": "m1", "title": "Orders", "kind": "extract", "hasRowRules": True},
    "row_rules": {
        "_id": "r1",
        "modelId": "m1",
        "table": "Customers",
        "column": "Region",
        "valueHashes": ["a hash", "another"],
        "shares": [{"partyId": "g-ops", "type": "group"}],
    },
}


@pytest.fixture(scope="module")
def queries() -> list[SavedQuery]:
    return load_queries(resources.sql() / "queries")


@pytest.fixture
def database_path(house: Any, make_user: Any, source: Any) -> Path:
    """Two snapshots: Bo becomes an administrator in the second; a partner is in a privileged group, as is Ada."""
    ada = make_user("ada", lastLogin="2026-02-01T00:00:00Z", groups=["g-all", "g-ops"])
    bo = make_user("bo")
    partner = make_user("partner", email="partner@partner.test", groups=["g-all", "g-ops"])
    scim = [{"id": "1", "userName": bo["userName"], "active": False}, {"id": "2", "userName": "new@example.com"}]
    policy = {"privileged_groups.csv": "group_name\nOps\n"}
    for snapshot_id, users in ((OLD, [ada, bo, partner]), (NEW, [ada, bo | {"roleId": "r-admin"}, partner])):
        snapshot = house.land(snapshot_id, {"prod": source(users, scim_users=scim)})
        for table, record in OBJECTS.items():
            house.connection.execute(
                f"insert into raw.{table} values ($snapshot, 'prod', 1, 1, 1, true, timestamp '2026-01-01', $record)",
                {"snapshot": snapshot_id, "record": json.dumps(record)},
            )
        house.build(snapshot, policy=policy, roster=ROSTER)
    house.connection.close()
    return house.folder / "access-review.duckdb"


def test_every_saved_query_runs_and_answers(queries: list[SavedQuery], database_path: Path) -> None:
    answers: dict[str, list[dict[str, Any]]] = {}

    with database.sandbox(database_path, notify=pytest.fail) as connection:
        for query in queries:
            columns, rows = adhoc.run(connection, query.sql, {name: GIVEN[name] for name in query.parameters})
            answers[query.name] = [dict(zip(columns, row, strict=True)) for row in rows]

    def cells(name: str, *columns: str) -> list[tuple[Any, ...]]:
        return [tuple(row[column] for column in columns) for row in answers.pop(name)]

    assert cells("admins", "email", "privileged_since") == [("bo@example.com", None)]
    assert cells("group_reach", "email") == [("ada@example.com",), ("partner@partner.test",)]
    assert cells("unused_this_quarter", "email") == [("bo@example.com",), ("partner@partner.test",)]
    assert cells("person_access", "email", "entitlement_name") == [
        ("ada@example.com", "Everyone"),
        ("ada@example.com", "Ops"),
        ("ada@example.com", "Viewer"),
    ]
    assert cells("largest_groups", "group_name", "active_members") == [("Everyone", 3), ("Ops", 2), ("Sales", 0)]
    assert cells("role_holders", "role_name", "accounts") == [("admin", 1), ("consumer", 2), ("custom_odd", 0)]
    assert cells("accounts_without_person", "email") == [("partner@partner.test",)]
    assert cells("external_privileged", "email", "holds") == [("partner@partner.test", "group Ops")]
    departments = dict(cells("findings_by_department", "department", "accounts"))
    assert departments["Sales"] == 1
    assert cells("changes", "change", "label") == [("new_privileged", "Test Bo"), ("role_changed", "Test Bo")]
    assert ("ids_present", "PASS") in cells("completeness", "check_id", "result")
    assert {resource for (resource,) in cells("requests", "resource")} == {"users", "roles", "groups", "scim_users"}
    assert cells("scim_differences", "difference", "subject") == [
        ("only_in_scim", "new@example.com"),
        ("only_in_sisense", "Test Ada"),
        ("only_in_sisense", "Test Partner"),
        ("status", "Test Bo"),
    ]
    assert cells("reach_of_account", "object_name", "level", "path") == [
        ("Orders Board", "edit", "Test Ada > group Ops > dashboard Orders Board"),
        ("Orders Board", "owner", "Test Ada > owner of dashboard Orders Board"),
    ]
    assert cells("reach_of_object", "account_id", "level") == [
        ("ada", "edit"),
        ("ada", "owner"),
        ("bo", "edit"),
        ("partner", "edit"),
    ]
    row_access = ("model_name", "table_name", "column_name", "access", "value_count")
    assert cells("row_access_of_account", *row_access) == [("Orders", "Customers", "Region", "some", 2)]
    assert answers == {}, "a query without a line here"


def test_a_query_without_rows_says_why(database_path: Path) -> None:
    asked = {
        ("group_reach", "group"): [
            ("Opps", "no group has this name or id: Opps"),
            ("Sales", "the group has no members"),
        ],
        ("person_access", "person"): [("x@example.com", "no person has this id or address")],
        ("reach_of_account", "account"): [("adda", "no account has this id"), ("bo", "nothing is shared")],
        ("reach_of_object", "object"): [("Order Board", "no dashboard, model or folder has this id or exact title")],
        ("row_access_of_account", "account"): [("adda", "no account has this id"), ("ada", "row rules")],
    }

    with database.sandbox(database_path, notify=pytest.fail) as connection:
        for (query, parameter), answers in asked.items():
            for value, said in answers:
                assert said in str(why_no_rows(connection, query, {parameter: value}))
        assert why_no_rows(connection, "admins", {}) is None


def test_an_unknown_name_or_parameter_is_an_error_that_suggests_the_right_one(queries: list[SavedQuery]) -> None:
    with pytest.raises(UsageError) as misspelt:
        find(queries, "admin", {})
    with pytest.raises(UsageError) as incomplete:
        find(queries, "group_reach", {})
    with pytest.raises(UsageError) as needless:
        find(queries, "admins", {"group": "Ops"})

    assert misspelt.value.hint == "did you mean 'admins'?"
    assert "--saved group_reach --param group=" in incomplete.value.hint
    assert "takes no parameters" in needless.value.message


@pytest.mark.parametrize("text", ["", "select 1", "-- What?\nselect $a", "-- What?\n-- $a: it\nselect 1"])
def test_a_query_that_does_not_declare_its_parameters_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "odd.sql").write_text(text, encoding="utf-8")

    with pytest.raises(ModelError, match="does not say"):
        load_queries(tmp_path)
