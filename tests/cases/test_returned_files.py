"""Returned packets: every sheet with their columns is read, within limits and without guessing."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import openpyxl
import pytest

from pipeline.errors import UsageError
from pipeline.review.returned import AmbiguousDateError, read, to_date
from tests.cases.case import Case, each

HEADER = ["item_id", "decision", "expires_on", "reason"]
ROW = ["0042", "keep", None, "needed"]


def workbook(fill: Callable[[openpyxl.Workbook], object]) -> bytes:
    book = openpyxl.Workbook()
    book.active.title = "Decisions"
    book.active.append(HEADER)
    book.active.append(ROW)
    fill(book)
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()


def changed(content: bytes, name: str, old: bytes, new: bytes) -> bytes:
    """Return a workbook with a text in one of its files replaced, as another program might write it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as after:
        for member in before.namelist():
            text = before.read(member)
            assert member != name or old in text
            after.writestr(member, text.replace(old, new) if member == name else text)
    return packed.getvalue()


def far_cell(reference: str) -> Callable[[openpyxl.Workbook], object]:
    return lambda book: book.active.__setitem__(reference, "x")


def on_another_sheet(book: openpyxl.Workbook) -> None:
    book.create_sheet("Notes")["XFD1048576"] = "x"


def open_document(rows: str, manifest: str = "") -> bytes:
    packed = io.BytesIO()
    namespaces = "".join(
        f' xmlns:{each}="urn:oasis:names:tc:opendocument:xmlns:{each}:1.0"' for each in ("office", "table", "text")
    )
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", f"<manifest>{manifest}</manifest>")
        archive.writestr(
            "content.xml",
            f"<office:document-content{namespaces}><office:body><office:spreadsheet>"
            f'<table:table table:name="Decisions">{rows}</table:table>'
            "</office:spreadsheet></office:body></office:document-content>",
        )
    return packed.getvalue()


def document_row(*cells: str, repeated: str = "") -> str:
    inner = "".join(
        f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>' for cell in cells
    )
    return f"<table:table-row {repeated}>{inner}</table:table-row>"


DOCUMENT = document_row("item_id", "decision") + document_row("0042", "keep")
PADDING = (
    '<table:table-row table:number-rows-repeated="1048574">'
    '<table:table-cell table:number-columns-repeated="16384"/></table:table-row>'
)
FAR = "is too large to read"


