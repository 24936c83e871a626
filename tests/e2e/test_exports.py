"""Exports: the programs that they are for can read them, and they say no more than the review does."""

from __future__ import annotations

import csv
import json
import re
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from pipeline.reporting.exports import exports
from tests.e2e.conftest import Finished

#: Where Vanta publishes its headings and the values that it accepts; sql/exports/vanta.sql names the same address.
VANTA = "https://help.vanta.com/en/articles/11345421-access-file-uploader"
HEADINGS = ["Account name", "Account owner", "Role", "Status"]
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:sisense-access-review")


@pytest.fixture(scope="module")
def exported(finished: Finished, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("exports")
    ran = finished.command("report", "--format", "csv", "--export", "vanta", "--export", "oscal", "--out", str(out))
    assert ran.code == 0, ran.stderr
    return Path(ran.stdout.splitlines()[0])


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def oscal(report: Path) -> Any:
    return json.loads((report / "exports" / "oscal-assessment-results.json").read_text(encoding="utf-8"))


def test_vanta_accepts_every_account(exported: Path) -> None:
    source = next(export.source for export in exports() if export.name == "vanta")
    with (exported / "exports" / "vanta.csv").open(encoding="utf-8", newline="") as file:
        assert next(csv.reader(file)) == HEADINGS
    rows = table(exported / "exports" / "vanta.csv")
    population = table(exported / "population.csv")

    assert source == VANTA
    assert Counter(row["Status"] for row in rows) == Counter(
        "Deactivated" if row["status"] == "inactive" else "Active" for row in population
    )
    owners = {row["Account owner"] for row in rows}
    assert all("@" in owner or owner in {"", "Not a person", "No owner", "External user"} for owner in owners)
    assert {"Not a person", "No owner"} <= owners
    assert {row["Role"] for row in rows} >= {"Viewer", "Designer"}


def test_trestle_reads_the_assessment_results(exported: Path) -> None:
    from trestle.oscal.assessment_results import AssessmentResults

    read = AssessmentResults.oscal_read(exported / "exports" / "oscal-assessment-results.json")

    assert read is not None
    [result] = read.results
    assert len(result.observations or ()) == len(table(exported / "rules.csv"))


def test_every_reference_in_the_assessment_results_leads_somewhere(exported: Path) -> None:
    document = oscal(exported)["assessment-results"]
    [result] = document["results"]
    local = result["local-definitions"]
    subjects = {each["uuid"] for each in [*local["users"], *local["inventory-items"]]}
    named = [each["subject-uuid"] for seen in result["observations"] for each in seen.get("subjects", ())]
    seen = {observation["uuid"] for observation in result["observations"]}
    related = {each["observation-uuid"] for found in result["findings"] for each in found["related-observations"]}
    files = [each["href"] for observation in result["observations"] for each in observation["relevant-evidence"]]

    assert len(named) == len(table(exported / "findings.csv"))
    assert set(named) == subjects
    assert related <= seen
    assert document["import-ap"]["href"] == f"#{document['back-matter']['resources'][0]['uuid']}"
    assert all((exported / "exports" / href).is_file() for href in files)
    plan = f"plan:{document['metadata']['props'][0]['value']}"
    assert document["import-ap"]["href"] == f"#{uuid.uuid5(NAMESPACE, plan)}"


def test_a_control_is_satisfied_only_if_every_rule_for_it_was_evaluated_and_found_nothing(exported: Path) -> None:
    [result] = oscal(exported)["assessment-results"]["results"]
    rules: dict[str, list[dict[str, str]]] = {}
    for rule in table(exported / "rules.csv"):
        for framework, controls in re.findall(r"(\w+): ([^;]+)", rule["controls"]):
            for control in controls.split(", "):
                rules.setdefault(f"{framework} {control}", []).append(rule)
    short = {"SOC 2": "soc2", "ISO 27001:2022": "iso27001", "PCI DSS 4.0.1": "pci", "CIS Controls 8": "cis",
             "NIST SP 800-53 revision 5": "nist", "HIPAA": "hipaa"}  # fmt: skip
    states = {found["title"]: found["target"]["status"] for found in result["findings"]}

    assert len(states) == len(rules)
    for title, status in states.items():
        framework, control = title.rsplit(" ", 1)
        wanted = rules[f"{short[framework]} {control}"]
        clean = all(rule["enabled"] == "true" and rule["unknown"] == rule["failed"] == "0" for rule in wanted)
        if status["state"] == "satisfied":
            assert clean, title
            assert any(int(rule["passed"]) for rule in wanted), title
        elif all(rule["failed"] == "0" for rule in wanted):
            assert status["reason"] == "other", title
    assert {status["reason"] for status in states.values()} >= {"fail", "other"}


def test_exports_are_sealed_and_the_same_again(finished: Finished, exported: Path, tmp_path: Path) -> None:
    verified = finished.command("verify", str(exported))
    again = finished.command("report", "--format", "csv", "--export", "oscal", "--out", str(tmp_path))
    listed = {file["path"] for file in json.loads((exported / "manifest.json").read_text())["files"]}
    path = Path("exports") / "oscal-assessment-results.json"

    assert verified.code == 0, verified.stderr
    assert {"exports/vanta.csv", path.as_posix()} <= listed
    assert (Path(again.stdout.splitlines()[0]) / path).read_bytes() == (exported / path).read_bytes()
    (exported / path).write_bytes((exported / path).read_bytes().replace(b"not-satisfied", b"satisfied", 1))
    assert path.as_posix() in finished.command("verify", str(exported)).stdout


def test_the_list_names_each_format_with_its_source_and_date(finished: Finished) -> None:
    listed = finished.command("--json", "report", "--export", "list").result

    assert [export["name"] for export in listed] == ["oscal", "vanta"]
    assert all(re.match(r"https://\S+$", export["source"]) for export in listed)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", export["checked"]) for export in listed)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("vnta", "did you mean 'vanta'?"),
        ("xyz", "use oscal, vanta; --export list describes them"),
        ("ocsf", "access-review watch --format ocsf"),
    ],
)
def test_a_wrong_name_says_which_there_are(finished: Finished, name: str, hint: str) -> None:
    ran = finished.command("report", "--export", name)

    assert ran.code == 2
    assert hint in ran.stderr
