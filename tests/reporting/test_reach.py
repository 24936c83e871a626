"""The section "Who can see which data": what it says of whole, partial and missing lists; its numbers agree."""

from __future__ import annotations

import csv
import html
import re
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from tests.reporting.conftest import fill
from tests.reporting.sealing import write

Database = Callable[..., duckdb.DuckDBPyConnection]
#: Lists of objects and settings.
LISTS = 8


def words(markup: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", markup)).split())


def section(folder: Path, name: str = "reach") -> str:
    """Return the markup of one section of the HTML report, empty if there is none."""
    text = (folder / "access-review.html").read_text(encoding="utf-8")
    found = re.search(rf'<section id="{name}".*?</section>', text, re.DOTALL)
    return found[0] if found else ""


def rows(markup: str, heading: str) -> list[list[str]]:
    """Return the cells of the table below a heading."""
    table = re.search(rf'aria-labelledby="{heading}">(.*?)</table>', markup, re.DOTALL)
    assert table, heading
    body = table[1].partition("</thead>")[2]
    return [
        [words(cell) for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.DOTALL)]
        for row in re.findall(r"<tr.*?</tr>", body, re.DOTALL)
    ]


def records(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the report of 60 objects, whose lists were all read whole."""
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        fill(connection, object_count=60)
        return write(connection, tmp_path_factory.mktemp("objects"), "html").folder


def test_the_headline_counts_what_reach_csv_lists(whole: Path) -> None:
    text = words(section(whole))
    grants = records(whole, "reach.csv")

    def objects(*holders: str, kind: str = "") -> int:
        return len(
            {
                (row["object_type"], row["object_id"])
                for row in grants
                if row["object_id"] and row["granted_to_type"] in holders and kind in ("", row["object_type"])
            }
        )

    held = ("account", "group")
    assert (
        f"There are {objects(*held, kind='dashboard')} dashboards and {objects(*held, kind='model')} data models."
        in text
    )
    assert f"{objects('public')} dashboard is public" in text
    assert f"{objects('everyone')} objects are shared with everyone" in text
    assert f"{objects('invitation')} objects are shared by invitation with people without an account" in text
    assert "NOT COMPLETE" not in text


def test_a_table_counts_the_grants_of_reach_csv_the_most_exposed_first(whole: Path) -> None:
    markup = section(whole)
    grants = records(whole, "reach.csv")
    shown = rows(markup, "reach-exposed")

    assert len(shown) == 12
    for cells in shown:
        name = cells[0].partition(" dashboard ·")[0].partition(" data model ·")[0]
        of_object = [row for row in grants if row["object_name"] == name]
        groups = sum(row["granted_to_type"] == "group" for row in of_object)
        assert f"{groups} groups" in cells[1]
        assert ("everyone" in cells[1]) == any(row["granted_to_type"] == "everyone" for row in of_object)
        assert ("anyone with the link" in cells[1]) == any(row["granted_to_type"] == "public" for row in of_object)
    counted = [("anyone" in cells[1], int(cells[2])) for cells in shown]
    assert counted == sorted(counted, reverse=True)
    assert "12 of 60 objects are shown here, the most exposed first; the rest is in reach.csv." in words(markup)


def test_the_paths_of_a_sensitive_object_are_its_grants_and_the_roles(whole: Path) -> None:
    grants = records(whole, "reach.csv")
    shown = rows(section(whole), "reach-sensitive")

    first = next(n for n, cells in enumerate(shown) if "dashboard" in cells[0])
    name = shown[first][0].partition(" dashboard")[0]
    paths = shown[first + 1 : first + 9]
    of_object = [row for row in grants if row["object_name"] == name]
    assert paths[0][0] == "Anyone with the link"
    assert ["Group Sales Team", "may view", "14", "1", "0"] in paths
    assert paths[6] == ["Role Sys. Admin", "may edit", "2", "2", "0"]
    assert paths[7] == [f"{len(of_object) - 6} more grants in reach.csv"]


def test_seats_that_can_be_freed_are_those_of_licences_csv(whole: Path) -> None:
    accounts = records(whole, "licences.csv")
    seats = rows(section(whole), "reach-seats")

    assert sum(int(row[1]) for row in seats) == len(accounts)
    assert sum(int(row[4]) for row in seats) == sum(row["reclaimable"] == "true" for row in accounts)


def test_a_list_that_is_not_whole_is_named_with_what_is_missing(database: Database, tmp_path: Path) -> None:
    folder = write(database(object_count=5, object_state="PARTIAL"), tmp_path, "html").folder

    text = words(section(folder))
    assert "NOT COMPLETE: these lists were not read whole" in text
    assert text.count("The server answered with PARTIAL. Who reaches these is not known.") == LISTS
    assert "There are 4 dashboards and 1 data model." in text


def test_a_report_without_objects_has_one_paragraph_and_no_section(database: Database, tmp_path: Path) -> None:
    folder = write(database(), tmp_path, "html").folder

    assert section(folder) == ""
    about = words(section(folder, "about"))
    assert (
        "Which dashboards, data models and rows an account can see is not part of this report. "
        "The server answered with NOT_READ. Roles and groups, with who holds them, are;"
    ) in about
    assert records(folder, "reach.csv") == []
    assert records(folder, "licences.csv")


def test_the_criteria_list_the_labels_of_objects(database: Database) -> None:
    listed = dict(database().execute("select name, meaning from reports.criteria").fetchall())

    assert "labels of sensitive dashboards, data models and folders" in listed["objects.csv"]
