"""The workbook as spreadsheet programs read it and as its reader sorts and filters it."""

from __future__ import annotations

import zipfile
from datetime import date, datetime
from pathlib import Path

import duckdb
import openpyxl
import pytest
from openpyxl.utils.escape import unescape
from python_calamine import CalamineWorkbook

from pipeline.reporting import dataset, view, xlsx
from pipeline.reporting.sheets import ReportSheet, sheets
from pipeline.warehouse.saved import statement
from tests.reporting.conftest import fill
from tests.reporting.sealing import write

HOSTILE = ("=1+1", "+1", "-1", "@SUM(A1)", "http://example.com/", "mailto:a@example.com", "{=1+1}", "0123", "_x0041_")


def workbook(connection: duckdb.DuckDBPyConnection, directory: Path) -> Path:
    return write(connection, directory, "xlsx").folder / "access-review.xlsx"


def sheet(
    connection: duckdb.DuckDBPyConnection, query: str, path: Path, *, prints: str = "true", **options: int
) -> tuple[list, tuple[str, ...]]:
    """Write one query as the sheet ``rows`` and return what is read back, and the warnings."""
    arranged = view.arrange(dataset.load(connection), rows_shown=0, data_sha256="0" * 64)
    numbered = f"select row_number() over () as line, * from ({query} order by 1)"
    listed = ReportSheet("rows", numbered, "rows", "rows.csv", prints=prints)
    warnings = xlsx.write(connection, [listed], arranged, path, **options)
    return CalamineWorkbook.from_path(path).get_sheet_by_name("rows").to_python(), warnings


def rows_of(path: Path, name: str) -> list[dict]:
    header, *rows = CalamineWorkbook.from_path(path).get_sheet_by_name(name).to_python()
    return [dict(zip(header, row, strict=True)) for row in rows]


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        fill(connection, findings=30, accounts=40, statuses=("open", "open", "accepted_risk"))
        yield write(connection, tmp_path_factory.mktemp("book"), "xlsx").folder


def part(path: Path, name: str) -> str:
    with zipfile.ZipFile(path) as archive:
        return archive.read(name).decode()


def test_sheets_are_in_the_order_in_which_people_need_them_and_empty_ones_are_left_out(book):
    names = CalamineWorkbook.from_path(book / "access-review.xlsx").sheet_names

    assert names == ["Summary", "Findings", "Privileged", "Accounts", "Licences", "Rules", "Checks"]
    summary = CalamineWorkbook.from_path(book / "access-review.xlsx").get_sheet_by_name("Summary").to_python()
    assert ["Changes: none", 0.0, "what changed since the baseline"] in summary
    assert ["Trend: none", 0.0, "this report and earlier ones, the newest first"] in summary  # it is the first report
    assert ["Findings", 30.0, "every finding, open ones first"] in summary  # excused ones too
    assert "read 31 Oct 2026" in summary[1][0]  # and evaluated as of another day
    assert "evaluated as of 1 Nov 2026" in summary[1][0]


@pytest.mark.parametrize(
    ("name", "file", "heading", "column"),
    [
        ("Findings", "findings.csv", "Finding id", "finding_id"),
        ("Accounts", "population.csv", "Account id", "account_id"),
        ("Licences", "licences.csv", "Account id", "account_id"),
        ("Rules", "rules.csv", "Rule id", "rule_id"),
        ("Checks", "reconciliation.csv", "Check id", "check_id"),
    ],
)
def test_a_sheet_has_each_row_of_its_csv_file_once(book, name, file, heading, column):
    listed = [row[heading] for row in rows_of(book / "access-review.xlsx", name)]

    csv = duckdb.read_csv(str(book / file), all_varchar=True).project(column).fetchall()
    assert sorted(listed) == sorted(value for (value,) in csv)


def test_every_query_of_a_sheet_keeps_its_rows(database):
    """A join that loses or repeats rows would make the workbook say something else than the CSV files."""
    connection = database(findings=30, accounts=40, changes=12)
    tables = {
        "Findings": "findings", "Privileged": "privileged_accounts", "Accounts": "population", "Access": "access",
        "People": "person_access", "Objects": "reach", "Licences": "licences", "Changes": "changes",
        "Rules": "rule_summary", "Checks": "reconciliation",
    }  # fmt: skip

    for each in sheets():
        if each.name == "Trend":  # which has a row for each report
            continue
        [(lines, last)] = connection.execute(f"select count(*), max(line) from ({each.query})").fetchall()
        [(rows,)] = connection.execute(f"select count(*) from reports.{tables[each.name]}").fetchall()
        assert (lines, last or 0) == (rows, rows), each.name


