"""A folder to show outside: no file names a person by name, address, login or id, and the figures are the same."""

from __future__ import annotations

import csv
import json
import re
import shutil
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pypdf
import pytest

from pipeline import resources
from pipeline.errors import WarehouseError
from pipeline.warehouse import database
from pipeline.warehouse.pseudonyms import MARK, Pseudonyms, pseudonymised_copy
from tests.e2e.conftest import Finished
from tests.machine import full_disk, killed_after

FORMATS = "csv,xlsx,html,pdf,graph"


@pytest.fixture(scope="module")
def outside(finished: Finished, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("outside")
    ran = finished.command(
        "report", "--pseudonymise", "--format", FORMATS, "--export", "vanta", "--export", "oscal", "--out", str(out)
    )
    assert ran.code == 0, ran.stderr
    return Path(ran.stdout.splitlines()[0])


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def texts(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of every file, as far inside as a reader can look."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        if path.suffix == ".pdf":
            pdf = pypdf.PdfReader(path)
            attached = [b"".join(content) for content in pdf.attachments.values()]
            yield name, "\n".join(page.extract_text() for page in pdf.pages) + str(pdf.metadata)
            yield f"{name}, attached", b"\n".join(attached).decode("utf-8", "replace")
        elif path.suffix == ".xlsx":
            with zipfile.ZipFile(path) as archive:
                parts = [archive.read(part).decode("utf-8", "replace") for part in archive.namelist()]
            yield name, "\n".join(parts)
        else:
            yield name, path.read_bytes().decode("utf-8", "replace")


def identities(finished: Finished) -> set[str]:
    """Return what identifies a person, and what people wrote: in the report with names, the roster and the policy."""
    rows = [*table(finished.report / "population.csv"), *table(finished.folder / "people.csv")]
    keys = (
        "user_name",
        "email",
        "display_name",
        "account_id",
        "person_id",
        "manager_email",
        "first_name",
        "last_name",
    )
    values = {row[key].lower().strip() for row in rows for key in keys if row.get(key)}
    for path in (finished.folder / "policy").glob("*.csv"):
        values |= {cell.lower() for row in table(path) for cell in row.values() if cell and "@" in cell}
        values |= {row[key].lower() for row in table(path) for key in ("reason", "purpose") if row.get(key)}
    # a purpose may be the name of a group, which stays
    values -= {row["entitlement_name"].lower() for row in table(finished.report / "access.csv")}
    assert len(values) > 1000
    return {value for value in values if len(value) > 3 and re.search(r"[^\W\d_]", value)}


def test_no_file_has_a_name_address_login_or_id(finished: Finished, outside: Path) -> None:
    known = identities(finished)
    own = [*texts(outside / "sql"), *texts(resources.templates())]
    words = {word for _, text in own for word in re.findall(r"[^\W_]+", text.lower())}
    words.add("formula")  # a key of the manifest, and an element of a workbook
    # a name that is also a word of a rule or a page, such as Long, may stand in a sentence
    singles = {value for value in known if re.fullmatch(r"[^\W_]+", value)} - words
    others = {value for value in known if not re.fullmatch(r"[^\W_]+", value)}

    leaks = []
    for name, text in texts(outside):
        if name.startswith("sql/"):  # the program's own files, with examples that name invented people
            continue
        lower = re.sub(r"base64,[A-Za-z0-9+/=]+", "", text).lower()
        leaks += [(name, value) for value in singles & set(re.findall(r"[^\W_]+", lower))]
        # those of two words and more; addresses and logins
        leaks += [(name, value) for value in others if value in lower]
    assert leaks == []
    assert not [path.name for path in outside.rglob("*.parquet")]


def test_every_figure_is_that_of_the_report(finished: Finished, outside: Path) -> None:
    ours, theirs = (json.loads((folder / "manifest.json").read_text()) for folder in (finished.report, outside))

    assert theirs["pseudonymised"] is True
    assert "pseudonymised" not in ours
    assert theirs["counts"] == ours["counts"]
    rows = {file["path"]: file["rows"] for file in ours["files"] if file["path"].endswith(".csv")}
    assert rows == {file["path"]: file["rows"] for file in theirs["files"] if file["path"] in rows}
    for name, columns in (
        ("findings.csv", ("rule_id", "severity", "status", "subject_type", "due_at")),
        ("population.csv", ("status", "role_name", "groups", "department", "risk_score", "finding_count")),
        ("access.csv", ("entitlement_type", "recommendation", "peer_n", "peer_k")),
    ):
        counted = [
            Counter(tuple(row[column] for column in columns) for row in table(folder / name))
            for folder in (finished.report, outside)
        ]
        assert counted[0] == counted[1], name
    accounts = table(outside / "population.csv")
    assert len({row["account_id"] for row in accounts}) == len(accounts)
    assert {row["account_id"] for row in table(outside / "access.csv")} <= {row["account_id"] for row in accounts}


def test_every_page_says_so_and_the_folder_verifies(finished: Finished, outside: Path) -> None:
    for path in outside.glob("*.pdf"):
        assert all(MARK in page.extract_text() for page in pypdf.PdfReader(path).pages), path.name
    with zipfile.ZipFile(outside / "access-review.xlsx") as archive:
        sheets = [name for name in archive.namelist() if name.startswith("xl/worksheets/sheet")]
        assert all(b"-pseudonymised" in archive.read(sheet) for sheet in sheets)
    assert MARK in (outside / "access-review.html").read_text(encoding="utf-8")
    assert "pseudonymised" in (outside / "PSEUDONYMISED.txt").read_text(encoding="utf-8")

    verified = finished.command("verify", str(outside), "--rebuild")
    assert verified.code == 0, verified.stdout + verified.stderr
    assert "pseudonyms   yes" in verified.stdout
    assert "nothing to rebuild" in verified.stdout + verified.stderr


def test_the_same_key_gives_the_same_pseudonyms(finished: Finished, outside: Path, tmp_path: Path) -> None:
    key = finished.folder / "access-review.duckdb.pseudonym-key"

    again = finished.command("report", "--pseudonymise", "--format", "csv", "--out", str(tmp_path))

    folder = Path(again.stdout.splitlines()[0])
    assert (folder / "population.csv").read_bytes() == (outside / "population.csv").read_bytes()
    assert key.stat().st_mode & 0o777 == 0o600
    assert not [
        path for path in finished.folder.iterdir() if path.is_dir() and path.name.startswith("access-review-")
    ]


def test_identities_are_found_in_any_case_and_inside_text() -> None:
    identities = {"Ann Ek": "name", "ann.ek": "login", "ek": "name", "李 明": "name", "id-77abc": "id"}
    ours, other = Pseudonyms(b"a" * 64, identities), Pseudonyms(b"b" * 64, identities)

    name = ours.text("ann ek")
    assert re.fullmatch(r"Person [0-9a-f]{12}", name)
    assert ours.text("Dashboard of ANN EK, seen") == f"Dashboard of {name}, seen"
    assert ours.text("team_ann.ek 李 明's id-77abc:g1") == (
        f"team_{ours.of('ann.ek', 'login')} {ours.of('李 明', 'name')}'s {ours.of('id-77abc', 'id')}:g1"
    )
    assert ours.text("mail <New@Partner.test>, twice") == f"mail <{ours.of('new@partner.test', 'address')}>, twice"
    assert ours.text("the week, a trekking group") == "the week, a trekking group"
    assert ours.text("Ann Ek") != other.text("Ann Ek")
    assert ours.cell("Sales", "name") == ours.of("sales", "name"), "a column about people has no other text"


def test_the_copy_has_what_a_killed_process_had_committed_or_is_refused(finished: Finished, tmp_path: Path) -> None:
    path = Path(shutil.copyfile(finished.folder / "access-review.duckdb", tmp_path / "access-review.duckdb"))
    killed_after(path, "insert into policy.email_domains values ('committed.test')")

    with (
        database.reading(path, notify=pytest.fail) as original,
        pseudonymised_copy(original, b"key") as copy,
        database.reading(copy, notify=pytest.fail) as connection,
    ):
        domains = connection.execute("select email_domain from policy.email_domains").fetchall()
        assert len(domains) == len(original.execute("from policy.email_domains").fetchall()) > 1
    with (
        full_disk(),
        database.reading(path, notify=pytest.fail) as original,
        pytest.raises(WarehouseError, match="the database cannot be copied: File too large"),
        pseudonymised_copy(original, b"key"),
    ):
        pytest.fail("it was copied")

    assert sorted(each.name for each in tmp_path.iterdir()) == [path.name, f"{path.name}.wal"]
