"""A maintainer adds a rule: one file, and every list, report, packet and plan has it."""

import csv
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import pytest
from pypdf import PdfReader

from pipeline.simulator.server import Simulator
from tests.e2e.program import Forking, Outcome, surroundings

ROOT = Path(__file__).parents[2]
REASON = "Another account has the same family name."
RULE = f"""/*
title       = "Shared family name"
summary     = "An active account whose family name is also another account's."
severity    = "low"
population  = "select source, account_id from graph.accounts where status = 'active' and last_name is not null"
reads       = ["graph.accounts"]
grain       = ["source", "account_id"]
remediation = "Ask both people which account is theirs."

[params]
most_accounts = 1

[controls]
iso27001 = ["A.5.16"]

[effects]
recommendation = "remove"
on             = "account"
reason         = "{REASON}"
comes_first    = true
deactivates    = true

[effects.risk]
factor     = "namesake"
likelihood = 11
*/
with

family_names as (
    select source, last_name, count(*) as account_count
    from graph.accounts
    where status = 'active' and last_name is not null
    group by source, last_name
)

select
    account.source, account.account_id, 'failed' as verdict,
    family_names.account_count || ' active accounts have this family name.' as detail
from graph.accounts as account
join family_names on family_names.source = account.source and family_names.last_name = account.last_name
where account.status = 'active' and family_names.account_count > $most_accounts

/* example
name = "two accounts with one family name fail, an account with its own passes"
given."graph.accounts" = [
  {{ source = "s", account_id = "1", status = "active", last_name = "Berg" }},
  {{ source = "s", account_id = "2", status = "active", last_name = "Berg" }},
  {{ source = "s", account_id = "3", status = "active", last_name = "Ek" }},
]
expect = [ {{ account_id = "1", verdict = "failed" }}, {{ account_id = "2", verdict = "failed" }} ]
population = 3
*/
"""


@dataclass(frozen=True)
class Extended:
    """A copy of the program with one more rule file, and the report that it made of a small Sisense."""

    program: Forking
    work: Path
    report: Path

    def command(self, *arguments: str) -> Outcome:
        done = self.program.run(self.work, arguments, surroundings())
        assert done.code == 0, done.stderr
        return done

    def rows(self, file: str) -> list[dict[str, str]]:
        with (self.report / file).open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))

    def found(self) -> dict[str, dict[str, str]]:
        return {row["account_id"]: row for row in self.rows("findings.csv") if row["rule_id"] == "family_name"}


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Extended]:
    checkout = tmp_path_factory.mktemp("checkout")
    work = tmp_path_factory.mktemp("work") / "x=[1] * {a} 100% #1 'q' é "  # no format may take offence at the folder
    for part in ("pipeline", "sql", "reports", "data/reference"):
        shutil.copytree(ROOT / part, checkout / part)
    (checkout / "sql" / "3_findings" / "family_name.sql").write_text(RULE, encoding="utf-8")
    with Simulator(60, 3) as simulator:
        simulator.write_files(work)
        program = Forking(checkout)
        done = program.run(work, ["run"], surroundings(ACCESS_REVIEW_PROD_PASSWORD=simulator.password))
        assert done.code == 0, done.stderr
    yield Extended(program, work, Path(done.stdout.splitlines()[0]))
    program.close()


def test_the_commands_that_list_rules_show_it(extended: Extended) -> None:
    assert "Shared family name" in extended.command("rules", "list").stdout
    assert "most_accounts" in extended.command("rules", "show", "family_name").stdout


def test_it_reaches_every_file_of_the_report(extended: Extended) -> None:
    found = extended.found()
    [summary] = [row for row in extended.rows("rules.csv") if row["rule_id"] == "family_name"]

    assert found
    assert int(summary["failed"]) == len(found)
    assert int(summary["population"]) == sum(int(summary[count]) for count in ("passed", "failed", "unknown"))
    assert "Shared family name" in (extended.report / "access-review.html").read_text(encoding="utf-8")
    printed = " ".join(page.extract_text() for page in PdfReader(extended.report / "access-review.pdf").pages)
    assert "Shared family name" in printed.replace("\n", " ")
    workbook = openpyxl.load_workbook(extended.report / "access-review.xlsx", read_only=True)
    cells = {cell for sheet in workbook for row in sheet.iter_rows(values_only=True) for cell in row}
    assert {"family_name", "Shared family name"} <= cells


def test_it_counts_in_the_risk_score(extended: Extended) -> None:
    # The greatest likelihood, 11, gives the whole impact: 9, 3 or 1 of 9, by the rank of the account's role.
    scores = {row["risk_score"] for row in extended.rows("population.csv") if row["account_id"] in extended.found()}

    assert scores <= {"100", "33", "11"}
    assert "11" in scores


def test_a_reviewer_reads_its_recommendation(extended: Extended) -> None:
    marked = [row for row in extended.rows("access.csv") if row["account_id"] in extended.found()]
    assert {(row["recommendation"], row["recommendation_reason"]) for row in marked} >= {("remove", REASON)}

    reviewers = ("--reviewer", "ciso@example.com", "--reviewer", "it@example.com")
    extended.command("review", "open", "--name", "Q", "--scope", "flagged", *reviewers)
    packets = [Path(line) for line in extended.command("review", "packets").stdout.splitlines()]

    texts = [path.read_text(encoding="utf-8") for path in packets if path.suffix == ".csv"]
    assert any(REASON in text for text in texts)


def test_a_plan_can_deactivate_what_it_found(extended: Extended) -> None:
    extended.command("remediate", "plan", "--rule", "family_name", "--max-share", "100")

    plan = json.loads((extended.work / "remediation-plan.json").read_text(encoding="utf-8"))
    planned = {change["account_id"] for change in plan["changes"]}
    assert planned
    assert planned <= extended.found().keys()
