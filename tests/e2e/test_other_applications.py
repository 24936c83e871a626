"""A quarter over two applications that are read from files: findings, one campaign, sign-off, and a task list."""

from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest

from pipeline import Project, load_settings
from pipeline.remediation.service import RemediationService, Selection
from pipeline.remediation.tasks import without_owner
from pipeline.review.service import NewCampaign, ReviewService
from pipeline.review.signing import Signer

CONFIGURATION = """
[organization]
email_domains = ["example.com"]
[roster]
path = "people.csv"
[policy]
directory = "policy"
[sources.hr_app]
kind = "files"
path = "hr"
[sources.pay]
kind = "files"
path = "pay"
"""
PEOPLE = """person_id,email,display_name,manager_email,employment_status
ann,ann@example.com,Ann Ek,boss@example.com,active
bo,bo@example.com,Bo Berg,boss@example.com,active
boss,boss@example.com,Boss Bo,,active
"""
POLICY = {
    "sod_pairs.csv": "left_type,left_name,right_type,right_name,reason\n"
    "hr_app:role,Payroll clerk,pay:permission,Release payments,four eyes\n",
    "owners.csv": "entitlement_type,entitlement_name,reviewer_email\n"
    "pay:permission,Release payments,finance@example.com\n",
    "roles.csv": "role_name,rank,privileged,source\nPayroll clerk,40,false,hr_app\n",
}
HEADINGS = "account_id,user_name,email,first_name,last_name,status,created_at,last_login_at\n"
USED = "active,2025-01-01T00:00:00Z,2025-12-20T00:00:00Z\n"
HR = {
    "accounts.csv": f"{HEADINGS}1,ann,ann@example.com,Ann,Ek,{USED}2,bo,bo@example.com,Bo,Berg,{USED}",
    "entitlements.csv": "entitlement_type,entitlement_id,entitlement_name\nrole,role:clerk,Payroll clerk\n",
    "grants.csv": "account_id,entitlement_id\n1,role:clerk\n2,role:clerk\n",
}
PAY = {
    "accounts.csv": f"{HEADINGS}p2,bo,bo@example.com,Bo,Berg,{USED}",
    "entitlements.csv": "entitlement_type,entitlement_id,entitlement_name,privileged\n"
    "permission,release,Release payments,true\n",
    "grants.csv": "account_id,entitlement_id\np2,release\n",
}


def write(folder: Path, files: dict[str, str]) -> None:
    folder.mkdir(exist_ok=True)
    listed = []
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
        sha256 = hashlib.sha256(text.encode()).hexdigest()
        listed.append({"name": name, "rows": text.count("\n") - 1, "sha256": sha256})
    (folder / "manifest.json").write_text(json.dumps({"files": listed}), encoding="utf-8")


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def decide(packet: Path) -> None:
    """Remove what conflicts, and keep the rest."""
    rows = table(packet)
    for row in rows:
        row["decision"], row["reason"] = ("remove" if row["conflict"] else "keep"), "said in the review"
    with packet.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture(scope="module")
def quarter(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Run a quarter: report, review, sign-off, plan; then a new file without one of two removals, and a new plan."""
    folder = tmp_path_factory.mktemp("quarter")
    write(folder / "hr", HR)
    write(folder / "pay", PAY)
    (folder / "people.csv").write_text(PEOPLE, encoding="utf-8")
    write(folder / "policy", POLICY)
    (folder / "policy" / "manifest.json").unlink()
    (folder / "access-review.toml").write_text(CONFIGURATION, encoding="utf-8")
    settings = load_settings(folder / "access-review.toml")
    project, review, remediation = (
        Project(settings, {}),
        ReviewService(settings, {}),
        RemediationService(settings, {}),
    )
    report = project.run(formats=["csv"]).report.folder
    opened = review.open(NewCampaign("Q", reviewers=("owner", "manager", "ciso@example.com")))
    packets = [path for path in review.write_packets().files if path.suffix == ".csv"]
    for packet in packets:
        decide(packet)
    imported = review.import_files(packets)
    review.sign_off(Signer("Cy", "ciso@example.com", "CISO"))
    selection = Selection(campaign="Q", max_share=100)
    first = remediation.plan(selection, folder / "first.json")
    write(folder / "hr", HR | {"grants.csv": "account_id,entitlement_id\n1,role:clerk\n"})
    project.run(formats=["csv"])
    second = remediation.plan(selection, folder / "second.json")
    return {
        "report": report, "opened": opened, "imported": imported, "first": first, "second": second, "project": project
    }  # fmt: skip


def test_a_conflict_spans_two_applications(quarter: dict[str, Any]) -> None:
    conflicts = [row for row in table(quarter["report"] / "findings.csv") if row["subject_type"] == "person"]

    assert [(row["subject_id"], row["status"]) for row in conflicts] == [("bo", "open")]
    assert "hr_app:role Payroll clerk and pay:permission Release payments" in conflicts[0]["detail"]


def test_a_person_has_every_account_side_by_side(quarter: dict[str, Any]) -> None:
    rows = table(quarter["report"] / "person_access.csv")

    assert [(row["person"], row["source"], row["groups"], row["privileged"]) for row in rows] == [
        ("Bo Berg", "hr_app", "Payroll clerk", "false"),
        ("Bo Berg", "pay", "Release payments", "true"),
    ]


def test_owners_and_managers_decide_and_no_decision_is_a_problem(quarter: dict[str, Any]) -> None:
    reviewers = {row.reviewer_email: row.items for row in quarter["opened"].reviewers}

    assert reviewers == {"boss@example.com": 2, "finance@example.com": 1}
    assert [imported.problems for _, imported in quarter["imported"].files] == [(), ()]


def test_removals_are_tasks_with_one_mail_for_each_owner(quarter: dict[str, Any]) -> None:
    first = quarter["first"]
    tasks, *mails = first.task_files

    assert (first.plan.changes, first.file) == ((), None)
    assert [(row["owner_email"], row["source"], row["action"], row["entitlement_id"]) for row in table(tasks)] == [
        ("boss@example.com", "hr_app", "remove", "role:clerk"),
        ("finance@example.com", "pay", "remove", "release"),
    ]
    read = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in mails]
    assert [mail["To"] for mail in read] == ["boss@example.com", "finance@example.com"]
    assert "Take the permission Release payments from Bo Berg" in " ".join(read[1].get_content().split())
    boss, finance = first.tasks
    assert without_owner([boss, finance]) is None
    assert str(without_owner([replace(boss, owner_email=None), finance])).startswith("no owner is known for 1 task: ")


def test_only_the_next_file_closes_a_task(quarter: dict[str, Any]) -> None:
    assert [(task.source, task.entitlement_id) for task in quarter["second"].tasks] == [("pay", "release")]
    assert [path.name for path in quarter["second"].task_files[1:]] == ["finance@example.com.eml"]
    changes = quarter["project"].query("select object_kind, change, key, field from reports.changes").rows()
    assert changes == [("membership", "removed", "2:role:clerk", "role")]
