"""Two instances in one configuration: the report has one table of people and their access in both."""

from __future__ import annotations

import csv
import html
from pathlib import Path

import openpyxl
import pytest

from pipeline.simulator.server import Simulator
from tests.e2e.conftest import Outcome, run_command


@pytest.fixture(scope="module")
def instances(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    folder = tmp_path_factory.mktemp("instances")
    with Simulator(100, 7) as prod, Simulator(100, 7) as lab:
        configuration = prod.write_files(folder)["access-review.toml"]
        second = f'\n[sources.lab]\nkind = "sisense"\nurl = "{lab.url}"\nusername = "{lab.username}"\n'
        configuration.write_text(configuration.read_text(encoding="utf-8") + second, encoding="utf-8")
        secrets = {"ACCESS_REVIEW_PROD_PASSWORD": prod.password, "ACCESS_REVIEW_LAB_PASSWORD": lab.password}
        return folder, run_command(folder, "run", "--format", "csv,xlsx,html", **secrets)


def test_two_instances_make_one_report_with_one_table_of_people(instances: tuple[Path, Outcome]) -> None:
    folder, ran = instances
    assert ran.code == 0, ran.stderr
    report = Path(ran.stdout.splitlines()[0])
    with (report / "population.csv").open(encoding="utf-8", newline="") as stream:
        population = list(csv.DictReader(stream))
    held: dict[str, set[tuple[str, str]]] = {}
    for row in population:
        if row["person_id"]:
            held.setdefault(row["person_id"], set()).add((row["source"], row["account_id"]))
    several = {person: accounts for person, accounts in held.items() if len({source for source, _ in accounts}) > 1}

    asked = run_command(folder, "--json", "sql", "select person_id, source, account_id from reports.person_access")

    rows = asked.result
    told: dict[str, set[tuple[str, str]]] = {}
    for row in rows:
        told.setdefault(row["person_id"], set()).add((row["source"], row["account_id"]))
    assert {row["source"] for row in population} == {"prod", "lab"}
    assert len(several) > 10
    assert told == several


def test_people_in_several_sources_are_in_a_csv_file(instances: tuple[Path, Outcome]) -> None:
    folder, ran = instances
    report = Path(ran.stdout.splitlines()[0])
    paths = {path.name: path for path in report.iterdir()}
    asked = run_command(folder, "--json", "sql", "select * from reports.person_access")

    with paths["person_access.csv"].open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    sheet = openpyxl.load_workbook(paths["access-review.xlsx"], read_only=True)["People"]
    verified = run_command(folder, "--json", "verify", str(paths["person_access.csv"].parent), "--rebuild")

    told = asked.result
    assert list(rows[0]) == list(told[0])
    assert {(row["person_id"], row["source"], row["account_id"]) for row in rows} == {
        (row["person_id"], row["source"], row["account_id"]) for row in told
    }
    assert [row["person_id"] for row in rows] == sorted(row["person_id"] for row in rows)
    assert sheet.max_row == len(rows) + 1
    assert verified.code == 0, verified.stderr
    assert "person_access.csv" in verified.result["rebuilt"]


def test_the_report_names_people_in_several_sources(instances: tuple[Path, Outcome]) -> None:
    folder, ran = instances
    report = Path(ran.stdout.splitlines()[0])
    asked = run_command(
        folder, "--json", "sql", "select person from reports.person_access order by lower(person), person_id limit 5"
    )

    page = (report / "access-review.html").read_text(encoding="utf-8")

    section = page[page.index('id="people"') :].partition("</section>")[0]
    assert "People in several sources" in section
    assert "<script>" not in section
    assert all(row["person"] in html.unescape(section) for row in asked.result)
    assert {"<td>prod</td>", "<td>lab</td>"} <= {line.strip() for line in section.splitlines()}
