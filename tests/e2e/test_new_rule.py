"""Adding a rule is adding one file; every list and report then includes it."""

import csv
import shutil
from pathlib import Path

from pypdf import PdfReader

from pipeline.simulator.server import Simulator
from tests.e2e.conftest import run_command

ROOT = Path(__file__).parents[2]
RULE = """/*
title       = "Account with a borrowed name"
summary     = "An account whose family name is also another account's."
severity    = "low"
population  = "select source, account_id from graph.accounts where last_name is not null"
reads       = ["graph.accounts"]
grain       = ["source", "account_id"]
remediation = "Ask them both."

[params]
most_accounts = 1

[controls]
iso27001 = ["A.5.16"]
*/
with

names as (
    select source, last_name, count(*) as accounts from graph.accounts where last_name is not null group by all
)

select
    account.source, account.account_id, 'failed' as verdict, names.accounts || ' accounts share the name.' as detail
from graph.accounts as account
join names on names.source = account.source and names.last_name = account.last_name
where names.accounts > $most_accounts

/* example
name = "two of a name fail, one alone passes"
given."graph.accounts" = [
  { source = "s", account_id = "1", last_name = "Berg" }, { source = "s", account_id = "2", last_name = "Berg" },
  { source = "s", account_id = "3", last_name = "Ek" },
]
expect = [ { account_id = "1", verdict = "failed" }, { account_id = "2", verdict = "failed" } ]
population = 3
*/
"""


def test_a_rule_file_alone_reaches_every_list_and_report(tmp_path: Path) -> None:
    checkout, work = tmp_path / "checkout", tmp_path / "work"
    work.mkdir()
    for part in ("pipeline", "sql", "reports", "data/reference"):
        shutil.copytree(ROOT / part, checkout / part, ignore=shutil.ignore_patterns("__pycache__"))
    (checkout / "sql" / "3_findings" / "borrowed_name.sql").write_text(RULE, encoding="utf-8")
    here = {"PYTHONPATH": str(checkout)}

    with Simulator(120, 3) as simulator:
        simulator.write_files(work)
        done = run_command(
            work, "run", "--format", "csv,html,pdf", ACCESS_REVIEW_PROD_PASSWORD=simulator.password, **here
        )
    assert done.code == 0, done.stderr
    listed = run_command(work, "rules", "list", **here)
    shown = run_command(work, "rules", "show", "borrowed_name", **here)

    assert "borrowed_name" in listed.stdout
    assert "most_accounts" in shown.stdout
    report = Path(done.stdout.splitlines()[0])
    with (report / "findings.csv").open(encoding="utf-8", newline="") as file:
        found = [row for row in csv.DictReader(file) if row["rule_id"] == "borrowed_name"]
    with (report / "rules.csv").open(encoding="utf-8", newline="") as file:
        [summary] = [row for row in csv.DictReader(file) if row["rule_id"] == "borrowed_name"]
    assert found
    assert int(summary["failed"]) == len(found)
    assert int(summary["population"]) == sum(int(summary[count]) for count in ("passed", "failed", "unknown"))
    assert "Account with a borrowed name" in (report / "access-review.html").read_text(encoding="utf-8")
    printed = " ".join(page.extract_text() for page in PdfReader(report / "access-review.pdf").pages)
    assert "Account with a borrowed name" in printed.replace("\n", " ")
