"""The brief of the report: every figure on its three pages is counted again from the CSV files of the same folder."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from pypdf import PdfReader

from pipeline import resources
from pipeline.warehouse.model_file import load_folder
from tests.e2e.conftest import Finished
from tests.rules import rule

SEVERITIES = {"critical": "◆", "high": "▲", "medium": "■", "low": "●", "info": "○"}
Row = dict[str, str]


class Brief:
    """The text of the brief, and the tables it must agree with."""

    def __init__(self, folder: Path) -> None:
        pages = [" ".join(page.extract_text().split()) for page in PdfReader(folder / "access-review.pdf").pages]
        self.page_count = len(pages)
        self.first_of_findings = next(n for n, text in enumerate(pages, 1) if "Critical: " in text)
        self.text = " ".join(pages[:3])
        self.manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        self.as_of = date.fromisoformat(self.manifest["as_of"][:10])
        self.population, self.rules = self.rows(folder, "population"), self.rows(folder, "rules")
        self.access, self.checks = self.rows(folder, "access"), self.rows(folder, "reconciliation")
        self.open = [row for row in self.rows(folder, "findings") if row["status"] == "open"]

    @staticmethod
    def rows(folder: Path, name: str) -> list[Row]:
        with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def brief(finished: Finished) -> Brief:
    return Brief(finished.report)


def day(text: str) -> str:
    at = date.fromisoformat(text[:10])
    return f"{at.day} {at:%b %Y}"


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def titled(row: Row) -> str:
    return row["display_name"] or row["subject_id"]


def headline(brief: Brief) -> Iterator[str]:
    status = Counter(row["status"] for row in brief.population)
    in_scope = [row for row in brief.population if row["in_scope"] == "true"]
    clean = sum(row["finding_count"] == "0" for row in in_scope)
    affected = sum(row["finding_count"] != "0" for row in brief.population)
    privileged = sum(row["privileged"] == "true" and row["status"] == "active" for row in brief.population)
    leavers = {row["account_id"] for row in brief.open if row["rule_id"] == rule("Leaver still active")}
    total, found = len(brief.population), len(brief.open)
    yield f"{total:,} accounts, {status['active']:,} active"
    yield f"{privileged:,} active privileged accounts"
    on_accounts = sum(bool(row["account_id"]) or row["subject_type"] == "person" for row in brief.open)
    others = "on groups, roles, dashboards, data models and sources"
    yield f"{found:,} open findings, {on_accounts:,} on {affected:,} accounts"
    yield f"{found:,} open findings = {on_accounts:,} on {affected:,} accounts + {found - on_accounts:,} {others}"
    yield f"{len(leavers):,} leavers still active"
    yield f"Of {len(in_scope):,} accounts in scope, {clean:,} have no open findings."
    yield f"{len(leavers):,} accounts of people who have left are still active: act on these first."
    yield f"{total:,} accounts = {len(in_scope):,} in scope + {total - len(in_scope):,} out of scope with approval"
    yield (
        f"{total:,} accounts = {status['active']:,} active + {status['inactive']:,} inactive + "
        f"{status['pending']:,} pending + {status['unknown']:,} of unknown status"
    )
    yield f"{len(in_scope):,} in scope = {len(in_scope) - clean:,} with open findings + {clean:,} without"
    yield f"{total:,} accounts of prod"
    yield f"{total:,} accounts as of"
    excluded = total - len(in_scope)
    yield f"{counted(excluded, 'account')} out of scope with approval"
    enabled = sum(row["enabled"] == "true" for row in brief.rules)
    missing = sum(not_evaluated(brief).values())
    yield f"{enabled - missing:,} rules over {len(in_scope):,} accounts in scope, with {found:,} open findings"
    yield f"{missing:,} rules were not evaluated"
    yield f"reconciliation.csv has {len(brief.checks):,} checks"
    yield from (row["explanation"] for row in brief.checks if row["result"] == "FAIL")


def severities(brief: Brief) -> Iterator[str]:
    soon = (brief.as_of + timedelta(days=7)).isoformat()
    found = Counter(row["severity"] for row in brief.open)
    late = Counter(row["severity"] for row in brief.open if row["overdue"] == "true")
    due = Counter(row["severity"] for row in brief.open if row["overdue"] == "false" and "" < row["due_at"] <= soon)
    for severity, shape in SEVERITIES.items():
        of_dates = (
            "– –" if severity == "info" else f"{'✗ ' if late[severity] else ''}{late[severity]} {due[severity]}"
        )
        yield f"{shape} {severity} {found[severity]} {of_dates}"
    yield f"Total {found.total()} {late.total()} {due.total()}"
    yield f"{found.total()} open findings = {' + '.join(f'{found[each]} {each}' for each in SEVERITIES)}"
    named = [f"{found[each]} {each}" for each in SEVERITIES if found[each]]
    yield f"Open findings of this extract: {', '.join(named)}."


def not_evaluated(brief: Brief) -> Counter[str]:
    """Return how many rules have no result, by the reason."""
    missing = {"provider": "no identity provider was read"}
    if all(row["change_since_baseline"] == "no_baseline" for row in brief.population):
        missing["baseline"] = "there is no earlier snapshot to compare with"
    if not any(row["prior_decision"] for row in brief.access):
        missing["campaign"] = "there has been no review yet"
    needs = {model.name: model.needs for model in load_folder(resources.sql(), ("3_findings",))}
    reasons: Counter[str] = Counter()
    for row in brief.rules:
        if row["enabled"] == "true" and row["failed"] == row["passed"] == "0":
            lacking = missing.get(needs[row["rule_id"]] or "")
            if lacking or row["population"] != "0":
                reasons[lacking or "the data is missing from the extract"] += 1
    return reasons


def actions(brief: Brief) -> Iterator[tuple[str, int]]:
    """Yield a pattern for the text of each of the ten most urgent actions, and how many owners are not named."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in brief.open:
        groups.setdefault((row["rule_id"], row["severity"]), []).append(row)

    def urgency(rows: list[Row]) -> tuple[object, ...]:
        rank = list(SEVERITIES).index(rows[0]["severity"])
        late = any(row["overdue"] == "true" for row in rows)
        first = min((row["due_at"] for row in rows if row["due_at"]), default="9999")
        return 0 if rank == 0 else 1 if late else 2, rank, first, -len(rows), rows[0]["title"], rows[0]["rule_id"]

    for rows in sorted(groups.values(), key=urgency)[:10]:
        subjects: dict[str, list[Row]] = {}
        for row in rows:
            person = row["person_id"] if row["subject_type"] != "object" else ""
            key = person or f"{row['source']}:{row['subject_type']}:{row['subject_id']}"
            subjects.setdefault(key, []).append(row)
        ordered = sorted(
            (
                (
                    not any(row["overdue"] == "true" for row in found),
                    min(row["due_at"] or "9999" for row in found),
                    min(map(titled, found)).lower(),
                    key,
                    min(map(titled, found)),
                )
                for key, found in subjects.items()
            ),
        )
        names = ", ".join(each[-1] for each in ordered[:4])
        more = f" and {len(ordered) - 4} more" if len(ordered) > 4 else ""
        severity, late = rows[0]["severity"], sum(row["overdue"] == "true" for row in rows)
        due = min(row["due_at"] for row in rows if row["due_at"])
        owners = len({row["owner_email"] for row in rows if row["owner_email"]})
        overdue = f" ✗ {f'{late} ' if len(rows) > 1 else ''}overdue" if late else ""
        yield (
            re.escape(f"{rows[0]['title']}: {rows[0]['recommended_action']} {names}{more}")
            + re.escape(f" {SEVERITIES[severity]} {severity} {counted(len(rows), 'finding')} ")
            + r"(?P<owner>.*?) "
            + re.escape(f"{day(due)}{overdue}"),
            max(owners - 2, 0),
        )
    yield re.escape(f"{len(groups) - 10} more actions follow"), 0