def test_findings_begin_with_what_to_do_first(book):
    rows = rows_of(book / "access-review.xlsx", "Findings")

    severities = ["critical", "high", "medium", "low", "info"]
    order = [(row["Status"] not in {"open", "overdue"}, severities.index(row["Severity"])) for row in rows]
    assert order == sorted(order)
    assert list(rows[0])[:9] == [
        "Severity", "Finding", "Name", "Department", "What was found", "What to do", "Owner", "Due", "Status",
    ]  # fmt: skip


def test_the_trend_adds_up_to_what_its_csv_file_has(database, tmp_path):
    written = write(database(findings=30, changes=9), tmp_path, "xlsx").folder
    (row, *_) = rows = rows_of(written / "access-review.xlsx", "Trend")

    csv = duckdb.read_csv(str(written / "trend.csv"))
    sums = csv.aggregate("snapshot_id, sum(open), sum(new), sum(resolved), sum(reopened)", "snapshot_id")
    assert {
        (row["Snapshot id"], row["Open findings"], *(row[name] or None for name in ("New", "Resolved", "Reopened")))
        for row in rows
    } == {(key, float(total), *(part and float(part) for part in parts)) for key, total, *parts in sums.fetchall()}
    assert [row["As of"] for row in rows] == sorted((row["As of"] for row in rows), reverse=True)
    assert row["Open findings"] == row["Critical"] + row["High"] + row["Medium"] + row["Low"] + row["Info"]
    assert row["Info"] == 1


def test_changes_of_privilege_are_in_words(database, tmp_path):
    connection = database(findings=3, changes=2)
    connection.execute("update reports.changes set field = 'privileged', old_value = 'false', new_value = 'true'")

    for query in (statement("reporting", "sheet_changes"), statement("reporting", "changes")):
        rows = connection.execute(query, {"rows": 9} if "$rows" in query else {}).fetchall()
        assert all("not privileged" in row and "privileged" in row and "false" not in row for row in rows)
        assert len(rows) == 2


def test_ids_come_last(book):
    for name in CalamineWorkbook.from_path(book / "access-review.xlsx").sheet_names[1:]:
        headings = list(rows_of(book / "access-review.xlsx", name)[0])
        is_id = [heading.endswith((" id", " Id")) or heading.startswith("SHA") for heading in headings]
        assert is_id == sorted(is_id), name


def test_sheets_print_on_landscape_pages_with_their_headings_and_without_ids(book):
    path = book / "access-review.xlsx"
    printed = openpyxl.load_workbook(path)

    for worksheet in printed.worksheets:
        assert worksheet.page_setup.orientation == "landscape"
        assert worksheet.sheet_properties.pageSetUpPr.fitToPage
        if worksheet.title != "Summary":
            assert worksheet.print_title_rows == "$1:$1"
            last = worksheet.print_area.rpartition("$")[0].rpartition("$")[2]
            assert not str(worksheet[f"{last}1"].value).endswith(" id")


def test_a_row_is_as_high_as_its_longest_text_needs(database, tmp_path):
    texts = "(1, 'short'), (2, repeat('word ', 40)), (3, 'two' || chr(10) || 'lines')"
    query = f"select * from (values {texts}) as v(n, text)"
    sheet(database(), query, tmp_path / "x.xlsx")

    heights = openpyxl.load_workbook(tmp_path / "x.xlsx")["rows"].row_dimensions
    assert heights[2].height is None
    assert heights[3].height >= 5 * 13
    assert heights[4].height >= 2 * 13


def test_values_keep_their_types(database, tmp_path):
    query = (
        "select 'text' as a, 7::bigint as b, timestamp '2026-11-01 12:30:00' as c, true as d, null::varchar as e,"
        " 0.5::double as f, -3 as g, date '2026-11-28' as h"
    )

    [_, row], warnings = sheet(database(), query, tmp_path / "x.xlsx")

    assert row == [
        "text", 7.0, datetime.fromisoformat("2026-11-01 12:30:00"), True, "", 0.5, -3.0, date(2026, 11, 28),
    ]  # fmt: skip
    assert warnings == ()


