"""The roster: everybody in the file is read, or the file and the line that is wrong are named."""

import hashlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import RosterError
from pipeline.tables.cells import TableError
from pipeline.tables.delimited import read_table
from pipeline.warehouse import database
from pipeline.warehouse.database import Connection
from pipeline.warehouse.people import read_roster
from pipeline.warehouse.roster import load_roster
from pipeline.warehouse.roster_columns import RosterFormat


@pytest.fixture
def connection() -> Iterator[Connection]:
    with database.in_memory() as connection:
        yield connection


def people(connection: Connection) -> list[tuple[object, ...]]:
    return connection.execute("select person_id, email, display_name from policy.roster order by row").fetchall()


@pytest.mark.parametrize(
    "content",
    [
        b"email,display_name\na@x.test,Ann\nb@x.test,\"Berg, Bo\"\n",
        b"email,display_name\r\na@x.test,Ann\r\nb@x.test,\"Berg, Bo\"\r\n",
        b"email,display_name\na@x.test,Ann\nb@x.test,\"Berg, Bo\"",
        b"\xef\xbb\xbfemail,display_name\na@x.test,Ann\n\nb@x.test,\"Berg, Bo\"\n\n",
        b"email;display_name\na@x.test;Ann\nb@x.test;Berg, Bo\n",
        b"\"Email\";\"Display_Name\"\r\n\"a@x.test\";\"Ann\"\r\n\"b@x.test\";\"Berg, Bo\"\r\n",
        b"display_name, email\n Ann , a@x.test\n\"Berg, Bo\",b@x.test\n",
    ],
    ids=["lf", "crlf", "no last line end", "bom and blank lines", "semicolons", "excel", "spaces and order"],
)  # fmt: skip
def test_every_form_in_which_programs_save_a_roster_is_read_alike(
    connection: Connection, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "people (1) [copy].csv"
    path.write_bytes(content)

    count, sha256 = load_roster(connection, path)

    assert (count, len(sha256 or "")) == (2, 64)
    assert people(connection) == [("a@x.test", "a@x.test", "Ann"), ("b@x.test", "b@x.test", "Berg, Bo")]


@pytest.mark.parametrize("content", ["email\na@x.test\n\nb@x.test\n\n", "email\r\na@x.test\r\nb@x.test\r\n\r\n"])
def test_a_roster_of_addresses_alone_may_have_blank_lines(
    connection: Connection, tmp_path: Path, content: str
) -> None:
    (tmp_path / "people.csv").write_bytes(content.encode())

    assert load_roster(connection, tmp_path / "people.csv")[0] == 2


def test_cells_are_cast_and_aliases_split(connection: Connection, tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text(
        "person_id,email,aliases,employment_status,start_date,end_date,person_type\n"
        '7,Ann@x.test,"a@x.test; b@x.test|c@x.test,d@x.test",Ended,2020-02-29,2026-01-31,SERVICE\n'
        ",BO@x.test,,,,,\n"
    )

    load_roster(connection, tmp_path / "people.csv")

    assert connection.execute(
        "select person_id, email, aliases, employment_status, start_date::varchar, end_date::varchar, person_type "
        "from policy.roster order by row"
    ).fetchall() == [
        (
            "7",
            "Ann@x.test",
            ["a@x.test", "b@x.test", "c@x.test", "d@x.test"],
            "ended",
            "2020-02-29",
            "2026-01-31",
            "service",
        ),
        ("bo@x.test", "BO@x.test", [], None, None, None, None),
    ]


@pytest.mark.parametrize(
    ("content", "says", "hint"),
    [
        ("", "no 'email' column", "person_id, email"),
        ("name\nAnn\n", "no 'email' column", "person_id, email"),
        ("email\n", "has no rows", "export it again"),
        ("email\n\n\n", "has no rows", "export it again"),
        ("email,departmant\na@x.test,Sales\n", "unknown roster column 'departmant'", "'department'"),
        ("email,title,Title\na@x.test,A,B\n", "two columns 'title'", "keep one"),
        ("email,title\na@x.test,A\n,B\n", "line 3: there is no email", "correct"),
        ("email,title\n,A\n,B\n", "2 mistakes: line 2: there is no email; line 3: there is no email", "correct"),
        ("email,employment_status\na@x.test,retired\n", "line 2: the employment_status 'retired' is not", "correct"),
        ("email,person_type\na@x.test,robot\n", "line 2: the person_type 'robot' is not employee", "correct"),
        ("email,start_date\na@x.test,31.01.26\n", "line 2: the start_date '31.01.26' is not a date", "correct"),
        ("email,end_date\na@x.test,2026-02-30\n", "line 2: the end_date '2026-02-30' is not a day of", "correct"),
        ("person_id,email\n1,a@x.test\n2,b@x.test\n1,c@x.test\n", "line 4: the person_id '1' was already", "correct"),
        ("email,title\nA@x.test,\na@x.test,\n", "line 3: the person_id 'a@x.test' was already used", "correct"),
        ('email,title,end_date\na@x.test,"A\nB\nC",\n\nb@x.test,,soon\n', "line 6: the end_date 'soon'", "correct"),
        ('email,title,end_date\r\na@x.test,"A\r\nB",\r\nb@x.test,,soon\r\n',
         "line 4: the end_date 'soon'", "correct"),
        ('email,title\na@x.test,"A\nB"\nb@x.test,,\n', "line 4 has 3 cells, the header has 2", "quotes"),
        ("email,title\na@x.test,A,B\n", "line 2 has 3 cells, the header has 2", "','"),
        ("email;title\na@x.test;A;B\n", "line 2 has 3 cells", "';'"),
        ('email,title\na@x.test,A\nb@x.test,"B\nc@x.test,C\n', "line 3 is not CSV", "close every"),
        ('email,title\na@x.test,"A" B\n', "line 2 is not CSV", "close every quote"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line(
    connection: Connection, tmp_path: Path, content: str, says: str, hint: str
) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(content.encode())

    with pytest.raises(RosterError) as caught:
        load_roster(connection, path)

    assert caught.value.where == str(path)
    assert says in caught.value.message
    assert hint in caught.value.hint


def test_people_after_an_open_quote_are_not_dropped_silently(connection: Connection, tmp_path: Path) -> None:
    lines = [f"p{number}@x.test,Person {number}" for number in range(500)]
    lines[300] = 'p300@x.test,"Person 300'
    (tmp_path / "people.csv").write_text("email,display_name\n" + "\n".join(lines) + "\n")

    with pytest.raises(RosterError, match="line 302 is not CSV"):
        load_roster(connection, tmp_path / "people.csv")


def test_only_the_first_ten_mistakes_are_listed(connection: Connection, tmp_path: Path) -> None:
    rows = "".join(f"p{number}@x.test,soon\n" for number in range(12))
    (tmp_path / "people.csv").write_text("email,end_date\n" + rows)

    with pytest.raises(RosterError, match=r"12 mistakes: line 2: .*line 11: [^;]*; and 2 more"):
        load_roster(connection, tmp_path / "people.csv")


@pytest.mark.parametrize("make", [lambda path: None, Path.mkdir])
def test_a_roster_that_cannot_be_opened_is_an_error(connection: Connection, tmp_path: Path, make: object) -> None:
    path = tmp_path / "people.csv"
    make(path)  # type: ignore[operator]

    with pytest.raises(RosterError) as caught:
        load_roster(connection, path)

    assert caught.value.where == str(path)


def test_without_a_roster_the_people_of_the_last_one_are_removed(connection: Connection, tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("email\na@x.test\n")
    load_roster(connection, tmp_path / "people.csv")

    assert load_roster(connection, None) == (0, None)
    assert people(connection) == []


def test_a_build_reports_unread_parts_of_the_roster_and_how_it_was_read(
    house: Any, source: Any, make_user: Any
) -> None:
    snapshot = house.land("20260401T000000Z-0001", {"prod": source([make_user("ann")])})
    text = "Mail,phone\na@x.test,1\n"
    first = house.build(snapshot, roster=text, roster_format=RosterFormat(columns={"email": "Mail"}))

    assert "people.csv: columns that are not read: phone" in first.warnings

    second = house.build(
        snapshot, roster=text, roster_format=RosterFormat(columns={"email": "Mail", "display_name": "phone"})
    )
    assert first.build_id != second.build_id


def test_a_large_roster_is_read_completely(connection: Connection, tmp_path: Path) -> None:
    lines = [f"p{number}@x.test,Person {number}" for number in range(45_000)]
    (tmp_path / "people.csv").write_text("email,display_name\n" + "\n".join(lines) + "\n")

    assert load_roster(connection, tmp_path / "people.csv")[0] == 45_000
    assert connection.execute("select row, email from policy.roster order by row desc limit 1").fetchall() == [
        (45_000, "p44999@x.test")
    ]


def test_a_roster_that_outgrows_its_memory_goes_to_the_disk_and_leaves_nothing_there(tmp_path: Path) -> None:
    lines = [f"{number:08x},person{number}@x.test,Person {number} of many" for number in range(60_000)]
    (tmp_path / "people.csv").write_text("person_id,email,display_name\n" + "\n".join(lines) + "\n")
    spill = tmp_path / "spilled"

    with database.in_memory(only="policy.roster", spill=spill) as connection:
        connection.execute("set memory_limit = '25MB'; set threads = 1")
        assert load_roster(connection, tmp_path / "people.csv")[0] == 60_000
        assert list(spill.iterdir())
        last = connection.execute("select row, email from policy.roster order by row desc limit 1").fetchall()

    assert last == [(60_000, "person59999@x.test")]
    assert not spill.exists()


def test_a_roster_that_was_read_leaves_the_memory_to_the_build_which_gets_everyone_more_than_once(
    tmp_path: Path,
) -> None:
    lines = [f"{number},person{number}@x.test,Person {number} of many" for number in range(3_000)]
    (tmp_path / "people.csv").write_text("person_id,email,display_name\n" + "\n".join(lines) + "\n")

    with read_roster(tmp_path / "people.csv", spill=tmp_path / "spilled") as roster:
        assert roster.people is not None
        [(limit,)] = roster.people.execute("select current_setting('memory_limit')").fetchall()
        assert limit == "61.0 MiB"
        for _ in range(2):
            with database.in_memory(only="policy.roster") as elsewhere:
                roster.copy_to(elsewhere)
                assert elsewhere.execute("select count(distinct email) from policy.roster").fetchall() == [(3_000,)]


def test_a_roster_from_a_pipe_is_read_like_a_file(connection: Connection, tmp_path: Path) -> None:
    pipe = tmp_path / "people"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes("email;display_name\na@x.test;Zoë\n".encode()))
    writer.start()

    count, sha256 = load_roster(connection, pipe)

    writer.join()
    assert (count, people(connection)) == (1, [("a@x.test", "a@x.test", "Zoë")])
    assert sha256 == hashlib.sha256("email;display_name\na@x.test;Zoë\n".encode()).hexdigest()


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("email\n" + "".join(f"p{number}@x.test\n" for number in range(10_000)))
    table = read_table(path, known=["email"], error=RosterError)

    rows = table.rows()
    assert next(rows) == (2, ["p0@x.test"])
    with path.open("a") as stream:
        stream.write("late@x.test\n")

    with pytest.raises(TableError, match="the file was changed while it was read"):
        list(rows)
