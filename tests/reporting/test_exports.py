"""Exports of builds in unusual states: an extract that is not complete, several sources, no findings."""

from __future__ import annotations

import csv
import json

import pytest

from pipeline.reporting import exports
from tests.reporting.conftest import LEAVER_ACTIVE
from tests.reporting.sealing import write


def exported(connection, tmp_path, *names):
    # what the synthetic tables lack, and the exports read
    connection.execute("alter table reports.findings add column if not exists display_name varchar default 'a name'")
    connection.execute("create table if not exists graph.people (person_id varchar, email varchar)")
    return write(connection, tmp_path, exports=exports.chosen(names)).folder / "exports"


def states(folder):
    document = json.loads((folder / "oscal-assessment-results.json").read_text(encoding="utf-8"))
    [result] = document["assessment-results"]["results"]
    return {found["title"]: found["target"]["status"]["state"] for found in result["findings"]}


@pytest.mark.parametrize("findings", [0, 12])
def test_nothing_is_satisfied_by_an_extract_that_is_not_complete(database, tmp_path, findings):
    connection = database(completeness="PARTIAL", reason="12 accounts are missing", findings=findings)

    folder = exported(connection, tmp_path, "oscal")

    document = json.loads((folder / "oscal-assessment-results.json").read_text(encoding="utf-8"))
    [result] = document["assessment-results"]["results"]
    assert {found["target"]["status"]["state"] for found in result["findings"]} == {"not-satisfied"}
    assert result["remarks"] == "NOT COMPLETE: 12 accounts are missing"


def test_a_control_is_satisfied_until_one_of_its_rules_is_switched_off(database, tmp_path):
    connection = database(findings=0)
    connection.execute("update reports.rule_results set outcome = 'passed'")
    satisfied = states(exported(connection, tmp_path / "all", "oscal"))
    connection.execute(f"update reports.rule_results set outcome = 'off' where rule_id = '{LEAVER_ACTIVE}'")
    partly = states(exported(connection, tmp_path / "partly", "oscal"))

    assert set(satisfied.values()) == {"satisfied"}
    assert {title for title, state in partly.items() if state != "satisfied"} == {
        "SOC 2 CC6.2", "PCI DSS 4.0.1 8.2.5", "NIST SP 800-53 revision 5 AC-2", "NIST SP 800-53 revision 5 PS-4",
        "ISO 27001:2022 A.5.18", "HIPAA 164.308(a)(3)(ii)(C)",
    }  # fmt: skip


def test_trestle_reads_assessment_results_without_findings(database, tmp_path):
    from trestle.oscal.assessment_results import AssessmentResults

    folder = exported(database(findings=0, names=["two\nlines", "x"]), tmp_path, "oscal")

    assert AssessmentResults.oscal_read(folder / "oscal-assessment-results.json") is not None


def test_each_source_is_an_application_of_its_own_in_vanta(database, tmp_path):
    connection = database(sources=2, accounts=3)
    connection.execute(
        "update reports.population set source = 'prod1', status = 'inactive' where account_id like '%2'"
    )

    folder = exported(connection, tmp_path, "vanta")

    rows = {}
    for path in folder.iterdir():
        with path.open(encoding="utf-8", newline="") as file:
            rows[path.name] = [tuple(row.values()) for row in csv.DictReader(file)]
    assert rows == {
        "vanta-prod.csv": [
            ("user00000", "user00000@example.com", "Viewer", "Active"),
            ("user00001", "user00001@example.com", "Viewer", "Active"),
        ],
        "vanta-prod1.csv": [("user00002", "user00002@example.com", "Viewer", "Deactivated")],
    }


@pytest.mark.parametrize(
    ("change", "owner"),
    [
        ("account_type = 'service'", "Not a person"),
        ("person_id = 'p1', person_match = 'email'", "ann@corp.test"),
        ("email_domain = 'elsewhere.test', person_match = 'unmatched'", "External user"),
        ("person_match = 'unmatched'", "No owner"),
        ("person_match = 'ambiguous'", ""),
    ],
)
def test_an_owner_is_named_only_if_it_is_known(database, tmp_path, change, owner):
    connection = database(accounts=1)
    connection.execute("insert into policy.email_domains (email_domain) values ('example.com')")
    connection.execute("create or replace table graph.people (person_id varchar, email varchar)")
    connection.execute("insert into graph.people values ('p1', 'ann@corp.test')")
    connection.execute(f"update reports.population set {change}")

    folder = exported(connection, tmp_path, "vanta")

    with (folder / "vanta.csv").open(encoding="utf-8", newline="") as file:
        assert [row["Account owner"] for row in csv.DictReader(file)] == [owner]
