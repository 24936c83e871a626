"""From a Sisense to the reports: a run finds exactly the planted findings."""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter
from functools import cache
from pathlib import Path

import duckdb
import pytest
from pypdf import PdfReader

from pipeline import resources
from pipeline.simulator.answer_key import PlantedObject, PlantedRule
from pipeline.simulator.server import Simulator
from pipeline.warehouse.model import SEVERITIES
from pipeline.warehouse.model_file import load_folder
from tests.e2e.conftest import ACCOUNTS, Finished, run_command

#: Rules that compare with peers: the answer key decides only on accounts that belong to a person.
ABOUT_PEERS = {
    PlantedRule.OVER_PRIVILEGED_VS_PEERS, PlantedRule.RARE_GROUP_MEMBERSHIP, PlantedRule.EXCESSIVE_GROUPS,
}  # fmt: skip


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@cache
def printed(path: Path) -> str:
    """Return the text of a PDF on one line."""
    return " ".join(" ".join(page.extract_text().split()) for page in PdfReader(path).pages)


def answerable(report: Path) -> list[dict[str, str]]:
    """Return the findings that the answer key decides on. Those about objects have one of their own."""
    known = {row["account_id"] for row in rows(report / "population.csv") if row["person_id"]}
    return [
        row
        for row in rows(report / "findings.csv")
        if row["rule_id"] not in set(PlantedObject)
        and (row["rule_id"] not in ABOUT_PEERS or row["account_id"] in known)
    ]


def test_a_run_finds_exactly_the_planted_findings(finished: Finished) -> None:
    planted = Counter(
        (row["rule_id"], row["severity"], row["account_id"], row["status"])
        for row in rows(finished.folder / "planted.csv")
    )

    found = Counter(
        (row["rule_id"], row["severity"], row["account_id"], row["status"]) for row in answerable(finished.report)
    )
    assert found == planted
    assert len(planted) > 100


def test_the_population_has_every_account_with_its_state(finished: Finished) -> None:
    population = rows(finished.report / "population.csv")

    truth = finished.simulator.population
    assert [row["account_id"] for row in population] == sorted(user["_id"] for user in truth.users)
    assert len(population) == ACCOUNTS
    assert Counter(row["login_state"] for row in population) == Counter(truth.login_states)
    assert Counter(row["status"] for row in population) == Counter(truth.statuses)
    assert {row["change_since_baseline"] for row in population} == {"no_baseline"}


def test_the_results_of_every_rule_add_up_to_its_population(finished: Finished) -> None:
    # Without a campaign there are no decisions to examine, without a directory nobody is assigned.
    examined_later = ("graph.review_decisions", "graph.revocations", "graph.provider_users")
    unexamined = {
        model.name
        for model in load_folder(resources.sql())
        if any(table in model.population for table in examined_later)
    }
    for row in rows(finished.report / "rules.csv"):
        results = [int(row[name]) for name in ("passed", "failed", "unknown")]
        assert int(row["population"]) == sum(results), row["rule_id"]
        assert (sum(results) > 0) == (row["rule_id"] not in unexamined), row["rule_id"]


def test_stdout_has_the_folder_and_the_pdfs_and_stderr_the_rest(finished: Finished) -> None:
    folder, *pdfs = (Path(line) for line in finished.outcome.stdout.splitlines())
    assert {path.name for path in folder.iterdir()} >= {"population.csv", "findings.csv", "rules.csv"}
    assert pdfs == [folder / "access-review.pdf", folder / "access-review-evidence.pdf"]
    assert all(pdf.is_file() for pdf in pdfs)
    counts = Counter(row["severity"] for row in rows(finished.report / "findings.csv") if row["status"] == "open")
    by_severity = ", ".join(f"{counts[severity]} {severity}" for severity in SEVERITIES)
    assert f"findings  {counts.total()} open: {by_severity}" in finished.outcome.stderr
    story = " ".join(finished.outcome.stderr.split())
    asked = finished.command(
        "--json", "sql", "select count(*) as rules from reports.unevaluated_rules where outcome = 'not_evaluated'"
    )
    unevaluated, known = asked.result[0]["rules"], len(rows(finished.report / "rules.csv"))
    assert 10 < unevaluated < known
    assert f"{unevaluated} of {known} rules were not evaluated: " in story
    assert "6 because there is no earlier snapshot to compare with" in story
    assert "\x1b" not in finished.outcome.stdout + finished.outcome.stderr


