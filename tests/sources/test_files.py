"""Applications read from files: all rows, or not FULL; a broken file ends in words; no invented finding."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline import Project, load_settings, resources
from pipeline.errors import ContentError
from pipeline.settings import SourceSettings
from pipeline.sources.extract import ExtractJob
from pipeline.sources.files.extract import extract
from pipeline.spool import Spool
from pipeline.warehouse import database, landing
from pipeline.warehouse.model import Model
from pipeline.warehouse.model_file import LANDING_LAYERS, load_folder
from pipeline.warehouse.policy import PolicyFiles

SNAPSHOT = "20260101T000000Z-0001"
ACCOUNTS = (
    "account_id,user_name,email,first_name,last_name,status,created_at,last_login_at,account_type\n"
    "1,ann,ann@example.com,Ann,Ek,active,2024-01-01,2025-12-20T08:00:00Z,\n"
    '2,bo,bo@example.com,Bo,"Berg, Jr",inactive,2024-01-01,2025-12-20T08:00:00Z,human\n'
    "3,svc,,,,active,2024-01-01,2025-12-30T00:00:00Z,service\n"
    "4,dee,dee@example.com,Dee,Dahl,active,2024-01-01,2025-02-01T00:00:00Z,\n"
)
ENTITLEMENTS = (
    "entitlement_type,entitlement_id,entitlement_name,description,privileged\n"
    "role,role:admin,Admin,Everything,true\n"
    "role,role:clerk,Payroll clerk,Enter salaries,\n"
    "group,group:all,Everyone,All people,false\n"
    "permission,permission:pay,Pay,Release payments,\n"
)
GRANTS = (
    "account_id,entitlement_id,granted_at,path\n"
    "1,role:admin,2024-02-01,team HR\n"
    "1,group:all,,\n"
    "2,role:clerk,,\n"
    "4,role:clerk,,\n"
    "4,permission:pay,,\n"
)
TABLES = {"accounts.csv": ACCOUNTS, "entitlements.csv": ENTITLEMENTS, "grants.csv": GRANTS}


def write(folder: Path, changed: dict[str, str | bytes] | None = None, **manifest: Any) -> Path:
    """Write an application whose manifest fits; then change files, or leave them out (empty bytes)."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, text in TABLES.items():
        (folder / name).write_text(text, encoding="utf-8")
        rows = len(list(csv.reader(io.StringIO(text)))) - 1
        files.append({"name": name, "rows": rows, "sha256": hashlib.sha256(text.encode()).hexdigest()})
    document = {
        "application": "HR App", "extracted_at": "2025-12-31T08:00:00Z", "extracted_by": "ops", "files": files
    } | manifest  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(document), encoding="utf-8")
    for name, content in (changed or {}).items():
        if content == b"":
            (folder / name).unlink()
        else:
            (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


@dataclass
class Landed:
    completeness: str
    reason: str | None
    checks: dict[str, tuple[str, str]]
    rows: dict[str, list[dict[str, Any]]]
    pages: list[tuple[Any, ...]]
    notes: list[str]


@pytest.fixture(scope="module")
def landing_models() -> Sequence[Model]:
    return load_folder(resources.sql(), LANDING_LAYERS)


@pytest.fixture
def read(tmp_path: Path, landing_models: Sequence[Model]) -> Callable[..., Landed]:
    """Give a function that extracts and lands the files at a path."""

    def read(path: Path, **settings: Any) -> Landed:
        spool = Spool.create(tmp_path / f"spool{len(list(tmp_path.iterdir()))}")
        notes: list[str] = []
        job = ExtractJob(
            SourceSettings(name="hr_app", kind="files", path=path, **settings),
            spool, lambda *_: None, note=notes.append, clock=lambda: datetime(2026, 1, 1, tzinfo=UTC),
        )  # fmt: skip
        try:
            extract(job)
        finally:
            spool.close()
        with database.in_memory() as connection:
            landed = landing.land(
                connection, spool, landing_models,
                landing.LandingJob(
                    snapshot_id=SNAPSHOT, started_at=datetime(2026, 1, 1), finished_at=datetime(2026, 1, 1),  # noqa: DTZ001
                    policy_files=PolicyFiles(resources.reference_data(), None, ()), tool_version="0",
                    config_sha256="0",
                ),
            )  # fmt: skip
            rows = {
                table: [
                    json.loads(payload)
                    for (payload,) in connection.execute(
                        f"select payload from raw.file_{table} where is_accepted order by page, ordinal"
                    ).fetchall()
                ]
                for table in ("accounts", "entitlements", "grants")
            }
            pages = connection.execute(
                "select resource, url, items, sha256 from meta.pages order by resource, page"
            ).fetchall()
            checks = {
                check_id: (result, explanation)
                for check_id, result, explanation in connection.execute(
                    "select check_id, result, explanation from meta.reconciliation"
                ).fetchall()
            }
        return Landed(landed.completeness, landed.reason, checks, rows, pages, notes)

    return read


def test_three_files_with_their_manifest_are_complete(tmp_path: Path, read: Callable[..., Landed]) -> None:
    landed = read(write(tmp_path / "hr"))

    assert (landed.completeness, landed.reason, landed.notes) == ("FULL", None, [])
    assert [len(landed.rows[table]) for table in ("accounts", "entitlements", "grants")] == [4, 4, 5]
    assert landed.rows["accounts"][1] == {
        "account_id": "2", "user_name": "bo", "email": "bo@example.com", "first_name": "Bo", "last_name": "Berg, Jr",
        "status": "inactive", "created_at": "2024-01-01", "last_login_at": "2025-12-20T08:00:00Z",
        "account_type": "human",
    }  # fmt: skip
    assert [page for page in landed.pages if page[0] == "files"] == [
        ("files", name, rows, hashlib.sha256(text.encode()).hexdigest())
        for (name, text), rows in zip(TABLES.items(), (4, 4, 5), strict=True)
    ]
    assert "caller_sees_everyone" not in landed.checks


ROWS = {"accounts.csv": 4, "entitlements.csv": 4, "grants.csv": 5}
NO_COUNTS = [{"name": name} for name in TABLES]


@pytest.mark.parametrize(
    ("changed", "manifest", "reason"),
    [
        ({"manifest.json": b""}, {}, "There is no manifest.json, so nothing proves that accounts.csv is whole"),
        ({}, {"files": []}, "manifest.json does not declare the rows of accounts.csv"),
        ({}, {"files": NO_COUNTS}, "manifest.json does not declare the rows of grants.csv"),
        ({"grants.csv": GRANTS.rsplit("4,perm", 1)[0]}, {}, "declares 5 rows of grants.csv, and 4 were read"),
        ({"grants.csv": GRANTS + "3,role:admin,,\n"}, {}, "declares 5 rows of grants.csv, and 6 were read"),
        ({"accounts.csv": ACCOUNTS.replace("Dahl", "Dall")}, {}, "accounts.csv was changed after"),
        ({"accounts.csv": ACCOUNTS.replace("4,dee", "1,dee")}, {}, "account id is on several lines that differ: 1"),
        (
            {"entitlements.csv": ENTITLEMENTS.replace("group:all,Everyone", "role:admin,Everyone")}, {},
            "1 entitlement id is on several lines that differ: role:admin",
        ),
        (
            {"grants.csv": GRANTS.replace("4,perm", "9,perm")},
            {"files": [{"name": name, "rows": rows} for name, rows in ROWS.items()]},
            "1 grant to an account that the accounts do not list: 9. The accounts and the grants do not belong",
        ),
    ],
)  # fmt: skip
def test_files_that_nothing_proves_to_be_whole_are_partial(
    tmp_path: Path,
    read: Callable[..., Landed],
    changed: dict[str, str | bytes],
    manifest: dict[str, Any],
    reason: str,
) -> None:
    landed = read(write(tmp_path / "hr", changed, **manifest))

    assert landed.completeness == "PARTIAL"
    assert reason in (landed.reason or "")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"grants.csv": b""}, "there is no grants.csv in 'hr'"),
        ({"grants.csv": "account_id,path\n1,x\n"}, "the column 'entitlement_id' is missing from grants.csv"),
        ({"grants.csv": GRANTS + "2"}, "grants.csv is cut off: line 7, the last one, has 1 cell instead of 4"),
        ({"grants.csv": GRANTS + ",role:clerk,,\n"}, "line 7 of grants.csv has no account_id"),
        ({"accounts.csv": ACCOUNTS + '5,"eve'}, "accounts.csv: line 6 is not CSV"),
        ({"accounts.csv": ACCOUNTS + "5,eve,a,b,c,active,,,,,more\n"}, "line 6 has 11 cells, the header has 9"),
        ({"entitlements.csv": "\n"}, "entitlements.csv is empty"),
        ({"manifest.json": '{"files": [{"name":'}, "is not valid JSON: Expecting value at line 1, column 20"),
        ({"manifest.json": '{"files": [{"name": "grants.csv", "rows": "4"}]}'}, "grants.csv must be a whole number"),
        ({"manifest.json": '{"files": [{"name": "grants.csv", "sha256": "abc"}]}'}, "grants.csv is not a SHA-256"),
    ],
)  # fmt: skip
def test_a_broken_file_ends_in_words(
    tmp_path: Path, read: Callable[..., Landed], changed: dict[str, str | bytes], message: str
) -> None:
    with pytest.raises(ContentError) as caught:
        read(write(tmp_path / "hr", changed))

    assert message in caught.value.message
    assert caught.value.exit_code == 3
    assert caught.value.hint


