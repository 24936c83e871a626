"""What servers with other shapes answer about objects arrives in staging, and what they refuse is said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline import resources
from pipeline.warehouse import database
from pipeline.warehouse.landing import LandingJob, land
from pipeline.warehouse.model import Model
from pipeline.warehouse.model_file import load_folder
from pipeline.warehouse.policy import PolicyFiles
from tests.fakes.http import Reply
from tests.fakes.odd_objects import ABSENT, BROKEN, CANARIES, UNKNOWN_KEY, Answer, OddSisense, always, linux, windows
from tests.sources.conftest import Extract, Extracting, extract_from

AT = datetime(2026, 3, 1)  # noqa: DTZ001 - UTC, as stored
SNAPSHOT = "20260301T000000Z-0000"
TABLES = (
    "staging.dashboards", "staging.dashboard_shares", "staging.dashboard_invitations", "staging.folders",
    "staging.models", "staging.model_shares", "staging.row_rules", "staging.row_rule_values",
    "staging.row_rule_parties", "staging.seats", "staging.sign_on", "staging.mailed_reports",
    "staging.mailed_report_recipients", "staging.tenants", "staging.object_checks", "graph.unclear_columns",
    "graph.row_access", "graph.object_lists",
)  # fmt: skip


class Landed:
    """The tables about objects, made of one extract of a server with these answers."""

    def __init__(
        self, connection: database.Connection, objects: dict[str, Answer], folder: Path, models: Sequence[Model]
    ):
        with OddSisense(objects) as fake:
            self.done: Extract = extract_from(fake, folder / "spool", objects="auto", page_size=2, concurrency=4)
            self.requests = [request.path for request in fake.server.requests]
        self.connection = connection
        files = PolicyFiles(resources.reference_data(), None, ())
        land(connection, self.done.spool, models, LandingJob(SNAPSHOT, AT, AT, files, "0", "0"))
        by_table = {model.table: model for model in models}
        for table in TABLES:
            sql = by_table[table].sql
            bound = {"snapshot_id": SNAPSHOT} if "$snapshot_id" in sql else {}
            connection.execute(f"create or replace table {table} as {sql}", bound)

    def rows(self, table: str, columns: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(f"select {columns} from {table} order by all").fetchall()

    @property
    def states(self) -> dict[str, str]:
        return dict(self.rows("graph.object_lists", "list, state"))  # type: ignore[arg-type]

    def about(self, name: str) -> tuple[str, str]:
        return self.connection.execute(
            "select explanation, coalesce(loses, '') from graph.object_lists where list = $name", {"name": name}
        ).fetchone()  # type: ignore[return-value]


@pytest.fixture(scope="module")
def models() -> list[Model]:
    return load_folder(resources.sql())


@pytest.fixture
def landed(tmp_path: Path, models: list[Model]) -> Iterator[Any]:
    with database.writing(tmp_path / "access-review.duckdb", notify=pytest.fail) as connection:
        connection.execute("set threads = 1")
        yield lambda objects: Landed(connection, objects, tmp_path, models)


def test_windows(landed: Any) -> None:
    found = landed(windows())

    assert found.done.failed == set()
    assert found.states == {
        "dashboards": "PARTIAL", "models": "PARTIAL", "row_rules": "PARTIAL", "folders": "FULL",
        "seats": "NOT_AVAILABLE", "sign_on": "FULL", "mailed_reports": "NOT_AVAILABLE", "tenants": "NOT_AVAILABLE",
    }  # fmt: skip
    assert "not known of 1 dashboard" in found.about("dashboards")[0]
    assert "Live models could not be read" in found.about("models")[0]
    assert found.rows("staging.dashboards", "dashboard_id, title, owner_id, folder_id, is_public, has_shares") == [
        ("101", "Sales / 100%", "7", "31", True, True),
        ("102", "Pay", "8", None, False, True),
        ("103", None, "7", None, None, True),
    ]
    assert found.rows("staging.dashboard_shares", "dashboard_id, party_type, party_id, rule, is_subscribed") == [
        ("101", "group", "g1", "edit", None), ("101", "user", "7", None, True), ("103", "user", "8", None, None),
    ]  # fmt: skip
    invited = found.rows("staging.dashboard_invitations", "dashboard_id, email")
    assert invited == [("101", "new@partner.test"), ("101", "newer@partner.test")]
    assert found.rows("staging.folders", "folder_id, name, parent_id, owner_id") == [
        ("31", "Finance", "32", "7"), ("32", "Old", None, "8"),
    ]  # fmt: skip
    assert found.rows("staging.models", "model_id, title, kind, server, has_shares, has_row_rules") == [
        ("1", "Orders/2026", "extract", "WIN-A", True, True),
        ("2", "Pay %", "extract", "WIN-A", True, True),
        ("3", "Orders/2026", "extract", "WIN-B", True, False),
    ]
    assert found.rows("staging.model_shares", "model_id, party_type, party_id, level, is_everyone") == [
        ("1", "group", "g1", "edit", False), ("1", "user", "7", "read", False), ("3", "group", "all", "use", True),
    ]  # fmt: skip
    assert found.rows("staging.row_rules", "row_rule_id, model_id, effect, value_count") == [
        ("11", "1", "allow", 2), ("12", "1", "nothing", 0), ("14", "2", "unknown", None),
        ("15", "2", "everything", 0), ("16", "2", "everything", 0), ("2:1", "2", "block", 3),
    ]  # fmt: skip
    assert found.rows("graph.row_access", "column_name, granted_to_type, granted_to_id, access, value_count") == [
        ("", "default", "", "not_known", None), ("Person", "account", "8", "all_but", 3),
        ("Person", "default", "", "not_known", None),
        ("Plant", "default", "", "not_known", None), ("Region", "account", "7", "some", 2),
        ("Region", "default", "", "nothing", None), ("Region", "group", "g1", "some", 2),
        ("Site", "default", "", "not_known", None),
    ]  # fmt: skip
    assert found.rows("staging.sign_on", "is_sso_enabled, sso_type, is_legacy_jwt, max_failed_attempts") == [
        (True, "jwt", True, 5)
    ]
    assert not [path for path in found.requests if path.endswith(("/settings/security", "/settings/api"))]
    assert_no_canary(found)


def test_linux(landed: Any) -> None:
    found = landed(linux())

    assert found.states == {
        "dashboards": "FULL", "models": "PARTIAL", "row_rules": "PARTIAL", "folders": "FULL", "seats": "FULL",
        "sign_on": "PARTIAL", "mailed_reports": "FULL", "tenants": "FULL",
    }  # fmt: skip
    assert "'No shares'" in found.about("models")[0]
    assert found.rows("staging.dashboards", "dashboard_id, is_public, has_shares") == [
        (f"d{number}", False, True) for number in range(1, 6)
    ]
    assert found.rows("staging.models", "model_id, kind, server, creator_id, has_shares, has_row_rules") == [
        ("l1", "live", None, "u1", True, True), ("l2", "live", None, "u1", False, True),
    ]  # fmt: skip
    assert found.rows("staging.row_rules", "model_id, table_name, column_name, effect") == [
        ("l1", "T", "C", "nothing")
    ]
    assert found.rows("staging.row_rule_parties", "party_type, party_id") == [("default", "")]
    assert found.rows("staging.seats", "seat_class, seats_used, seats_bought") == [
        ("admin", 1, 2), ("viewer", None, 30),
    ]  # fmt: skip
    assert found.rows("staging.mailed_reports", "mailed_report_id, dashboard_id, is_enabled") == [
        ("1", "d1", True), ("r2", "d2", False), ("r3", "d3", None),
    ]  # fmt: skip
    recipients = found.rows(
        "staging.mailed_report_recipients", "mailed_report_id, recipient_type, coalesce(recipient_id, ''), email"
    )
    assert recipients == [
        ("1", "user", "u2", None), ("r2", "email", "", "x@partner.test"), ("r2", "group", "g1", None),
        ("r3", "email", "", "y@example.com"),
    ]  # fmt: skip
    assert found.rows("staging.sign_on", "is_sso_enabled, sso_type, is_lockout_enabled") == [(False, None, None)]
    assert found.rows("staging.tenants", "tenant_id, name") == [("t1", "Main")]
    assert_no_canary(found)


def test_shares_without_an_endpoint_for_each_dashboard(landed: Any) -> None:
    objects = {path: answer for path, answer in linux().items() if not path.startswith("/api/shares/")}
    found = landed(objects)

    assert found.states["dashboards"] == "FULL"
    assert "not known of any dashboard whether everybody with the link can open it" in found.about("dashboards")[0]
    assert "which dashboards everybody with the link can open" in found.about("dashboards")[1]
    assert {public for (public,) in found.rows("staging.dashboards", "is_public")} == {None}
    assert len(found.rows("staging.dashboard_shares", "party_id")) == 10


@pytest.mark.parametrize(
    "answer",
    [always(ABSENT), always(UNKNOWN_KEY), always(BROKEN), always({"sharesTo": None})],
    ids=["404", "422", "500", "without the key"],
)
def test_one_dashboard_whose_public_link_is_not_known(extracting: Extracting, answer: Answer) -> None:
    with OddSisense({**linux(), "/api/shares/dashboard/d3": answer}) as fake:
        done = extracting(fake, objects="auto")

    check = done.observed("dashboards_public_read")
    assert (check.result, check.expected, check.observed) == ("FAIL", "5", "4")
    assert "not known of 1 dashboard " in check.explanation
    assert done.observed("dashboards_shares_read").result == "PASS"
    assert {row["oid"]: row.get("isPublic") for row in done.rows("dashboards")}["d3"] is None


@pytest.mark.parametrize(
    ("answer", "check", "said"),
    [
        ({"data": [{"_id": "r1"}], "pagination": {"isLastPage": False}}, "end_proven", "only repeats reports"),
        (
            {"data": [{"_id": "r1"}, {"name": "?"}], "pagination": {"isLastPage": True}},
            "ids_present",
            "1 mailed report ",
        ),
    ],
    ids=["every page is the first", "a report without an id"],
)
def test_mailed_reports_that_may_be_missing(extracting: Extracting, answer: Any, check: str, said: str) -> None:
    with OddSisense({**linux(), "/api/v1/report_manager/reports": always(answer)}) as fake:
        done = extracting(fake, objects="auto")

    seen = done.observed(f"mailed_reports_{check}")
    assert (seen.result, said in seen.explanation) == ("FAIL", True), seen.explanation
    assert [row["_id"] for row in done.rows("mailed_reports")] == ["r1"]


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (always(ABSENT), "NOT_AVAILABLE"),
        (always(UNKNOWN_KEY), "NOT_AVAILABLE"),
        (always(Reply(200, b"<!doctype html><title>Sign in</title>", "text/html")), "NOT_AVAILABLE"),
        (always(Reply(200, b"")), "NOT_AVAILABLE"),
        (always({}), "NOT_AVAILABLE"),
        (always(BROKEN), "PARTIAL"),
    ],
    ids=["404", "422", "a web page", "nothing", "an object", "500"],
)
def test_a_list_that_fails_may_exist_and_one_that_is_something_else_does_not(
    landed: Any, answer: Answer, state: str
) -> None:
    lists = (
        "/api/v1/dashboards/admin", "/api/v1/folders", "/api/elasticubes/servers",
        "/api/elasticubes/servers/localhost", "/api/v1/elasticubes/live",
        "/api/v1/account/get_license_info", "/api/v1/settings/sso", "/api/v1/settings/login_lockout",
        "/api/v1/tenants", "/api/v1/report_manager/reports",
    )  # fmt: skip
    found = landed({**linux(), **dict.fromkeys(lists, answer)})

    assert found.done.failed == set()
    assert found.states == dict.fromkeys(found.states, state)
    assert found.rows("staging.dashboards", "dashboard_id") == found.rows("staging.models", "model_id") == []


def test_what_a_stranger_writes_as_text_is_read(landed: Any) -> None:
    rule = {"_id": 1, "table": "T", "column": "C", "allMembers": "true", "shares": [{"type": "default"}]}
    blocked = {"_id": 1, "table": "T", "column": "C", "members": ["v"], "exclusionary": "true",
               "shares": [{"partyId": 7, "type": "User"}]}  # fmt: skip
    found = landed(
        {
            **linux(),
            "/api/shares/dashboard/d3": always({"sharesTo": [], "isPublic": "true", "sharesToNew": None}),
            "/api/v1/elasticubes/live/50% ∕ live/datasecurity": always([rule, blocked]),
        }
    )

    public = found.rows("staging.dashboards", "dashboard_id, is_public")
    assert ("d3", True) in public
    assert found.rows("staging.row_rules", "row_rule_id, effect") == [("1", "everything"), ("l1:2:1", "block")]


def assert_no_canary(found: Landed) -> None:
    """Assert that no secret and no value of a row is on disk or in a table."""
    folder = found.done.spool.folder.parent
    tables = found.connection.execute(
        """
        select schema_name || '.' || table_name from duckdb_tables()
        where schema_name in ('raw', 'meta', 'staging', 'graph')
        """
    ).fetchall()
    written = ""
    for number, (table,) in enumerate(tables):
        written += str(found.connection.execute(f"select * from {table}").fetchall())
        found.connection.execute(f"copy {table} to '{folder}/{number}.parquet' (compression uncompressed)")
    found.connection.execute("checkpoint")
    written += b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file()).decode("latin-1")
    assert "Sales / 100%" in written or "50% / live" in written
    assert [canary for canary in CANARIES if canary in written] == []