def test_a_second_report_of_one_snapshot_has_the_same_bytes(finished: Finished, tmp_path: Path) -> None:
    again = finished.command("report", "--out", str(tmp_path))

    assert again.code == 0, again.stderr
    copy = tmp_path / finished.report.name
    copies = {path.relative_to(copy): path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    first = {
        path.relative_to(finished.report): path.read_bytes() for path in finished.report.rglob("*") if path.is_file()
    }
    assert copies == first


def test_a_rebuild_of_one_snapshot_has_the_same_bytes(finished: Finished, tmp_path: Path) -> None:
    shutil.copytree(finished.folder, tmp_path, dirs_exist_ok=True)
    before = {path.name: path.read_bytes() for path in finished.report.glob("*.csv")}

    assert run_command(tmp_path, "build").code == 0
    again = run_command(tmp_path, "report", "--format", "csv", "--out", "again")

    assert again.code == 0, again.stderr
    rebuilt = tmp_path / "again" / finished.report.name
    assert {path.name: path.read_bytes() for path in rebuilt.glob("*.csv")} == before


def test_hostile_names_are_plain_text_in_every_file(finished: Finished) -> None:
    population = rows(finished.report / "population.csv")
    names = {row["display_name"] for row in population} | {row["first_name"] for row in population}

    assert any(name.startswith("'=HYPERLINK(") for name in names)
    assert not any(name.startswith("=") for name in names)
    assert any("<script>" in name for name in names)
    assert any('<img src="file:///etc/passwd">' in name for name in names)
    assert any(len(name) >= 300 for name in names)
    assert any("\n" in name for name in names)
    assert any('"' in name for name in names)

    text = printed(finished.report / "access-review.pdf") + printed(finished.report / "access-review-evidence.pdf")
    assert "root:" not in text  # the first line of the file that one name asks for


def test_the_report_has_its_sections(finished: Finished) -> None:
    text, evidence = (
        printed(finished.report / "access-review.pdf"),
        printed(finished.report / "access-review-evidence.pdf"),
    )

    for part in (text, evidence):
        assert "Example Corp" in part
        assert f"{ACCOUNTS} accounts" in part
        assert "NOT COMPLETE" not in part
    for title in ("Leaver still active", "Orphaned account", "Review quality", "Remediation"):
        assert title in text, title
    for title in (
        "Leaver still active",
        "How this population was obtained",
        "Gate checks",
        "Columns of population.csv",
    ):
        assert title in evidence, title


@pytest.fixture(scope="module")
def gated(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """Return a run that prints every word and is a gate."""
    folder = tmp_path_factory.mktemp("gated")
    with Simulator(100, 7) as simulator:
        simulator.write_files(folder)
        outcome = run_command(
            *(folder, "--debug", "--verbose", "run", "--format", "csv,html", "--fail-on", "high"),
            ACCESS_REVIEW_PROD_PASSWORD=simulator.password,
        )
    return Finished(folder, Path(outcome.stdout.splitlines()[0]), outcome, simulator)


def test_fail_on_exits_with_1_after_the_report_is_written(gated: Finished) -> None:
    assert gated.outcome.code == 1
    found = rows(gated.report / "findings.csv")
    severe = sum(row["status"] == "open" and row["severity"] in {"critical", "high"} for row in found)
    assert severe > 5
    assert f"error: --fail-on: {severe} findings are open at high or above" in gated.outcome.stderr


def test_json_is_one_document(finished: Finished) -> None:
    listed = finished.command("--json", "rules", "list").result
    assert [rule["rule_id"] for rule in listed] == [row["rule_id"] for row in rows(finished.report / "rules.csv")]

    snapshots = finished.command("--json", "snapshots").result
    assert [snapshot["completeness"] for snapshot in snapshots] == ["FULL"]


def test_sql_writes_every_format_and_only_reads(finished: Finished) -> None:
    query = "select count(*) as accounts from graph.accounts where status = $status"
    active = finished.simulator.population.statuses["active"]
    form = ("--param", "status=active", "--format")

    assert finished.command("sql", query, *form, "csv").stdout == f"accounts\n{active}\n"
    assert json.loads(finished.command("sql", query, *form, "json").stdout) == [{"accounts": active}]
    assert finished.command("sql", query, *form, "table").stdout.split() == ["accounts", "--------", str(active)]
    for attempt in (
        "delete from raw.users",
        "copy (select 1) to 'stolen.csv'",
        "select * from read_text('/etc/passwd')",
        "attach 'other.duckdb'",
        "set enable_external_access = true",
        "install httpfs",
    ):
        refused = finished.command("sql", attempt)
        assert (refused.code, refused.stdout) == (4, ""), attempt
        assert refused.stderr.startswith("error: "), attempt
        assert refused.stderr.splitlines()[-1].startswith("hint: "), attempt
    assert not (finished.folder / "stolen.csv").exists()


def test_sql_writes_parquet_with_the_types_of_the_database(finished: Finished) -> None:
    path = finished.folder / "answer.parquet"
    query = """
        select f.account_id, p.account_id, p.created_at, p.privileged, p.age_days, f.evidence, null as nothing
        from findings.register as f join reports.population as p using (source, account_id)
        where f.severity = $severity order by f.finding_id;  -- two columns of one name
    """

    done = finished.command("sql", query, "--param", "severity=high", "--format", "parquet", "--output", str(path))

    assert (done.code, done.stdout) == (0, f"{path}\n"), done.stderr
    names = ["account_id", "account_id_1", "created_at", "privileged", "age_days", "evidence", "nothing"]
    with duckdb.connect() as connection:
        read = connection.execute("select * from read_parquet($path)", {"path": str(path)})
        assert [column[0] for column in read.description] == names
        assert [str(column[1]) for column in read.description][2:5] == ["TIMESTAMP", "BOOLEAN", "BIGINT"]
        held = read.fetchall()
    assert len(held) > 20
    assert all(row[0] == row[1] for row in held)
    without_a_file = finished.command("sql", "select 1", "--format", "parquet")
    assert (without_a_file.code, without_a_file.stdout) == (2, "")
    assert "--out" in without_a_file.stderr


def test_no_secret_reaches_any_output(gated: Finished) -> None:
    loud, simulator = gated.outcome, gated.simulator
    canaries = [simulator.password.encode(), simulator.token.encode(), b'"hash"']
    written = [path for path in gated.folder.rglob("*") if path.is_file()]
    assert len(written) > 5
    for path in written:
        content = path.read_bytes()
        assert not [canary for canary in canaries if canary in content], path
    assert not [canary for canary in canaries if canary.decode() in loud.stdout + loud.stderr]