def test_a_grant_of_an_unknown_entitlement_is_said_and_leaves_the_extract_full(
    tmp_path: Path, read: Callable[..., Landed]
) -> None:
    files = [{"name": name, "rows": rows} for name, rows in (ROWS | {"grants.csv": 6}).items()]
    landed = read(write(tmp_path / "hr", {"grants.csv": GRANTS + "1,role:gone,,\n"}, files=files))

    result, explanation = landed.checks["grants_resolve"]
    assert (landed.completeness, result) == ("FULL", "FAIL")
    assert "1 grant of an entitlement that the entitlements do not list" in explanation
    assert landed.notes == [
        "hr_app: 1 grant of an entitlement that the entitlements do not list, first role:gone; "
        "list it, or export the files again"
    ]


@pytest.mark.parametrize(
    ("extracted_at", "said"),
    [
        ("2025-12-25", []),
        ("2025-12-24", ["the files were exported on 24 Dec 2025 ('extracted_at' in manifest.json), 8 days ago"]),
        ("2026-01-01T01:00:00+01:00", []),
        ("2026-01-01T01:00:00", ["'extracted_at' in manifest.json is 1 Jan 2026, 01:00 UTC, which is in the future"]),
        ("yesterday", ["'extracted_at' in manifest.json is 'yesterday', which is not an ISO 8601 time"]),
    ],
)
def test_an_export_that_is_old_or_from_the_future_is_said(
    tmp_path: Path, read: Callable[..., Landed], extracted_at: str, said: list[str]
) -> None:
    notes = read(write(tmp_path / "hr", extracted_at=extracted_at)).notes

    assert [note.removeprefix("hr_app: ").startswith(text) for note, text in zip(notes, said, strict=True)] == [
        True
    ] * len(said)


