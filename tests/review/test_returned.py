"""Returned packets in the forms that people send back, read without guessing."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest

from pipeline.errors import UsageError
from pipeline.review.returned import AmbiguousDateError, Cell, read, to_date


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("item_id,decision\r\n1,keep\r\n", "utf-8"),
        ("item_id,decision\n1,keep\n", "utf-8-sig"),
        ("Decision;ITEM ID;Grund\r\nkeep;1;Überprüft\r\n", "cp1252"),
        ("item-id\tdecision\n1\tkeep\n", "utf-16"),
        ("Zugriffe im Herbst;;\n;;\nItem Id;Decision;x\n1;keep;\n;;\n", "utf-8"),
    ],
)
def test_csv_is_read_in_every_common_dialect(tmp_path: Path, text: str, encoding: str) -> None:
    path = tmp_path / "returned.csv"
    path.write_bytes(text.encode(encoding))

    [row] = read(path)

    assert (row.text("item_id"), row.text("decision")) == ("1", "keep")


def test_a_cell_knows_its_place_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "returned.csv"
    path.write_text("a,item_id,decision\n,1,keep\n\n,2, keep \n", encoding="utf-8")

    rows = read(path)

    assert [(row.number, row.place("decision"), row.text("decision")) for row in rows] == [
        (2, "C2", "keep"),
        (4, "C4", "keep"),
    ]
    assert rows[0].place("reason") == "row 2"


def test_the_table_of_a_workbook_is_found_on_any_sheet(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active["A1"] = "Read me"
    sheet = book.create_sheet("Decisions")
    for values in (["item_id", "decision", "expires_on"], ["0042", "keep", datetime(2026, 12, 31)]):  # noqa: DTZ001
        sheet.append(values)
    book.save(tmp_path / "returned.xlsx")

    [row] = read(tmp_path / "returned.xlsx")

    assert row.text("item_id") == "0042"
    assert to_date(row.cells["expires_on"]) == date(2026, 12, 31)


@pytest.mark.parametrize("content", [b"PK\x03\x04 no archive", b"", b"who,what\nann,keep\n"])
def test_a_file_that_is_not_a_packet_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / ("returned.xlsx" if content[:2] == b"PK" else "returned.csv")
    path.write_bytes(content)

    with pytest.raises(UsageError):
        read(path)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-12-31", date(2026, 12, 31)),
        ("2026-12-31T00:00:00", date(2026, 12, 31)),
        ("31.12.2026", date(2026, 12, 31)),
        ("3.4.2026", date(2026, 4, 3)),
        ("31/12/2026", date(2026, 12, 31)),
        ("12/31/2026", date(2026, 12, 31)),
        ("5/5/2026", date(2026, 5, 5)),
        ("", None),
    ],
)
def test_an_unambiguous_date_is_read(text: str, day: date | None) -> None:
    assert to_date(Cell(text, "A1")) == day


@pytest.mark.parametrize("text", ["03/04/2026", "31.13.2026", "2026-02-30", "tomorrow", "31/12/26"])
def test_an_ambiguous_or_invalid_date_is_refused(text: str) -> None:
    with pytest.raises(AmbiguousDateError):
        to_date(Cell(text, "A1"))


@pytest.mark.parametrize(("value", "text"), [("'=1+1", "=1+1"), ("'quoted'", "'quoted'"), (7.0, "7"), (None, "")])
def test_the_text_of_a_cell(value: object, text: str) -> None:
    assert Cell(value, "A1").text == text
