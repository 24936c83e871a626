"""Tables of people and other programs are read correctly, or refused with the file, the line and the reason."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from pipeline import resources
from pipeline.errors import AccessReviewError, ConfigurationError, RosterError, UsageError
from pipeline.remediation.joiners import read_joiners
from pipeline.warehouse.database import Connection
from pipeline.warehouse.policy import PolicyFiles, load_policy
from pipeline.warehouse.roster import load_roster
from tests.cases.case import Case, each
from tests.cases.tables import people, quoted
from tests.rules import rule

STALE_ACCOUNT = rule("Stale account")

READ = "is read"


#: How different programs save the same table of two columns and two rows.
DIALECTS = [
    Case("encoding", "UTF-8", READ, str.encode),
    Case("encoding", "UTF-8 with a mark", READ, lambda text: text.encode("utf-8-sig")),
    Case("encoding", "UTF-16, little end first", READ, lambda text: text.replace(",", "\t").encode("utf-16")),
    Case("encoding", "UTF-16, big end first", READ, lambda text: b"\xfe\xff" + text.encode("utf-16-be")),
    Case("encoding", "UTF-16 without its mark", READ, lambda text: text.encode("utf-16-le")),
    Case("encoding", "Windows-1252", READ, lambda text: text.encode("cp1252")),
    Case("separator", "semicolons", READ, lambda text: text.replace(",", ";").encode()),
    Case("separator", "tabs", READ, lambda text: text.replace(",", "\t").encode()),
    Case("separator", "sep=; and semicolons", READ, lambda text: ("sep=;\r\n" + text.replace(",", ";")).encode()),
    Case("separator", "SEP=, in quotes", READ, lambda text: ('"SEP=,"\n' + text).encode("utf-16")),
    Case("separator", "sep=| and bars", READ, lambda text: ("sep=|\n" + text.replace(",", "|")).encode()),
    Case("line ends", "CRLF", READ, lambda text: text.replace("\n", "\r\n").encode()),
    Case("line ends", "CR alone", READ, lambda text: text.replace("\n", "\r").encode()),
    Case("line ends", "LF after CRLF", READ, lambda text: text.replace("\n", "\r\n", 1).encode()),
    Case("line ends", "none at the end", READ, lambda text: text.rstrip("\n").encode()),
    Case("blank rows", "between and after", READ, lambda text: text.replace("\n", "\n\n").encode()),
    Case("blank rows", "of separators", READ, lambda text: text.replace("\n", "\n,\n , \n").encode()),
    Case("blank rows", "before the header", READ, lambda text: ("\n,\n" + text).encode()),
    Case("trailing separator", "on every line", READ, lambda text: text.replace("\n", ",\n").encode()),
    Case(
        "quotes",
        "round every cell",
        READ,
        lambda text: ('"' + text.strip().replace(",", '","').replace("\n", '"\n"') + '"').encode(),
    ),
    Case(
        "headings",
        "capitals, spaces and a hard space",
        READ,
        lambda text: text.replace("_", " ").replace("e", "E", 1).replace("\n", "\u00a0\n", 1).encode(),
    ),
]


@each(DIALECTS)
def test_a_roster_is_read_in_every_dialect(case: Case, connection: Connection, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(case.content("email,display_name\nann@x.test,Jürgen\nbo@x.test,Bo Dahl\n"))

    assert load_roster(connection, path)[0] == 2
    assert people(connection, "email, display_name") == [("ann@x.test", "Jürgen"), ("bo@x.test", "Bo Dahl")]


@each(DIALECTS)
def test_a_policy_file_is_read_in_every_dialect(case: Case, connection: Connection, tmp_path: Path) -> None:
    (tmp_path / "break_glass.csv").write_bytes(
        case.content("user_name,owner_email\nJürgen,ann@x.test\nBo Dahl,bo@x.test\n")
    )

    load_policy(connection, PolicyFiles(resources.reference_data(), tmp_path, ()))

    rows = connection.execute("select user_name, owner_email from policy.break_glass order by line").fetchall()
    assert rows == [("Jürgen", "ann@x.test"), ("Bo Dahl", "bo@x.test")]


@each(DIALECTS)
def test_joiners_are_read_in_every_dialect(case: Case, tmp_path: Path) -> None:
    path = tmp_path / "joiners.csv"
    path.write_bytes(case.content("email,first_name\nann@x.test,Jürgen\nbo@x.test,Bo Dahl\n"))

    assert [(each.email, each.first_name) for each in read_joiners(path)] == [
        ("ann@x.test", "Jürgen"),
        ("bo@x.test", "Bo Dahl"),
    ]


@each(
    [
        Case("cells", "left off at the end", "are empty", ("email,department,title\na@x.test,D\n", ("D", None))),
        Case(
            "cells",
            "of blanks and a zero-width space",
            "are empty",
            ("email,department,title\na@x.test, \u200b,T\n", (None, "T")),
        ),
        Case(
            "cells", "with a quoted comma", "are one", ('email,department,title\na@x.test,"D, E",T\n', ("D, E", "T"))
        ),
        Case(
            "cells",
            "with a line end inside",
            "are one",
            ('email,department,title\na@x.test,"D\nE",T\n', ("D\nE", "T")),
        ),
        Case(
            "cells",
            "with a quote in the middle",
            "keep it",
            ('email,department,title\na@x.test,5" disks,T\n', ('5" disks', "T")),
        ),
    ]
)
def test_roster_cells_are_read(case: Case, connection: Connection, tmp_path: Path) -> None:
    text, cells = case.content
    (tmp_path / "people.csv").write_text(text)

    load_roster(connection, tmp_path / "people.csv")

    assert people(connection, "department, title") == [cells]


#: ``email`` and ``user_name`` are columns of joiners and of the policy; a roster leaves the second unread.
REFUSED = [
    Case("cells", "of 200,000 characters", "line 2 is not CSV", b"email,user_name\n" + b"a" * 200_000 + b",x\n"),
    Case("cells", "a heading of 200,000 characters", "line 1 is not CSV", b"a" * 200_000),
    Case(
        "cell too many",
        "a comma without quotes",
        "line 2 has 3 cells, the header has 2",
        b"email,user_name\na@x.test,Ek, Ann\n",
    ),
    Case("cell too many", "an empty one", "line 2 has 3 cells, the header has 2", b"email,user_name\na@x.test,Ek,\n"),
    Case(
        "cell too many", "under no heading", "line 2 has a cell in column 3", b"email,user_name,\na@x.test,Ek, Ann\n"
    ),
    Case("quotes", "one left open", "line 3 is not CSV", b'email,user_name\na@x.test,A\nb@x.test,"B\nc@x.test,C\n'),
    Case(
        "encoding",
        "one Latin-1 line among UTF-8",
        "line 3 is not UTF-8, although other lines are",
        "email,user_name\na@x.test,Ökonom\n".encode() + b"b@x.test,\xd6konom\n",
    ),
    Case(
        "encoding",
        "a byte of no encoding",
        "line 2 is neither UTF-8 nor Windows-1252",
        b"email,user_name\na@x.test,\x81\n",
    ),
    Case(
        "encoding",
        "NUL in the text",
        "line 2 has a NUL character",
        b"email,user_name\na@x.test,%s\0\n" % (b"x" * 5000),
    ),
    Case(
        "encoding",
        "half a character of UTF-16",
        "is not UTF-16 text",
        "email,user_name\na@x.test,A\n".encode("utf-16")[:-1],
    ),
    Case(
        "web page",
        "the page for signing in",
        "this is a web page, not a CSV file",
        b"\r\n<!DOCTYPE html>\n<p>Sign in",
    ),
    Case("web page", "a table of one", "this is a web page, not a CSV file", b"\xef\xbb\xbf<HTML lang='en'><table>"),
    Case("workbook", "saved under .csv", "this is a workbook, not a CSV file", b"PK\x03\x04rest"),
    Case("workbook", "an old or a protected one", "this is a workbook, not a CSV file", b"\xd0\xcf\x11\xe0rest"),
    Case(
        "repeated column",
        "the same name",
        "there are two columns 'user_name': column 2 and column 3",
        b"email,user_name,user_name\n",
    ),
    Case(
        "repeated column",
        "other capitals and an invisible mark",
        "there are two columns 'email': column 1 and column 3",
        "email,user_name,E\u200bMail \n".encode(),
    ),
    Case("repeated column", "three times, and unknown", "there are three columns 'x'", b"x,email,x,x\n"),
]


@each(REFUSED)
def test_ambiguous_values_are_refused_everywhere(case: Case, connection: Connection, tmp_path: Path) -> None:
    files = PolicyFiles(resources.reference_data(), tmp_path, ())
    readers: dict[str, tuple[type[AccessReviewError], Callable[[Path], object]]] = {
        "people.txt": (RosterError, lambda path: load_roster(connection, path)),
        "break_glass.csv": (ConfigurationError, lambda _: load_policy(connection, files)),
        "joiners.txt": (UsageError, read_joiners),
    }
    for name, (error, read) in readers.items():
        path = tmp_path / name
        path.write_bytes(case.content)

        with pytest.raises(error) as caught:
            read(path)

        assert case.outcome in caught.value.message
        assert caught.value.where == str(path)
        assert caught.value.exit_code == 2


@each(
    [
        Case("day", "ISO", "2025-12-31", ["2025-12-31"]),
        Case("day", "ISO without zeros", "2025-01-03", ["2025-1-3"]),
        Case("day", "year first with slashes", "2025-12-31", ["2025/12/31"]),
        Case("day", "ISO time in UTC", "2025-12-31", ["2025-12-31T00:00:00Z"]),
        Case("day", "ISO time with a fraction and a zone", "2025-12-31", ["2025-12-31T23:30:00.000-05:00"]),
        Case("day", "a time after a blank", "2025-12-31", ["2025-12-31 00:00:00"]),
        Case("day", "dots", "2025-04-03", ["3.4.2025"]),
        Case("day", "slashes, where only one reading is a day", "2025-12-31", ["31/12/2025"]),
        Case("day", "slashes, month first", "2025-12-31", ["12/31/2025 12:00:00 AM"]),
        Case("day", "slashes, as another line shows day first", "2025-04-03", ["03/04/2025", "31/12/2025"]),
        Case("day", "slashes, as another line shows month first", "2025-03-04", ["03/04/2025", "12/31/2025"]),
        Case("day", "slashes, both readings the same", "2025-05-05", ["05/05/2025"]),
        Case("no day", "zeros", "None", ["0000-00-00"]),
        Case("no day", "zeros with a time", "None", ["0000-00-00 00:00:00"]),
        Case("no day", "zeros, day first", "None", ["00/00/0000"]),
        Case(
            "day",
            "two readings in the whole file",
            "line 2: the end_date '03/04/2025' could be 2025-04-03 or 2025-03-04",
            ["03/04/2025", "05/06/2025"],
        ),
        Case(
            "day",
            "lines that contradict each other",
            "line 2: the end_date '03/04/2025' could be",
            ["03/04/2025", "31/12/2025", "12/31/2025"],
        ),
        Case(
            "day",
            "no day of the calendar",
            "line 2: the end_date '2025-02-30' is not a day of the calendar",
            ["2025-02-30"],
        ),
        Case("day", "two digits for the year", "line 2: the end_date '31/12/25' is not a date like", ["31/12/25"]),
        Case("day", "a spreadsheet's serial number", "line 2: the end_date '46022' is not a date like", ["46022"]),
    ]
)
def test_dates_in_a_roster(case: Case, connection: Connection, tmp_path: Path) -> None:
    lines = "".join(f"p{number}@x.test,{day}\n" for number, day in enumerate(case.content))
    (tmp_path / "people.csv").write_text("email,end_date\n" + lines)

    if case.outcome.startswith("line"):
        with pytest.raises(RosterError, match=case.outcome):
            load_roster(connection, tmp_path / "people.csv")
    else:
        load_roster(connection, tmp_path / "people.csv")
        assert str(people(connection, "end_date")[0][0]) == case.outcome


def test_dates_in_a_policy_file(connection: Connection, tmp_path: Path) -> None:
    (tmp_path / "exceptions.csv").write_text(
        "rule_id,source,subject,reason,approved_by,expires_on\n"
        f"{STALE_ACCOUNT},,a,r,CISO,03/04/2026\n{STALE_ACCOUNT},,b,r,Ann <ann@x.test>,31/12/2026\n"
    )

    load_policy(connection, PolicyFiles(resources.reference_data(), tmp_path, ()))

    rows = connection.execute("select approved_by, expires_on from policy.exceptions order by line").fetchall()
    assert rows == [("CISO", date(2026, 4, 3)), ("ann@x.test", date(2026, 12, 31))]


@each(
    [
        Case(
            "aliases",
            "semicolons, commas, bars and blanks",
            "all of them",
            ("a@x.test; b@x.test|c@x.test,d@x.test e@x.test", "abcde"),
        ),
        Case(
            "aliases",
            "with names that hold commas",
            "all of them",
            ('"Ek, Ann" <a@x.test>, Ek, Bo <b@x.test>; c@x.test', "abc"),
        ),
        Case("aliases", "repeated, and the main address", "each other once", ("a@x.test;a@x.test;MAIN@x.test", "a")),
    ]
)
def test_alias_lists_are_split(case: Case, connection: Connection, tmp_path: Path) -> None:
    cell, expected = case.content
    (tmp_path / "people.csv").write_text(f"email,aliases\nmain@x.test,{quoted(cell)}\n")

    load_roster(connection, tmp_path / "people.csv")

    [(aliases,)] = people(connection, "aliases")
    assert sorted(aliases) == [f"{letter}@x.test" for letter in expected]


@each(
    [
        Case(
            "rehire",
            "an ended and an active employment",
            "the active one counts",
            ["P1,a@x.test,ended,2020-01-31", "P1,a@x.test,active,"],
        ),
        Case(
            "rehire", "the active one first", "the active one counts", ["P1,a@x.test,active,", "P1,A@x.test,ended,"]
        ),
        Case(
            "rehire",
            "two ended, and one without a status",
            "the active one counts",
            ["P1,a@x.test,ended,2019-01-31", "P1,a@x.test,ended,2020-01-31", "P1,a@x.test,,"],
        ),
        Case(
            "rehire",
            "ended twice",
            "the later one counts",
            ["P1,a@x.test,ended,2020-01-31", "P1,a@x.test,ended,2024-01-31"],
        ),
        Case(
            "repeated person",
            "active twice",
            "line 3: the person_id 'P1' was already used in line 2",
            ["P1,a@x.test,active,", "P1,a@x.test,active,"],
        ),
        Case(
            "repeated person",
            "two addresses",
            "line 3: the person_id 'P1' was already used in line 2",
            ["P1,a@x.test,ended,", "P1,b@x.test,active,"],
        ),
        Case(
            "repeated person",
            "ended twice, once without a day",
            "line 3: the person_id 'P1' was already used in line 2",
            ["P1,a@x.test,ended,", "P1,a@x.test,ended,2024-01-31"],
        ),
    ]
)
def test_a_person_listed_twice(case: Case, connection: Connection, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("person_id,email,employment_status,end_date\n" + "\n".join(case.content) + "\n")
    notes: list[str] = []

    if case.outcome.startswith("line"):
        with pytest.raises(RosterError, match=case.outcome):
            load_roster(connection, path)
    else:
        assert load_roster(connection, path, note=notes.append)[0] == 1
        [(status, end)] = people(connection, "employment_status, end_date")
        if "later" in case.outcome:
            assert (status, end) == ("ended", date(2024, 1, 31))
        else:
            assert (status or "active", end) == ("active", None)
        [note] = notes
        assert "1 person has an earlier employment" in note