@pytest.mark.parametrize("is_hashed", [True, False])
def test_only_a_hash_proves_a_file_without_a_last_end_of_line(
    tmp_path: Path, read: Callable[..., Landed], is_hashed: bool
) -> None:
    cut = GRANTS.removesuffix("\n")
    files: list[dict[str, Any]] = [{"name": name, "rows": rows} for name, rows in ROWS.items()]
    if is_hashed:
        files[2]["sha256"] = hashlib.sha256(cut.encode()).hexdigest()
    landed = read(write(tmp_path / "hr", {"grants.csv": cut}, files=files))

    assert landed.completeness == ("FULL" if is_hashed else "PARTIAL")
    assert ("The last line of grants.csv has no end of line" in (landed.reason or "")) is not is_hashed


def test_lines_that_say_the_same_twice_are_no_conflict(tmp_path: Path, read: Callable[..., Landed]) -> None:
    twice = ENTITLEMENTS + ENTITLEMENTS.splitlines()[1] + "\n"
    grants = GRANTS + "1,role:admin,2025-02-01,team IT\n"
    files = [{"name": name, "rows": rows} for name, rows in zip(ROWS, (4, 5, 6), strict=True)]
    landed = read(write(tmp_path / "hr", {"entitlements.csv": twice, "grants.csv": grants}, files=files))

    assert landed.completeness == "FULL"


def test_a_spreadsheet_in_another_dialect_is_read_and_unknown_columns_are_named(
    tmp_path: Path, read: Callable[..., Landed]
) -> None:
    accounts = "Account ID;E-mail;Status;Created by;Password\r\n1;ann@example.com;active;Bo;hunter2\r\n"
    path = write(tmp_path / "hr", {"accounts.csv": accounts.encode("utf-16")})

    landed = read(path)

    assert landed.rows["accounts"] == [{"account_id": "1", "status": "active"}]
    assert landed.notes == [
        "hr_app: accounts.csv: columns that are not read: e_mail (did you mean 'email'?), created_by, password"
    ]


