"""The workbook as spreadsheet programs read it and as its reader sorts and filters it."""

from __future__ import annotations

import zipfile
from datetime import datetime
from pathlib import Path

import duckdb
from python_calamine import CalamineWorkbook

from pipeline.reporting import dataset, report, view, xlsx

HOSTILE = ("=1+1", "+1", "-1", "@SUM(A1)", "http://example.com/", "mailto:a@example.com", "{=1+1}", "0123", "_x0041_")


def workbook(connection: duckdb.DuckDBPyConnection, directory: Path) -> Path:
    return report.write(connection, directory, frozenset({"xlsx"}), lambda _: None).folder / "access-review.xlsx"


def sheet(
    connection: duckdb.DuckDBPyConnection, query: str, path: Path, **options: int
) -> tuple[list, tuple[str, ...]]:
    """Write one query as the sheet ``rows`` and return what is read back, and the warnings."""
    arranged = view.arrange(dataset.load(connection), rows_shown=0, data_sha256="0" * 64)
    warnings = xlsx.write(connection, {"rows": (query, "1")}, arranged, path, **options)
    return CalamineWorkbook.from_path(path).get_sheet_by_name("rows").to_python(), warnings


def part(path: Path, name: str) -> str:
    with zipfile.ZipFile(path) as archive:
        return archive.read(name).decode()


def test_there_is_a_summary_and_a_sheet_for_every_csv_file(database, tmp_path):
    written = report.write(database(), tmp_path, frozenset({"csv", "xlsx"}), lambda _: None)

    called = {"reach": "object_grants"}
    tables = [called.get(file.stem, file.stem) for file in written.files if file.suffix == ".csv"]
    names = CalamineWorkbook.from_path(written.folder / "access-review.xlsx").sheet_names
    assert names == ["summary", *tables]


def test_the_sheets_hold_the_rows_of_the_csv_files_in_their_order(database, tmp_path):
    written = report.write(database(findings=30, accounts=40), tmp_path, frozenset({"csv", "xlsx"}), lambda _: None)

    book = CalamineWorkbook.from_path(written.folder / "access-review.xlsx")
    for name, key in (("population", "account_id"), ("findings", "finding_id"), ("rules", "rule_id")):
        header, *rows = book.get_sheet_by_name(name).to_python()
        csv = duckdb.read_csv(str(written.folder / f"{name}.csv"), all_varchar=True)
        assert header == csv.columns
        assert [(row[header.index(key)],) for row in rows] == csv.project(key).fetchall()


def test_values_keep_their_types(database, tmp_path):
    query = (
        "select 'text' as a, 7::bigint as b, timestamp '2026-11-01 12:30:00' as c, true as d, null::varchar as e,"
        " 0.5::double as f, -3 as g"
    )

    [_, row], warnings = sheet(database(), query, tmp_path / "x.xlsx")

    assert row == ["text", 7.0, datetime.fromisoformat("2026-11-01 12:30:00"), True, "", 0.5, -3.0]
    assert warnings == ()


def test_values_that_a_spreadsheet_cannot_hold_exactly_are_text(database, tmp_path):
    query = "select 1234567890123456789 as a, timestamp '1815-12-10' as b"

    [_, row], _ = sheet(database(), query, tmp_path / "x.xlsx")

    assert row == ["1234567890123456789", "1815-12-10T00:00:00"]


def test_text_is_never_a_formula_a_link_or_a_number(database, tmp_path):
    path = workbook(database(accounts=20, findings=20, names=HOSTILE, organization="=1+1"), tmp_path)

    book = CalamineWorkbook.from_path(path)
    header, *rows = book.get_sheet_by_name("population").to_python()
    assert {row[header.index("display_name")] for row in rows} == set(HOSTILE)
    with zipfile.ZipFile(path) as archive:
        sheets = [name for name in archive.namelist() if name.startswith("xl/worksheets/sheet")]
        relations = [name for name in archive.namelist() if "worksheets/_rels" in name]
    assert len(sheets) == len(book.sheet_names)
    assert not any("<f>" in part(path, name) for name in sheets)
    assert relations == []