@each(
    [
        Case(
            "bounds",
            "a cell at the end of the sheet",
            f"'Decisions' goes as far as XFD1048576, which {FAR}",
            workbook(far_cell("XFD1048576")),
        ),
        Case(
            "bounds",
            "a cell in the last row",
            f"'Decisions' goes as far as D1048576, which {FAR}".replace("D1048576", "F1048576"),
            workbook(far_cell("F1048576")),
        ),
        Case(
            "bounds",
            "a far cell on a sheet beside the table",
            f"'Notes' goes as far as XFD1048576, which {FAR}",
            workbook(on_another_sheet),
        ),
        Case(
            "bounds",
            "a far cell that says nothing of where it is",
            FAR,
            changed(
                workbook(lambda _: None),
                "xl/worksheets/sheet1.xml",
                b"</sheetData>",
                b'<row r="1048576">' + b"<c/>" * 20 + b"<c><v>1</v></c></row></sheetData>",
            ),
        ),
        Case(
            "bounds",
            "a cell that lies about its row",
            FAR,
            changed(
                workbook(lambda _: None),
                "xl/worksheets/sheet1.xml",
                b"</sheetData>",
                b'<row r="3"><c r="F1048576"><v>1</v></c></row></sheetData>',
            ),
        ),
        Case(
            "bounds",
            "a far cell of an OpenDocument",
            FAR,
            open_document(DOCUMENT + PADDING + document_row("x", "x", "x", "x", "x")),
        ),
        Case(
            "bounds",
            "a row of an OpenDocument repeated a million times",
            FAR,
            open_document(DOCUMENT + document_row(*"abcdef", repeated='table:number-rows-repeated="1000000"')),
        ),
        Case(
            "kind",
            ".xlsb",
            "binary workbook (.xlsb)",
            changed(workbook(lambda _: None), "xl/workbook.xml", b"", b"").replace(
                b"xl/workbook.xml", b"xl/workbook.bin"
            ),
        ),
        Case(
            "kind",
            "protected with a password",
            "protected with a password",
            b"\xd0\xcf\x11\xe0" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"),
        ),
        Case(
            "kind",
            "an OpenDocument protected with a password",
            "protected with a password",
            open_document(DOCUMENT, "<encryption-data/>"),
        ),
        Case(
            "kind",
            "an archive of something else",
            "this is an archive, not a workbook",
            changed(open_document(DOCUMENT), "mimetype", b"", b"").replace(b"content.xml", b"kontent.xml"),
        ),
        Case("damage", "cut off in the middle", "the workbook is damaged", workbook(lambda _: None)[:2000]),
        Case(
            "damage", "an old workbook that is none", "the workbook cannot be read", b"\xd0\xcf\x11\xe0 no workbook"
        ),
    ]
)
def test_an_unsafe_workbook_is_refused(case: Case, tmp_path: Path) -> None:
    path = tmp_path / "returned.xlsx"
    path.write_bytes(case.content)

    tracemalloc.start()
    with pytest.raises(UsageError) as caught:
        read(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert case.outcome in caught.value.message
    assert caught.value.where == str(path)
    assert caught.value.exit_code == 2
    assert peak < 20_000_000


def with_empty_cells(book: openpyxl.Workbook) -> None:
    """Format a cell at the end of the sheet, and leave it empty."""
    book.active["XFD1048576"].number_format = "0.00"


def with_notes(book: openpyxl.Workbook) -> None:
    book.create_sheet("Read me")["A1"] = "Decide on every row"
    book.create_sheet("My notes")["A1"] = "ask Bo"
    book.create_sheet("Empty")


def with_two_tables(book: openpyxl.Workbook) -> None:
    sheet = book.create_sheet("Second half")
    sheet.append(["Access review"])
    sheet.append(["Decision", "x", "Item ID"])
    sheet.append(["remove", None, "0043"])


@each(
    [
        Case("sheets", "a format far out", "the table is read", (workbook(with_empty_cells), ["B2"], [])),
        Case(
            "sheets",
            "a sheet of notes",
            "is said to be left out",
            (
                workbook(with_notes),
                ["B2"],
                ["returned.xlsx: sheet 'My notes' is not read: it has no columns item_id and decision"],
            ),
        ),
        Case(
            "sheets",
            "two tables",
            "both are read, and cells say on which sheet",
            (workbook(with_two_tables), ["Decisions!B2", "Second half!A3"], []),
        ),
        Case(
            "sheets",
            "an OpenDocument padded to its end",
            "the table is read",
            (open_document(DOCUMENT + PADDING), ["B2"], []),
        ),
        Case(
            "sheets",
            "a name in another spelling of the markup",
            "the table is read",
            (
                changed(
                    workbook(lambda _: None),
                    "xl/_rels/workbook.xml.rels",
                    b'Target="/xl/worksheets',
                    b'Target="worksheets',
                ),
                ["B2"],
                [],
            ),
        ),
    ]
)
@pytest.mark.parametrize("name", ["returned.xlsx", "returned.csv"])
def test_every_sheet_with_the_packets_columns_is_read(case: Case, name: str, tmp_path: Path) -> None:
    content, places, expected = case.content
    (tmp_path / name).write_bytes(content)
    notes: list[str] = []

    rows = read(tmp_path / name, notes.append)

    assert [row.place("decision") for row in rows] == places
    assert [row.text("item_id") for row in rows] == ["0042", "0043"][: len(places)]
    assert notes == [note.replace("returned.xlsx", name) for note in expected]


def doubled(book: openpyxl.Workbook) -> None:
    book.active["F1"] = " DECISION "


@each(
    [
        Case(
            "repeated column",
            "CSV",
            "there are two columns 'decision': column B and column C",
            b"item_id,decision,decision\n1,keep,remove\n",
        ),
        Case(
            "repeated column",
            "item_id with a blank for the underscore",
            "two columns 'item_id': column A and column C",
            b"item_id,decision,Item ID\n1,keep,2\n",
        ),
        Case(
            "repeated column",
            "a reason",
            "two columns 'reason': column C and column D",
            b"item_id;decision;reason;Reason\n1;keep;a;b\n",
        ),
        Case(
            "repeated column",
            "of a workbook",
            "sheet 'Decisions': there are two columns 'decision': column B and column F",
            workbook(doubled),
        ),
        Case(
            "cell too many",
            "a comma without quotes",
            "line 3 has 5 cells, the header has 4",
            b"item_id,decision,reason,approver\n1,keep,,\n2,keep,left, sadly,\n",
        ),
        Case(
            "quotes", "one left open", "line 2 is not CSV", b'item_id,decision,reason\n1,keep,"as before\n2,remove,\n'
        ),
        Case("encoding", "of no kind", "neither UTF-8 nor Windows-1252", b"item_id,decision\n1,\x81\n"),
    ]
)
def test_an_ambiguous_packet_is_refused(case: Case, tmp_path: Path) -> None:
    path = tmp_path / "returned.csv"
    path.write_bytes(case.content)

    with pytest.raises(UsageError) as caught:
        read(path)

    assert case.outcome in caught.value.message


@each(
    [
        Case("separator", "sep=; in front", "1 row", "sep=;\r\nitem_id;decision\r\n1;keep\r\n"),
        Case(
            "separator",
            "a title with commas above semicolons",
            "1 row",
            "Access, review, Q4\r\nitem_id;decision\r\n1;keep\r\n",
        ),
        Case("blank rows", "of separators", "1 row", "item_id,decision\r\n,\r\n1,keep\r\n,\r\n"),
        Case("short rows", "cells left off", "1 row", "item_id,decision,reason\n1,keep\n"),
        Case("notes", "beside the table, under no heading", "1 row", "item_id,decision,\n1,keep,ask Bo\n"),
    ]
)
def test_a_csv_packet_is_read_in_every_dialect(case: Case, tmp_path: Path) -> None:
    (tmp_path / "returned.csv").write_text(case.content, newline="")

    [row] = read(tmp_path / "returned.csv")

    assert (row.text("item_id"), row.text("decision")) == ("1", "keep")


@each(
    [
        Case("day", "two readings, and another line settles it", "2026-04-03", ["03/04/2026", "31/12/2026"]),
        Case("day", "month first, as another line shows", "2026-03-04", ["03/04/2026", "12/31/2026"]),
        Case(
            "day", "two readings in the whole file", "could be 2026-04-03 or 2026-03-04", ["03/04/2026", "05/06/2026"]
        ),
        Case("no day", "zeros", "None", ["0000-00-00"]),
    ]
)
def test_dates_of_a_packet(case: Case, tmp_path: Path) -> None:
    lines = "".join(f"{number},exception,{day}\n" for number, day in enumerate(case.content))
    (tmp_path / "returned.csv").write_text("item_id,decision,expires_on\n" + lines)

    cell = read(tmp_path / "returned.csv")[0].cells["expires_on"]

    if case.outcome.startswith("could"):
        with pytest.raises(AmbiguousDateError, match=case.outcome):
            to_date(cell)
    else:
        day = None if case.outcome == "None" else date.fromisoformat(case.outcome)
        assert to_date(cell) == day


LOST = [
    Case("lost value", "a formula whose result was not stored", "(a formula without its result)", '=IF(1,"keep")'),
    Case("lost value", "an error", "(an error)", "#N/A"),
]


@each(LOST)
def test_a_cell_that_lost_its_value_is_not_read_as_empty(case: Case, tmp_path: Path) -> None:
    path = tmp_path / "packet.xlsx"
    path.write_bytes(workbook(lambda book: book.active.append(["0043", case.content, None, "because"])))

    kept, lost = read(path)

    assert kept.text("decision") == "keep"
    assert (lost.text("decision"), lost.place("decision")) == (case.outcome, "B3")