#: Rules that only a roster, a baseline, a campaign or a server can fail here, and what the file itself carries.
EXPECTED = {
    ("Stale account", "4"),
    ("Leaver still active", "4"),
    ("Orphaned account", "3"),
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Run everything over one application, with a roster in which Dee has left and the others work."""
    folder = tmp_path_factory.mktemp("built")
    write(folder / "hr")
    (folder / "people.csv").write_text(
        "person_id,email,employment_status,end_date\nann,ann@example.com,active,\nbo,bo@example.com,active,\n"
        "dee,dee@example.com,ended,2025-06-30\n",
        encoding="utf-8",
    )
    (folder / "access-review.toml").write_text(
        '[organization]\nemail_domains = ["example.com"]\n[roster]\npath = "people.csv"\n'
        '[sources.hr_app]\nkind = "files"\npath = "hr"\n',
        encoding="utf-8",
    )
    project = Project(load_settings(folder / "access-review.toml"), {})
    project.run(as_of=datetime(2026, 1, 1), formats=["csv"])  # noqa: DTZ001 - UTC
    return project


def test_no_account_of_a_file_gets_an_invented_finding(built: Project) -> None:
    found = built.query("select title, subject_id from findings.register").rows()

    assert set(found) == EXPECTED


def test_unranked_entitlements_are_not_evaluated_and_not_privileged(built: Project) -> None:
    privileged = built.query("select account_id from graph.accounts where privileged").rows()
    levels = dict(built.query("select distinct entitlement_id, permission_level from graph.effective_access").rows())
    unknown = built.query(
        "select unknown, passed from findings.rule_summary where title = 'Unclassified role'"
    ).rows()

    assert privileged == [("1",)]
    assert levels == {
        "role:admin": "privileged", "role:clerk": "unclassified", "group:all": "standard",
        "permission:pay": "unclassified",
    }  # fmt: skip
    assert unknown == [(2, 2)]


def test_the_access_of_a_file_keeps_its_types_and_paths(built: Project) -> None:
    access = built.query(
        "select account_id, entitlement_type, entitlement_id, path from reports.access order by all"
    ).rows()

    assert access == [
        ("1", "group", "group:all", "Ann Ek > group Everyone"),
        ("1", "role", "role:admin", "Ann Ek > team HR > role Admin"),
        ("2", "role", "role:clerk", "Bo Berg, Jr > role Payroll clerk"),
        ("4", "permission", "permission:pay", "Dee Dahl > permission Pay"),
        ("4", "role", "role:clerk", "Dee Dahl > role Payroll clerk"),
    ]


def test_an_application_has_no_seats_of_sisense(built: Project) -> None:
    assert built.query("select count(*) from reports.licences").item() == 0


def test_words_that_are_not_known_are_named_and_count_as_unknown(tmp_path: Path) -> None:
    accounts = (
        "account_id,first_name,last_name,status,account_type\n"
        "1,Ann,Ek,disabled,Robot\n2,Bo,Berg,Active,human\n3,Cy,Dahl,LOCKED,robot\n4,Di,Ek,,\n"
    )
    files = {"accounts.csv": accounts, "grants.csv": "account_id,entitlement_id\n"}
    listed = [{"name": name, "rows": rows} for name, rows in zip(ROWS, (4, 4, 0), strict=True)]
    write(tmp_path / "hr", dict(files), files=listed)
    (tmp_path / "access-review.toml").write_text('[sources.hr_app]\nkind = "files"\npath = "hr"\n', encoding="utf-8")
    project = Project(load_settings(tmp_path / "access-review.toml"), {})
    snapshot = project.extract().snapshot_id
    warnings = project.build(snapshot).warnings

    assert {
        "hr_app: status 'disabled', 'locked' are not active, inactive or pending; "
        "2 accounts count as of unknown status",
        "hr_app: 1 account has no status and counts as of unknown status",
        "hr_app: account_type 'robot' is not human, service, shared or break_glass; "
        "2 accounts count as of unknown type",
    } <= set(warnings)
    kinds = dict(project.query("select account_id, account_type from graph.accounts").rows())
    assert kinds == {"1": "unknown", "2": "human", "3": "unknown", "4": "human"}