def test_values_that_a_spreadsheet_cannot_hold_exactly_are_text(database, tmp_path):
    query = "select 1234567890123456789 as a, timestamp '1815-12-10' as b, date '1815-12-10' as c, 'nan'::double as d"

    [_, row], _ = sheet(database(), query, tmp_path / "x.xlsx")

    assert row == ["1234567890123456789", "1815-12-10T00:00:00", "1815-12-10", "nan"]


def test_text_is_never_a_formula_a_link_or_a_number(database, tmp_path):
    path = workbook(database(accounts=20, findings=20, names=HOSTILE, organization="=1+1"), tmp_path)

    book = CalamineWorkbook.from_path(path)
    header, *rows = book.get_sheet_by_name("Accounts").to_python()
    assert {row[header.index("Name")] for row in rows} == set(HOSTILE)
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
    texts = "('a', repeat('x', 32768)), ('b', repeat('😀', 16384)), ('c', repeat('y', 32767))"
    query = f"select * from (values {texts}) as v(a, b)"

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


def test_every_character_is_shown_or_replaced_as_elsewhere_in_the_report(database, tmp_path):
    """The database writes cells and Python the summary: both must show the same."""
    codes = [*range(1, 0x300), *range(0x2000, 0x2100), *range(0xFFF0, 0x10010), 0x1F600, 0xE0001, 0x10FFFF]
    texts = [f"a{chr(code)}b" for code in codes] + [
        " spaces ",
        "_x0041_",
        "a & <b> &amp;",
        "tab\tend\t",
        "\nline\r\n",
    ]
    connection = database()
    connection.execute("create temp table texts (line bigint, text varchar)")
    connection.executemany("insert into texts values (?, ?)", [[line, text] for line, text in enumerate(texts, 1)])

    arranged = view.arrange(dataset.load(connection), rows_shown=0, data_sha256="0" * 64)
    xlsx.write(connection, [ReportSheet("rows", "from texts", "texts", "texts.csv")], arranged, tmp_path / "x.xlsx")

    cells = openpyxl.load_workbook(tmp_path / "x.xlsx")["rows"]
    shown = [unescape(cell.value) for (cell,) in cells.iter_rows(min_row=2)]
    assert shown == [xlsx.readable(text)[0] for text in texts]


def test_headings_and_names_stay_in_sight_and_filter(book):
    findings = openpyxl.load_workbook(book / "access-review.xlsx")["Findings"]

    assert findings.freeze_panes == "D2"
    assert findings.auto_filter.ref == f"A1:T{findings.max_row}"


def test_severities_are_coloured_by_their_word(book):
    findings = part(book / "access-review.xlsx", "xl/worksheets/sheet2.xml")

    assert '<conditionalFormatting sqref="A2:A31">' in findings
    for severity in ("critical", "high", "medium", "low", "info"):
        assert (
            f"<formula>&quot;{severity}&quot;</formula>" in findings or f'<formula>"{severity}"</formula>' in findings
        )


def test_the_summary_says_what_the_report_says(database, tmp_path):
    connection = database(findings=12, accounts=2000, completeness="PARTIAL", reason="the server counts 12 more")

    rows = CalamineWorkbook.from_path(workbook(connection, tmp_path)).get_sheet_by_name("Summary").to_python()

    said = [" ".join(str(cell) for cell in row if cell != "") for row in rows]
    assert said[0] == "Access review of Example Corp"
    assert "NOT COMPLETE: the population is not proven complete: the server counts 12 more." in said
    assert "accounts 2000.0 = 1,960 in scope + 40 out of scope with approval" in said
    assert any(line.startswith("◆ critical: Leaver still active 1.0 Deactivate") for line in said)
    assert "Accounts 2000.0 every account, the most severe findings first" in said


def test_its_date_is_the_snapshots(database, tmp_path):
    core = part(workbook(database(), tmp_path), "docProps/core.xml")

    assert core.count("2026-10-31T23:59:53Z") == 2


def test_a_long_sheet_prints_the_rows_that_need_a_decision_and_says_so(database, tmp_path):
    query = "select range as a from range(10)"
    sheet(database(), query, tmp_path / "x.xlsx", prints="a < 3")

    printed = openpyxl.load_workbook(tmp_path / "x.xlsx")
    assert printed["rows"].print_area.endswith("$4")  # with the headings
    assert "the first 3 of 10 rows" in printed["rows"].oddFooter.left.text
    summary = CalamineWorkbook.from_path(tmp_path / "x.xlsx").get_sheet_by_name("Summary").to_python()
    assert any(str(row[2]).endswith("; prints the first 3") for row in summary)