def test_every_figure_of_the_brief_is_counted_again_from_the_csv_files(brief: Brief) -> None:
    left = brief.text
    for said in sorted([*headline(brief), *severities(brief)], key=len, reverse=True):
        assert said in left, said
        left = left.replace(said, "")
    for pattern, unnamed in actions(brief):
        found = re.search(pattern, left)
        assert found, pattern
        owner = found.groupdict().get("owner", "")
        assert owner.partition("; ")[0].endswith(f"and {unnamed} more") == bool(unnamed), owner
        left = left.replace(found[0], "")
    reasons = not_evaluated(brief)
    said = re.search(r"(\d+) of (\d+) rules were not evaluated: (.*?)\.", left)
    assert said
    assert (int(said[1]), int(said[2])) == (reasons.total(), len(brief.rules))
    parts = [part.partition(" because ") for part in said[3].split("; ")]
    assert {reason: int(times) for times, _, reason in parts} == reasons
    left = left.replace(said[0], "")
    checks = re.search(
        r"All (\d+) gate checks passed; of (\d+) information checks (\d+) failed and (\d+) were not available\.", left
    )
    assert checks
    results = Counter(row["result"] for row in brief.checks)
    assert int(checks[1]) + int(checks[2]) == len(brief.checks)
    assert (int(checks[3]), int(checks[4])) == (results["FAIL"], results["NOT_AVAILABLE"])
    left = left.replace(checks[0], "")

    for known in (
        *(brief.manifest[name] for name in ("snapshot_id", "build_id", "data_sha256")),
        brief.manifest["tool"]["version"],
        brief.manifest["sources"][0]["url"].partition("//")[2],
        "Due in 7 days",
        "SHA-256",
    ):
        assert known in left, known
        left = left.replace(known, "")
    left = re.sub(r"\d{1,2} [A-Z][a-z]{2} \d{4}( \d\d:\d\d(:\d\d)? UTC)?", "", left)
    left = re.sub(rf"\d of {brief.page_count}\b|( \.)+ \d+", "", left)  # the page, and pages in the contents
    assert re.findall(r"\S*\d\S*", left) == []


def test_the_report_of_2000_accounts_is_short_and_soon_at_the_findings(brief: Brief) -> None:
    assert brief.page_count <= 30
    assert brief.first_of_findings <= 5