def test_a_text_that_looks_like_a_formula_stays_one_when_it_is_edited(database, tmp_path):
    sheet(database(), "select * from (values ('=1+1'), ('plain')) as v(a)", tmp_path / "x.xlsx")

    rows = part(tmp_path / "x.xlsx", "xl/worksheets/sheet2.xml")
    styles = part(tmp_path / "x.xlsx", "xl/styles.xml").split("<cellXfs")[1].split("</cellXfs>")[0].split("<xf ")[1:]

    def style_of(cell: str) -> str:
        return styles[int(rows.split(f'<c r="{cell}" s="')[1].split('"')[0])]

    assert 'quotePrefix="1"' in style_of("A2")
    assert 'quotePrefix="1"' not in style_of("A3")


def test_a_text_longer_than_a_cell_is_cut_marked_and_warned_of(database, tmp_path):
    # One code point more than fits, and one that is two units in a cell.
    query = (
        "select * from (values ('a', repeat('x', 32768)), ('b', repeat('😀', 16384)), ('c', repeat('y', 32767))) v"
    )

    [_, *rows], warnings = sheet(database(), query, tmp_path / "x.xlsx")

    lengths = [len(row[1].encode("utf-16-le")) // 2 for row in rows]
    assert all(length <= 32767 for length in lengths)
    assert [row[1].endswith("… [cut]") for row in rows] == [True, True, False]
    assert warnings == (
        "access-review.xlsx, sheet rows: 2 texts are longer than a cell can hold and end with '… [cut]';"
        " rows.csv has the full text",
    )


def test_rows_that_do_not_fit_are_counted_in_the_sheet_and_in_a_warning(database, tmp_path):
    [_, *rows], warnings = sheet(database(), "select range as a from range(10)", tmp_path / "x.xlsx", rows_held=5)

    said = "6 more rows do not fit on a sheet; rows.csv has all rows"
    assert rows == [[0.0], [1.0], [2.0], [3.0], [said]]
    assert warnings == (f"access-review.xlsx, sheet rows: {said}",)


def test_rows_that_just_fit_all_do(database, tmp_path):
    [_, *rows], warnings = sheet(database(), "select range as a from range(5)", tmp_path / "x.xlsx", rows_held=5)

    assert len(rows) == 5
    assert warnings == ()


def test_characters_that_no_sheet_may_hold_can_be_seen(database, tmp_path):
    query = "select 'bell' || chr(7) || ' turned' || chr(8238) || ' none' || chr(65535) as a"

    [_, row], _ = sheet(database(), query, tmp_path / "x.xlsx")

    assert row == ["bell\ufffd turned\ufffd none\ufffd"]


def test_the_heading_stays_in_sight_and_filters(database, tmp_path):
    path = workbook(database(accounts=40), tmp_path)

    population = part(path, "xl/worksheets/sheet2.xml")
    assert '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>' in population
    assert '<autoFilter ref="A1:AL41"/>' in population


def test_severities_are_coloured_by_their_word(database, tmp_path):
    path = workbook(database(findings=12), tmp_path)

    sheets = CalamineWorkbook.from_path(path).sheet_names
    findings = part(path, f"xl/worksheets/sheet{sheets.index('findings') + 1}.xml")
    assert '<conditionalFormatting sqref="C2:C13">' in findings
    for severity in ("critical", "high", "medium", "low", "info"):
        assert (
            f"<formula>&quot;{severity}&quot;</formula>" in findings or f'<formula>"{severity}"</formula>' in findings
        )


def test_the_summary_says_what_the_report_says(database, tmp_path):
    connection = database(findings=12, accounts=2000, completeness="PARTIAL", reason="the server counts 12 more")

    rows = CalamineWorkbook.from_path(workbook(connection, tmp_path)).get_sheet_by_name("summary").to_python()

    said = [" ".join(str(cell) for cell in row if cell != "") for row in rows]
    assert said[0] == "Access review of Example Corp"
    assert "NOT COMPLETE: the population is not proven complete: the server counts 12 more." in said
    assert "accounts 2000.0 = 1,960 in scope + 40 excluded with approval" in said
    assert any(line.startswith("◆ critical: Leaver still active 1.0 Deactivate") for line in said)
    assert "population 2000.0" in said


def test_its_date_is_the_snapshots(database, tmp_path):
    core = part(workbook(database(), tmp_path), "docProps/core.xml")

    assert core.count("2026-10-31T23:59:53Z") == 2
