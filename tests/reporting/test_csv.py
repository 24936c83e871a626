"""What scripts and spreadsheets rely on in our CSV files."""

from __future__ import annotations

import csv as standard
import io
from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest

from pipeline.errors import RenderError
from pipeline.reporting import csv

_TYPES = {
    "text": "varchar",
    "number": "bigint",
    "share": "double",
    "flag": "boolean",
    "at": "timestamp",
    "on": "date",
}


@pytest.fixture
def rows(tmp_path: Path):
    connection = duckdb.connect()
    connection.execute("create table cells (n integer, " + ", ".join(f'"{k}" {v}' for k, v in _TYPES.items()) + ")")

    def write(*values: tuple) -> tuple[bytes, int]:
        for n, value in enumerate(values):
            connection.execute(f"insert into cells values ({', '.join('?' * 7)})", (n, *value))
        path = tmp_path / "it's cells.csv"
        count = csv.write(connection, "select * exclude (n) from (select * from cells)", path, order_by='"number"')
        return path.read_bytes(), count

    yield write
    connection.close()


def test_bytes_are_exactly_those_of_the_contract(rows):
    content, neutralised = rows(
        ("plain é 李", 1, 0.15, True, datetime.fromisoformat("2026-03-01T10:11:12.100999"), date(2026, 3, 1)),
        ('say "hi", twice', -2, -1.5, False, datetime.fromisoformat("2026-03-01"), None),
        ("two\nlines", 3, None, None, None, None),
        ("", 4, None, None, None, None),
        (None, 5, None, None, None, None),
    )

    assert content.decode() == (
        "text,number,share,flag,at,on\n"
        '"say ""hi"", twice",-2,-1.5,false,2026-03-01T00:00:00.000Z,\n'
        "plain é 李,1,0.15,true,2026-03-01T10:11:12.100Z,2026-03-01\n"
        '"two\nlines",3,,,,\n'
        '"",4,,,,\n'
        ",5,,,,\n"
    )
    assert neutralised == 0


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_formula_is_shown_and_counted_instead_of_run(rows, start):
    content, neutralised = rows((f"{start}cmd|'/c calc'!A0", 1, None, None, None, None))

    cells = list(standard.reader(io.StringIO(content.decode(), newline="")))
    assert cells[1][0] == f"'{start}cmd|'/c calc'!A0"
    assert neutralised == 1


@pytest.mark.parametrize("text", ["a=b", " =1", "'=1", "５", "–5", "A; B; C", "a; =1", "a,=1", "a\tb", "a\nb"])
def test_text_that_no_spreadsheet_runs_is_unchanged(rows, text):
    content, neutralised = rows((text, 1, None, None, None, None))

    cells = list(standard.reader(io.StringIO(content.decode(), newline="")))
    assert cells[1][0] == text
    assert neutralised == 0


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Bob;=1+1;", "Bob;'=1+1;"),
        ("Bob;=1;x;+2", "Bob;'=1;x;'+2"),
        ("Bob\t@SUM(1)", "Bob\t'@SUM(1)"),
        ("Bob\n=1", "Bob\n'=1"),
        ("Bob\r\n-1", "Bob\r\n'-1"),
        ('Bob;"=1', "Bob;'\"=1"),
        ('Bob;""""=1', 'Bob;\'""""=1'),
        ("=1;=2", "'=1;'=2"),
        ("\t=1", "'\t'=1"),
    ],
)
def test_a_formula_after_a_separator_is_neutralised_and_counted_once(rows, text, shown):
    content, neutralised = rows((text, 1, None, None, None, None), ("plain", 2, None, None, None, None))

    cells = list(standard.reader(io.StringIO(content.decode(), newline="")))
    assert cells[1][0] == shown
    assert neutralised == 1


@pytest.mark.parametrize("delimiter", [";", "\t"])
@pytest.mark.parametrize("text", ["Bob;=1+1;", "Bob\t=1+1", 'Bob;"=1+1', 'Bob\t"@x', "Bob\n=1+1", ";;-1", "a;b\t=c"])
def test_no_cell_becomes_a_formula_whatever_the_separator(rows, text, delimiter):
    content, _ = rows((text, 1, 0.5, True, None, None), (f"x{text}", 2, None, None, None, None))

    cells = [
        cell
        for row in standard.reader(io.StringIO(content.decode(), newline=""), delimiter=delimiter)
        for cell in row
    ]
    assert not [cell for cell in cells if cell[:1] in {"=", "+", "-", "@"}]


def test_a_cell_with_a_separator_is_quoted(rows):
    content, _ = rows(
        ("a;b", 1, None, None, None, None), ("plain", 2, None, None, None, None), (None, 3, None, None, None, None)
    )

    assert content.splitlines()[1:] == [b'"a;b",1,,,,', b"plain,2,,,,", b",3,,,,"]


def test_a_column_with_a_tab_is_quoted(rows):
    content, _ = rows(
        ("a\tb", 1, None, None, None, None), ("plain", 2, None, None, None, None), (None, 3, None, None, None, None)
    )

    assert content.splitlines()[1:] == [b'"a\tb",1,,,,', b'"plain",2,,,,', b",3,,,,"]


def test_many_rows_with_a_formula_stay_in_order_on_several_threads(tmp_path: Path):
    count = 600_000
    with duckdb.connect() as connection:
        connection.execute("set threads = 4")
        connection.execute(
            "create table cells as select n, if(n % 1000 = 0, '=', '') || hash(n) as text, repeat('x', 40) as padding"
            f" from range({count}) as numbers(n)"
        )

        neutralised = csv.write(connection, "select * from cells", tmp_path / "cells.csv", order_by="n % 7, n")

    assert neutralised == count / 1000
    with (tmp_path / "cells.csv").open(encoding="utf-8", newline="") as file:
        written = [int(row[0]) for row in standard.reader(file) if row[0] != "n"]
    assert written == sorted(range(count), key=lambda n: (n % 7, n))


def test_negative_numbers_stay_numbers(rows):
    content, neutralised = rows(("x", -7, -0.5, None, None, None))

    assert content.splitlines()[1] == b"x,-7,-0.5,,,"
    assert neutralised == 0


def test_an_empty_table_keeps_its_header(rows):
    assert rows() == (b"text,number,share,flag,at,on\n", 0)


def test_json_is_text():
    with duckdb.connect() as connection:
        path = Path("/dev/null")
        count = csv.write(connection, "select '-5'::json as evidence", path, order_by="evidence")

    assert count == 1


def test_a_file_that_cannot_be_written_is_a_render_error(tmp_path: Path):
    with duckdb.connect() as connection, pytest.raises(RenderError) as caught:
        csv.write(connection, "select 1 as n", tmp_path / "missing" / "n.csv", order_by="n")

    assert caught.value.exit_code == 5
    assert "missing" in caught.value.where
