"""A returned row is imported only for its own item, in every form that a spreadsheet may give it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from pipeline.review import campaign as campaigns
from pipeline.review import facts, packets
from pipeline.review.importing import Imported, import_file
from pipeline.review.returned import Cell
from pipeline.warehouse import database
from tests.cases.case import Case, each
from tests.e2e.conftest import Silent
from tests.warehouse.conftest import House, Source, user

NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)
#: A name that Excel makes Dec-26 of.
CAMPAIGN = "2026-12"
GROUPS = {
    "g1": "2026-12",
    "g2": "007",
    "g3": "1E5",
    "g4": "May 2024",
    "g5": "=SUM(1;2)",
    "g6": "Sales;=1+1",
    "g7": "TRUE",
}
PEOPLE = {
    "5223914798734531": {"firstName": "Ada", "lastName": "Reyes"},
    "0330564717572394": {"firstName": "Bo", "lastName": "Dahl"},
    "313704181039e076": {"firstName": "Łukasz", "lastName": "Żak"},
    "aa": {"firstName": "Иван", "lastName": "Петров"},
    "bb": {"firstName": None, "lastName": None, "userName": "1007"},
    "cc": {"firstName": None, "lastName": None, "userName": "3.1e10"},
    "dd": {"firstName": "Ann;", "lastName": "=1+1"},
}
#: Item ids that a spreadsheet takes for a number: digits, digits with a zero in front, digits e digits.
NUMBERS = ("5223914798734531", "0330564717572394", "313704181039e076")

Table = list[list[str]]


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory, models: Any) -> Iterator[tuple[House, Path]]:
    """Yield a database with an open campaign over hostile names, and the folder of its packets."""
    folder = tmp_path_factory.mktemp("packets")
    groups = [{"_id": "g-all", "name": "Everyone"}, *({"_id": key, "name": name} for key, name in GROUPS.items())]
    users = [
        user(account_id, email=f"u{number}@example.com", groups=["g-all", *list(GROUPS)[number % 3 :: 3]], **fields)
        for number, (account_id, fields) in enumerate(PEOPLE.items())
    ]
    with database.in_memory() as connection:
        connection.execute("set threads = 1")
        house = House(connection, folder, models)
        house.build(house.land("20260101T000000Z-0000", {"prod": Source(users, groups=groups)}))
        campaigns.open_campaign(connection, campaigns.NewCampaign(CAMPAIGN, "all", ("ciso@example.com",), None), NOW)
        odd = connection.execute("select item_id from review.items order by place limit 3").fetchall()
        for (old,), new in zip(odd, NUMBERS, strict=True):
            connection.execute("update review.items set item_id = $1 where item_id = $2", [new, old])
        packets.write(connection, campaigns.find(connection, CAMPAIGN), folder, Silent())
        yield house, folder / "campaigns" / CAMPAIGN


@pytest.fixture
def handed_out(campaign: tuple[House, Path]) -> Iterator[Table]:
    """Yield the packet as a table with a decision in every row; imports are undone after each test."""
    house, folder = campaign
    [path] = folder.glob("*.csv")
    table = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))
    for row in table[1:]:
        row[table[0].index("decision")], row[table[0].index("reason")] = "keep", "needed"
    yield table
    house.connection.execute("delete from review.decisions")


@pytest.fixture
def send(campaign: tuple[House, Path], tmp_path: Path) -> Callable[..., Imported]:
    house, _ = campaign

    def sent(table: Table, *, encoding: str = "utf-8", delimiter: str = ",") -> Imported:
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=delimiter).writerows(table)
        path = tmp_path / "returned.csv"
        path.write_bytes(text.getvalue().encode(encoding, errors="replace"))
        return import_file(house.connection, path, name=None, now=NOW)

    return sent


def test_a_packet_that_is_returned_unchanged_is_imported(handed_out: Table, send: Callable[..., Imported]) -> None:
    found = send(handed_out)

    assert found.problems == ()
    assert (found.campaign, found.new) == (CAMPAIGN, len(handed_out) - 1)


#: Columns that a row states facts in; content is what stands there instead.
OTHER_FACTS = [
    Case("another person", "another person's name", "refused by its cell", ("who", "Mallory")),
    Case("another person", "another person's address", "refused by its cell", ("email", "mallory@example.com")),
    Case("another access", "another source", "refused by its cell", ("source", "test")),
    Case("another access", "a group for a role", "refused by its cell", ("type", "dashboard")),
    Case("another access", "another role", "refused by its cell", ("access", "Emperor")),
    Case("another access", "another level", "refused by its cell", ("permission_level", "harmless")),
    Case("another fact", "another path", "refused by its cell", ("path", "account -> nothing")),
    Case("another fact", "another status", "refused by its cell", ("status", "inactive")),
    Case("another fact", "seen on another day", "refused by its cell", ("last_seen", "2025-12-21")),
    Case("another fact", "another risk", "refused by its cell", ("risk", "none")),
    Case("another fact", "findings where there are none", "refused by its cell", ("prior_decision", "keep by boss")),
    Case("another fact", "another advice", "refused by its cell", ("recommendation", "no advice")),
]


@each(OTHER_FACTS)
def test_a_row_with_a_different_fact_is_refused_by_its_cell(
    case: Case, handed_out: Table, send: Callable[..., Imported]
) -> None:
    name, value = case.content
    column = handed_out[0].index(name)
    known, handed_out[3][column] = handed_out[3][column], value

    [problem] = send(handed_out).problems

    assert problem.place == f"row 4, {openpyxl.utils.get_column_letter(column + 1)}4"
    assert problem.text.endswith(f", the file says {value}")
    assert facts.is_same(Cell(known, ""), None) or known.strip("'") in problem.text


def test_decisions_of_swapped_rows_are_refused(handed_out: Table, send: Callable[..., Imported]) -> None:
    names = handed_out[0]
    who = names.index("who")
    one, other = (
        next(i for i, row in enumerate(handed_out) if row[who] == name) for name in ("Ada Reyes", "Bo Dahl")
    )
    for column in (i for i, name in enumerate(names) if name not in {"campaign", "reviewer", "item_id"}):
        first, second = handed_out[one], handed_out[other]
        first[column], second[column] = second[column], first[column]

    problems = send(handed_out).problems

    assert {(problem.place, problem.text) for problem in problems} == {
        (f"row {one + 1}, E{one + 1}", "this item is Ada Reyes, the file says Bo Dahl"),
        (f"row {other + 1}, E{other + 1}", "this item is Bo Dahl, the file says Ada Reyes"),
    }


def test_a_column_sorted_alone_is_refused(handed_out: Table, send: Callable[..., Imported]) -> None:
    column = handed_out[0].index("who")
    values = sorted((row[column] for row in handed_out[1:]), reverse=True)
    for row, value in zip(handed_out[1:], values, strict=True):
        row[column] = value

    assert len(send(handed_out).problems) > 5


def test_the_whole_table_may_be_sorted_and_columns_removed(handed_out: Table, send: Callable[..., Imported]) -> None:
    kept = [handed_out[0].index(name) for name in ("decision", "who", "item_id", "reason")]
    rows = sorted(handed_out[1:], key=lambda row: row[kept[1]], reverse=True)

    found = send([[row[column] for column in kept] for row in [handed_out[0], *rows]])

    assert (found.problems, found.new) == ((), len(rows))


def test_an_emptied_cell_is_not_a_difference(handed_out: Table, send: Callable[..., Imported]) -> None:
    for row in handed_out[1:]:
        row[handed_out[0].index("path")] = ""

    assert send(handed_out).problems == ()


@pytest.mark.parametrize("form", ["item-{}", "{}", "ITEM-{}", " item-{} "])
def test_ids_and_campaign_names_are_read_with_and_without_prefix(
    handed_out: Table, send: Callable[..., Imported], form: str
) -> None:
    names = handed_out[0]
    for row in handed_out[1:]:
        bare = row[names.index("item_id")].removeprefix("item-")
        row[names.index("item_id")] = form.format(bare)
        if form == "{}":
            row[names.index("campaign")] = CAMPAIGN

    found = send(handed_out)

    assert (found.problems, found.new) == ((), len(handed_out) - 1)


_LIKE_A_NUMBER = re.compile(r"\s*[+-]?\d+([.,]\d*)?(e[+-]?\d+)?\s*", re.IGNORECASE)
_LIKE_A_DAY = re.compile(r"(\d{4})-(\d\d)(?:-(\d\d))?")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def retyped(value: str, order: str) -> str:
    """Return a cell as a spreadsheet saves it, with numbers, dates and booleans in its own form."""
    if _LIKE_A_NUMBER.fullmatch(value):
        number = float(value.replace(",", "."))
        return f"{number:.5E}".replace("E+", "E+") if abs(number) >= 1e11 else f"{number:g}"
    if found := _LIKE_A_DAY.fullmatch(value):
        year, month, day = found[1], found[2], found[3] or "01"
        return order.format(y=year, m=month, d=day, s=year[2:], n=_MONTHS[int(month) - 1].title())
    if value[:3].lower() in _MONTHS and value[-4:].isdigit():
        return f"{value[:3]}-{value[-2:]}"
    return value.upper() if value.lower() in {"true", "false"} else value


RESAVED = [
    Case("re-saved", "as an English spreadsheet saves it", "imported", ("{m}/{d}/{y}", "utf-8-sig", ",")),
    Case("re-saved", "days with two digits of the year", "imported", ("{m}/{d}/{s}", "utf-8", ",")),
    Case("re-saved", "months as letters", "imported", ("{d}-{n}-{s}", "utf-8", ",")),
    Case("re-saved", "as a German spreadsheet saves it", "imported", ("{d}.{m}.{y}", "utf-8-sig", ";")),
    Case("re-saved", "as Unicode text with tabs", "imported", ("{y}/{m}/{d}", "utf-16", "\t")),
    Case("re-saved", "on a machine of Western Europe", "imported", ("{d}/{m}/{y}", "cp1252", ";")),
    Case("re-saved", "on a machine of Central Europe", "imported", ("{d}.{m}.{y}", "cp1250", ";")),
    Case("re-saved", "on a Russian machine", "imported", ("{d}.{m}.{y}", "cp1251", ";")),
]


@each(RESAVED)
def test_a_csv_packet_saved_by_a_spreadsheet_is_imported(
    case: Case, handed_out: Table, send: Callable[..., Imported]
) -> None:
    order, encoding, delimiter = case.content
    table = [handed_out[0], *([retyped(value, order) + " " for value in row] for row in handed_out[1:])]

    found = send(table, encoding=encoding, delimiter=delimiter)

    assert (found.problems, found.new) == ((), len(handed_out) - 1)


def test_a_spreadsheet_takes_no_name_in_a_packet_for_a_number_or_date(handed_out: Table) -> None:
    names = handed_out[0]
    shown = {
        (name, row[names.index(name)])
        for row in handed_out[1:]
        for name in ("campaign", "item_id", "who", "source", "access", "email")
    }

    assert not {(name, value) for name, value in shown if retyped(value, "{d}.{m}.{y}") != value}
    assert {"'1007", "'3.1e10"} <= {value for _, value in shown}
    assert {"'2026-12", "'007", "'1E5", "'May 2024", "'TRUE", "'=SUM(1;2)", "Sales;'=1+1"} <= {v for _, v in shown}
    assert {f"item-{number}" for number in NUMBERS} <= {value for _, value in shown}


@pytest.mark.parametrize("is_earlier", [False, True])
def test_a_returned_workbook_is_imported(campaign: tuple[House, Path], tmp_path: Path, is_earlier: bool) -> None:
    house, folder = campaign
    [path] = folder.glob("*.xlsx")
    book = openpyxl.load_workbook(path)
    sheet = book["Decisions"]
    if is_earlier:
        sheet = book.create_sheet("Earlier")
        for row in csv.reader(io.StringIO(path.with_suffix(".csv").read_text(encoding="utf-8"), newline="")):
            sheet.append(row)
        del book["Decisions"]
    names = [str(cell.value).lower() for cell in sheet[1]]
    for cells in sheet.iter_rows(min_row=2):
        cells[names.index("decision")].value, cells[names.index("reason")].value = "keep", "=1;-2"
    book.save(tmp_path / "returned.xlsx")

    found = import_file(house.connection, tmp_path / "returned.xlsx", name=None, now=NOW)

    house.connection.execute("delete from review.decisions")
    assert (found.problems, found.new, found.notes) == ((), sheet.max_row - 1, ())


def test_a_changed_fact_of_a_workbook_is_refused_by_its_heading(campaign: tuple[House, Path], tmp_path: Path) -> None:
    house, folder = campaign
    book = openpyxl.load_workbook(next(folder.glob("*.xlsx")))
    sheet, names = book["Decisions"], [cell.value for cell in book["Decisions"][1]]
    sheet.cell(2, names.index("Decision") + 1).value = "remove"
    level = sheet.cell(2, names.index("Permission level") + 1)
    known, level.value = level.value, "harmless"
    book.save(tmp_path / "returned.xlsx")

    *_, problem = import_file(house.connection, tmp_path / "returned.xlsx", name=None, now=NOW).problems

    assert (problem.place, problem.text) == (
        f"row 2, {level.coordinate}", f"permission level of this item is {known}, the file says harmless"
    )  # fmt: skip


FORMS = [
    Case("text", "spaces at the end", "the same", ("Ada Reyes  ", "Ada Reyes")),
    Case("text", "a space that does not break", "the same", ("Ada\u00a0Reyes", "Ada Reyes")),
    Case("text", "letters composed otherwise", "the same", ("Ame\u0301lie", "Amélie")),
    Case("text", "another case", "the same", ("ADA REYES", "Ada Reyes")),
    Case("text", "line ends of another system", "the same", ("two\r\nlines", "two\nlines")),
    Case("text", "a neutralised formula", "the same", ("'=1+1", "=1+1")),
    Case("text", "a formula neutralised inside", "the same", ("Bob;'=1", "Bob;=1")),
    Case("text", "without its marks", "the same", ("Lukasz Zak", "Łukasz Żak")),
    Case("text", "question marks for letters", "the same", ("???? ??????", "Иван Петров")),
    Case("text", "an apostrophe of one's own", "the same", ("O'Neil", "O'Neil")),
    Case("text", "another name", "another", ("Ada Reyes", "Ada Rey")),
    Case("text", "other letters of another alphabet", "another", ("Олег", "Иван")),
    Case("text", "question marks for another name", "another", ("?????", "Иван")),
    Case("text", "nothing is expected", "another", ("x", None)),
    Case("number", "a number for a text", "the same", (1007.0, "1007")),
    Case("number", "zeros in front", "the same", (7, "007")),
    Case("number", "fewer digits shown", "the same", ("3.30565E+14", "330564717572394")),
    Case("number", "a comma for the point", "the same", ("1,5", "1.5")),
    Case("number", "another number", "another", (1008.0, "1007")),
    Case("number", "other digits shown", "another", ("3.30566E+14", "330564717572394")),
    Case("number", "more than a number holds", "another", ("1e999", "2e999")),
    Case("truth value", "as a spreadsheet has it", "the same", (True, "true")),
    Case("truth value", "the other", "another", (False, "true")),
    Case("day", "as a spreadsheet has it", "the same", (datetime(2025, 12, 20), "2025-12-20")),  # noqa: DTZ001
    Case("day", "its number", "the same", ("46011", "2025-12-20")),
    Case("day", "its number in a workbook", "the same", (46011.0, "2025-12-20")),
    Case("day", "another", "another", ("21.12.2025", "2025-12-20")),
    Case("day", "digits without end", "another", ("9" * 5000, "2025-12-20")),
    Case("number", "decimals without end", "another", (f"1.{'9' * 5000}e1", "15")),
    Case("day", "the name of a month, in letters", "the same", ("Dec-26", "2026-12")),
    Case("day", "the name of a month, as a day", "the same", (datetime(2026, 12, 1), "2026-12")),  # noqa: DTZ001
    Case("day", "the name of another month", "another", (datetime(2026, 11, 1), "2026-12")),  # noqa: DTZ001
    Case("day", "no day at all", "another", ("never", "2025-12-20")),
]


@each(FORMS)
def test_a_fact_is_recognised_in_the_form_of_a_spreadsheet(case: Case) -> None:
    said, fact = case.content

    assert facts.is_same(Cell(said, "A1"), fact) is (case.outcome == "the same")


#: Lines that people add below the table, by column.
LINES_BELOW = [
    Case("line below the table", "a total in the first column", "is ignored", {0: "Total", "peers": "19"}),
    Case("line below the table", "a total where the decision stands", "is ignored", {0: "Total", "decision": "19"}),
    Case("line below the table", "a note where the decision stands", "is ignored", {"decision": "all done, Ann"}),
    Case("line below the table", "a name where the reviewer stands", "is ignored", {"reviewer": "signed: Ann Ek"}),
    Case("line below the table", "a reason and no decision", "is ignored", {"reason": "see the minutes"}),
    Case("item without an id", "a decision", "'' is not an item", {"decision": "remove", "reason": "left"}),
    Case(
        "item without an id",
        "a decision misspelt",
        "'' is not an item",
        {"decision": "remov", "who": "A", "access": "B"},
    ),
]


@each(LINES_BELOW)
@pytest.mark.parametrize("is_first", [False, True], ids=["below", "above"])
def test_a_line_without_an_item_is_ignored_or_named(
    case: Case, is_first: bool, handed_out: Table, send: Callable[..., Imported]
) -> None:
    line = [""] * len(handed_out[0])
    for column, text in case.content.items():
        line[column if isinstance(column, int) else handed_out[0].index(column)] = text
    handed_out.insert(1 if is_first else len(handed_out), line)

    found = send(handed_out)

    if case.outcome == "is ignored":
        assert found.problems == ()
        assert (found.campaign, found.new, found.blank) == (CAMPAIGN, len(handed_out) - 2, 0)
    else:
        [problem] = found.problems
        assert case.outcome in problem.text
        assert found.new == 0


@each(
    [
        Case("approver", "an address with a name", "cfo@example.com", "Eva Roth <cfo@example.com>"),
        Case("approver", "an address with a zero-width space", "cfo@example.com", "cfo@example.com\u200b"),
        Case("approver", "nobody", "an exception needs the e-mail address", ""),
        Case("approver", "a name", "'Eva Roth' is not an e-mail address", "Eva Roth"),
        Case("approver", "two at signs", "is not an e-mail address", "cfo@@example.com"),
        Case("approver", "the holder, written in another way", "cannot approve its exception", "Me <mailto:{0}>"),
    ]
)
def test_an_exception_needs_the_address_of_its_approver(
    case: Case, campaign: tuple[House, Path], handed_out: Table, send: Callable[..., Imported]
) -> None:
    names, row = handed_out[0], handed_out[1]
    given = {"decision": "exception", "expires_on": "2026-12-31"}
    given["approver"] = case.content.format(row[names.index("email")].upper())
    for name, text in given.items():
        row[names.index(name)] = text

    found = send(handed_out)

    if "@" in case.outcome:
        assert found.problems == ()
        stored = campaign[0].connection.execute("select approver from review.decisions where approver is not null")
        assert stored.fetchall() == [(case.outcome,)]
    else:
        assert [case.outcome in problem.text for problem in found.problems] == [True]
