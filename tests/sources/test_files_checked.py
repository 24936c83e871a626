"""Files before and between extracts: what ``check`` says about them, and what ``watch`` reports when they change."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from math import nan
from pathlib import Path

import polars
import pytest

from pipeline import Project, load_settings
from pipeline.errors import ContentError
from pipeline.settings import SourceSettings
from pipeline.sources.files.preflight import preflight
from pipeline.watch.watcher import Watcher
from tests.sources.test_files import ACCOUNTS, GRANTS, ROWS, Landed, landing_models, read, write

__all__ = ["landing_models", "read"]


def test_files_of_another_application_are_said(tmp_path: Path, read: Callable[..., Landed]) -> None:
    [note] = read(write(tmp_path / "hr", application="Payroll", extracted_at="2025-12-31")).notes

    assert "these are the files of 'Payroll', and the source is named 'hr_app'" in note


def test_check_reads_the_files_as_an_extract_does(tmp_path: Path) -> None:
    source = SourceSettings(name="hr_app", kind="files", path=write(tmp_path / "hr"))

    def checks(changed: dict[str, str | bytes] | None = None) -> list[tuple[str, str]]:
        write(tmp_path / "hr", changed)
        return [
            (each.result, each.detail) for each in preflight(source, clock=lambda: datetime(2026, 1, 1, tzinfo=UTC))
        ]

    [(whole, detail)] = checks()
    short = checks({"grants.csv": GRANTS.replace("4,permission:pay,,\n", "")})
    [(headless, missing)] = checks({"grants.csv": "account_id\n"})
    [(absent, file)] = checks({"grants.csv": b""})

    assert (whole, detail) == (
        "ok", "HR App, csv, 4 accounts, 4 entitlements, 5 grants, exported 2025-12-31T08:00:00Z by ops"
    )  # fmt: skip
    assert [result for result, _ in short] == ["ok", "warning", "warning"]
    assert "declares 5 rows of grants.csv, and 4 were read" in short[1][1]
    assert "its SHA-256 is" in short[2][1]
    assert (headless, absent) == ("failed", "failed")
    assert "'entitlement_id' is missing from grants.csv" in missing
    assert "there is no grants.csv" in file


def test_watch_follows_the_files_and_reports_what_the_next_ones_change(tmp_path: Path) -> None:
    write(tmp_path / "hr")
    (tmp_path / "access-review.toml").write_text('[sources.hr_app]\nkind = "files"\npath = "hr"\n', encoding="utf-8")
    project = Project(load_settings(tmp_path / "access-review.toml"), {})
    watcher = Watcher(project, [])
    first = watcher.tick()
    accounts = ACCOUNTS.replace("4,dee,dee@example.com,Dee,Dahl,active", "5,eve,eve@example.com,Eve,Ek,active")
    grants = GRANTS.replace("1,role:admin,2024-02-01,team HR\n", "").replace("4,", "5,")
    files = [{"name": name, "rows": rows} for name, rows in zip(ROWS, (4, 4, 4), strict=True)]
    write(tmp_path / "hr", {"accounts.csv": accounts, "grants.csv": grants}, files=files)
    second = watcher.tick()
    (tmp_path / "hr" / "grants.csv").unlink()
    broken = watcher.tick()

    assert [tick.errors for tick in (first, second)] == [[], []]
    assert first.events == {}
    happened = project.query("select kind, account_id, old_value, new_value from history.events order by position")
    assert {row[:2] for row in happened.rows()} >= {("leaver", "4"), ("joiner", "5"), ("group_removed", "1")}
    assert second.events["joiner"] == second.events["leaver"] == 1
    assert [type(error) for error in broken.errors] == [ContentError]
    assert broken.waits is not None, "files that are not whole are compared with nothing"


def test_words_for_a_missing_value_are_empty_and_lines_may_stand_twice(
    tmp_path: Path, read: Callable[..., Landed]
) -> None:
    accounts = ACCOUNTS + "5,NULL,\\N,Ann,Null,null,NULL,,\n" * 2
    files = [{"name": name, "rows": rows} for name, rows in (ROWS | {"accounts.csv": 6}).items()]
    landed = read(write(tmp_path / "hr", {"accounts.csv": accounts}, files=files))

    assert (landed.completeness, landed.reason) == ("FULL", None)
    assert landed.rows["accounts"][-1] == {"account_id": "5", "first_name": "Ann", "last_name": "Null"}
    assert "8 cells with the word NULL or \\N, read as empty" in "".join(landed.notes)


def test_ids_of_parquet_files_are_those_of_the_application(tmp_path: Path, read: Callable[..., Landed]) -> None:
    tables = {
        "accounts": {"Account ID": [1.0, 2.0], "email": [b"ann@example.com", None], "created_at": [None, nan]},
        "entitlements": {"entitlement_id": [Decimal("7.00")]},
        "grants": {"account_id": [1, 2], "entitlement_id": [7, 7]},
    }
    for name, columns in tables.items():
        polars.DataFrame(columns).write_parquet(tmp_path / f"{name}.parquet")
    files = [{"name": f"{name}.parquet", "rows": rows} for name, rows in zip(tables, (2, 1, 2), strict=True)]
    (tmp_path / "manifest.json").write_text(json.dumps({"files": files}), encoding="utf-8")

    landed = read(tmp_path)

    assert (landed.completeness, landed.reason) == ("FULL", None)
    assert landed.rows["accounts"] == [{"account_id": "1", "email": "ann@example.com"}, {"account_id": "2"}]
    assert landed.rows["grants"] == [
        {"account_id": "1", "entitlement_id": "7"}, {"account_id": "2", "entitlement_id": "7"}
    ]  # fmt: skip
    polars.DataFrame({"account_id": ["1"], "email": [["a@example.com"]]}).write_parquet(tmp_path / "accounts.parquet")
    with pytest.raises(ContentError, match=r"row 1 of accounts\.parquet has a value that is not text"):
        read(tmp_path)


def test_check_names_doubled_ids_and_grants_to_unknown_accounts(tmp_path: Path) -> None:
    tables = {
        "accounts": "account_id,email\n1,ann@example.com\n1,bo@example.com\n2,c@example.com\n2,c@example.com\n",
        "entitlements": "entitlement_id,entitlement_name\nr,Clerk\n",
        "grants": "account_id,entitlement_id\n1,r\n1,gone\n4711,r\n",
    }
    for name, text in tables.items():
        (tmp_path / f"{name}.csv").write_text(text)
    rows = [{"name": f"{name}.csv", "rows": text.count("\n") - 1} for name, text in tables.items()]
    (tmp_path / "manifest.json").write_text(json.dumps({"files": rows}))

    said = [each.detail for each in preflight(SourceSettings(name="hr", kind="files", path=tmp_path))]

    assert said[1:] == [
        "1 grant of an entitlement that the entitlements do not list, first gone; list it, or export the files again",
        "1 account id is on several lines that differ: 1",
        "1 grant to an account that the accounts do not list: 4711",
    ]


@pytest.mark.parametrize(
    ("headings", "hint"),
    [
        ("accountid,email", "its headings are: accountid, email; rename 'accountid' if it is that column"),
        ("id|mail|state", "the one heading is: id|mail|state; a comma, a semicolon or a tab must separate cells"),
        ("login,mail", "its headings are: login, mail; 'access-review init --files' writes an example"),
    ],
)
def test_a_missing_column_is_said_with_the_headings_that_the_file_has(
    tmp_path: Path, headings: str, hint: str
) -> None:
    path = write(tmp_path / "hr", {"accounts.csv": f"{headings}\n"})
    [check] = preflight(SourceSettings(name="hr_app", kind="files", path=path), clock=lambda: datetime.now(UTC))[-1:]

    assert check.detail.startswith("the column 'account_id' is missing from accounts.csv")
    assert check.hint == hint
