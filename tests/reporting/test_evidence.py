"""The sealed folder as an auditor checks it: intact, changed by accident, or changed by a forger."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import duckdb
import pypdf
import pytest

from pipeline.errors import UsageError
from pipeline.evidence import manifest
from pipeline.reporting import report
from pipeline.reporting.dataset import load
from pipeline.reporting.documents import DocumentJob, write_evidence
from pipeline.warehouse import chain
from tests.fakes.forger import reseal
from tests.reporting.conftest import AS_OF
from tests.reporting.sealing import CSV, HOSTILE, check, contents, make_key, named, remove_row, write
from tests.rules import rule

STALE_ACCOUNT = rule("Stale account")


def test_an_intact_folder_verifies_and_is_called_unsigned(sealed):
    found = check(sealed)

    assert found.problems == ()
    assert (found.signature, found.fingerprint) == ("unsigned", None)


def test_a_folder_may_be_moved_and_renamed(sealed, tmp_path):
    sealed.rename(tmp_path / "evidence of 2026")

    assert check(tmp_path / "evidence of 2026").problems == ()


def test_the_manifest_has_the_keys_of_the_contract_and_lists_every_file(sealed):
    document = json.loads((sealed / "manifest.json").read_bytes())

    assert tuple(document) == manifest.KEYS
    assert [row["path"] for row in document["files"]] == sorted(contents(sealed).keys() - {"manifest.json"})
    for row in document["files"]:
        content = (sealed / row["path"]).read_bytes()
        assert (row["bytes"], row["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    rows = {row["path"]: row["rows"] for row in document["files"]}
    assert rows["population.csv"] == 40  # names with line ends in them are still one row each
    assert rows["inputs/reference.snapshot.parquet"] == 1
    assert rows["sql/tables.sql"] is None
    assert document["formula_cells_neutralised"] == 16
    assert document["as_of"] == "2026-11-01T00:00:00.000Z"


def test_the_counts_add_up(sealed):
    counts = json.loads((sealed / "manifest.json").read_bytes())["counts"]

    headline = counts["headline"]
    assert headline["accounts"] == headline["in_scope"] + headline["excluded"] == sum(counts["status"].values())
    assert headline["findings"] == sum(counts["severity"].values()) > 0


def test_the_data_hash_can_be_checked_with_a_shell(sealed):
    shown = subprocess.run(["sh", "-c", manifest.SHELL_CHECK], cwd=sealed, capture_output=True, text=True, check=True)

    assert shown.stdout.split()[0] == json.loads((sealed / "manifest.json").read_bytes())["data_sha256"]


def test_the_data_hash_does_not_depend_on_the_formats(database, tmp_path):
    connection = database()

    with_html = write(connection, tmp_path / "a", "html")
    without = write(connection, tmp_path / "b", "csv")

    assert with_html.seal.data_sha256 == without.seal.data_sha256
    assert with_html.seal.manifest_sha256 != without.seal.manifest_sha256


def test_large_records_are_written_in_small_batches(database, tmp_path):
    connection = database()
    connection.execute(
        """
        insert into raw.users
        select snapshot_id, 'prod', 1, 1, range, true, as_of, '{}'::json from reference.snapshot, range(5000)
        """
    )

    written = write(connection, tmp_path)

    path = str(written.folder / "raw" / "users.parquet")
    sizes = duckdb.execute("select num_rows, num_row_groups from parquet_file_metadata($path)", {"path": path})
    ((rows, groups),) = sizes.fetchall()
    assert rows >= 5000
    assert groups >= 3


def flip(folder: Path) -> str:
    path = folder / "raw" / "users.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    return "raw/users.parquet"


def rename(folder: Path) -> str:
    (folder / "findings.csv").rename(folder / "found.csv")
    return "findings.csv"


def add(folder: Path) -> str:
    (folder / "inputs" / "note.txt").write_text("by hand")
    return "inputs/note.txt"


def delete(folder: Path) -> str:
    (folder / "sql" / "3_findings" / f"{STALE_ACCOUNT}.sql").unlink()
    return f"sql/3_findings/{STALE_ACCOUNT}.sql"


def link(folder: Path) -> str:
    (folder / "rules.csv").rename(folder.parent / "rules.csv")
    (folder / "rules.csv").symlink_to(folder.parent / "rules.csv")
    return "rules.csv"


def block(folder: Path) -> str:
    os.mkfifo(folder / "raw" / "pipe.parquet")  # reading it would wait for ever
    return "raw/pipe.parquet"


def hide(folder: Path) -> str:
    (folder / ".hidden").write_text("x")
    return ".hidden"


@pytest.mark.parametrize("change", [flip, remove_row, rename, add, delete, link, block, hide])
def test_every_change_is_found_and_named(sealed, change: Callable[[Path], str]):
    path = change(sealed)

    assert path in named(check(sealed))


def test_a_renamed_file_is_reported_once(sealed):
    rename(sealed)

    [missing] = [problem for problem in check(sealed).problems if problem.path != "manifest.json"]
    assert missing.what == "is missing; 'found.csv' has its content"


def test_a_removed_row_is_counted(sealed):
    rules = len((sealed / "rules.csv").read_bytes().splitlines()) - 1
    remove_row(sealed)

    said = [problem.what for problem in check(sealed).problems if problem.path == "rules.csv"]
    assert f"has {rules - 1} rows, but the manifest says {rules} rows" in said


def test_a_manifest_with_a_wrong_count_of_rows_is_found(sealed):
    path = sealed / "manifest.json"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"rows": 40', '"rows": 41'), encoding="utf-8")

    assert named(check(sealed)) == {"population.csv", "licences.csv"}  # each has a row for each account


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "is missing"),
        (b"\xff{", "is not JSON"),
        (b"[]", "is not a manifest"),
        (b"{}", "does not have the keys"),
    ],
)
def test_an_unreadable_manifest_is_a_problem_with_a_reason(sealed, content, said):
    (sealed / "manifest.json").unlink()
    if content is not None:
        (sealed / "manifest.json").write_bytes(content)

    [problem] = check(sealed).problems
    assert problem.path == "manifest.json"
    assert said in problem.what


def test_a_manifest_cannot_make_verify_look_outside_the_folder(sealed, tmp_path):
    (tmp_path / "outside.csv").write_text("a\n1\n")
    document = json.loads((sealed / "manifest.json").read_bytes())
    document["files"].append({"path": "../../outside.csv", "bytes": 4, "sha256": "0" * 64, "rows": 1})
    (sealed / "manifest.json").write_text(json.dumps(document))

    [problem] = check(sealed).problems
    assert (problem.path, problem.what) == ("../../outside.csv", "is missing")


def test_a_manifest_of_a_later_version_is_refused(sealed):
    reseal(sealed, schema_version=2)

    with pytest.raises(UsageError, match="schema version 2"):
        check(sealed)


def test_another_version_of_the_tool_is_a_note_and_not_a_problem(sealed):
    reseal(sealed, tool=manifest.tool() | {"duckdb": "1.0.0"})

    found = check(sealed)
    assert found.problems == ()
    assert "duckdb 1.0.0" in found.notes[0]


def test_the_whole_folder_has_the_same_bytes_again(database, tmp_path):
    """Also with one thread and one process."""
    key, _ = make_key(tmp_path / "key")
    connection = database(findings=20, accounts=3000)
    one = write(connection, tmp_path / "a", *report.FORMATS, key=key, cores=2).folder
    connection.execute("set threads = 1")

    other = write(connection, tmp_path / "b", *report.FORMATS, key=key, cores=1).folder

    assert contents(one) == contents(other)


def test_the_pdf_carries_the_csv_files_and_the_data_hash(database, tmp_path):
    result = write(database(names=HOSTILE), tmp_path, "pdf")

    reader = pypdf.PdfReader(result.folder / "access-review-evidence.pdf")
    assert sorted(reader.attachments) == sorted(CSV)
    for name in CSV:
        assert reader.attachments[name] == [(result.folder / name).read_bytes()]
    assert any("access-review verify" in page.extract_text() for page in reader.pages)
    brief = pypdf.PdfReader(result.folder / "access-review.pdf")
    texts = [" ".join(page.extract_text().split()) for page in brief.pages]
    sign_off = next(text for text in texts if "It does not confirm that the access is appropriate" in text)
    assert result.seal.data_sha256 in sign_off.replace(" ", "")


def test_a_table_too_large_to_mail_is_not_attached_but_named(database, tmp_path):
    connection = database(accounts=200)
    folder = write(connection, tmp_path, "csv").folder
    job = DocumentJob(
        folder=folder, data=manifest.sealed_files(connection, folder, CSV), tables=CSV, attached_bytes=5_000
    )

    write_evidence(load(connection), job, tmp_path / "evidence.pdf")

    reader = pypdf.PdfReader(tmp_path / "evidence.pdf")
    assert "population.csv" not in reader.attachments
    assert "rules.csv" in reader.attachments
    texts = [" ".join(page.extract_text().split()) for page in reader.pages]
    assert any("Too large to embed, and only in the folder: " in text for text in texts)


def remember(connection: duckdb.DuckDBPyConnection, snapshot_id: str, manifest_sha256: str, at: int = 0) -> None:
    report = chain.SealedReport(
        snapshot_id=snapshot_id,
        build_id="b",
        data_sha256="d" * 64,
        manifest_sha256=manifest_sha256,
        previous_manifest_sha256=chain.previous(connection, snapshot_id),
        written_at=AS_OF.replace(second=at),
    )
    chain.record(connection, report)


def test_a_report_is_chained_to_the_last_one_of_the_previous_snapshot(database):
    connection = database()
    remember(connection, "20260701T000000Z-0000", "older")
    remember(connection, "20260801T000000Z-0000", "first", 1)
    remember(connection, "20260801T000000Z-0000", "again", 2)

    assert chain.previous(connection, "20260801T000000Z-0000") == "older"
    assert chain.previous(connection, "20260901T000000Z-0000") == "again"
    remember(connection, "20260801T000000Z-0000", "first", 3)
    assert chain.previous(connection, "20260901T000000Z-0000") == "first"


def test_a_link_of_the_chain_is_decided_once(database):
    connection = database()
    remember(connection, "20260801T000000Z-0000", "august")
    remember(connection, "20260901T000000Z-0000", "september")

    remember(connection, "20260801T000000Z-0000", "august, with another format", 1)

    assert chain.previous(connection, "20260901T000000Z-0000") == "august"
    assert chain.previous(connection, "20260801T000000Z-0000") is None


@pytest.mark.parametrize("step", ["population.csv", "raw, sql, inputs", "access-review.pdf", "manifest.json"])
def test_an_interruption_leaves_no_half_folder(database, tmp_path, step):
    def interrupt(name: str) -> None:
        if name == step:
            raise KeyboardInterrupt

    # other processes work while the PDFs are rendered
    options = report.ReportOptions(cores=2 if step == "access-review.pdf" else 1)
    with pytest.raises(KeyboardInterrupt):
        report.write(database(), tmp_path, frozenset({"csv", "pdf"}), interrupt, options)

    assert list(tmp_path.iterdir()) == []


def test_a_build_made_by_different_sql_is_not_sealed(database, tmp_path):
    connection = database()
    connection.execute("update meta.builds set sql_sha256 = repeat('0', 64)")

    with pytest.raises(Exception, match="other SQL") as caught:
        write(connection, tmp_path)

    assert getattr(caught.value, "exit_code", None) == 4
    assert list(tmp_path.iterdir()) == []
