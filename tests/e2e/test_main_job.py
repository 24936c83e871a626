"""From a Sisense to the reports: everything that was planted is found, and nothing else."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections import Counter
from pathlib import Path

import duckdb
from pypdf import PdfReader

from pipeline.simulator.server import Simulator
from tests.e2e.conftest import ACCOUNTS, Finished, run_command

#: What 2,000 synthetic accounts of seed 7 hold, by rule and severity.
PLANTED: dict[str, dict[str, int]] = {
    "break_glass_used": {},
    "contract_expired": {"high": 2, "low": 2},
    "dangling_reference": {"medium": 4},
    "duplicate_accounts": {"medium": 8},
    "edited_builtin_role": {"high": 1},
    "empty_group": {"medium": 1, "low": 1},
    "exception_expired": {},
    "excessive_groups": {"low": 2},
    "external_domain": {"critical": 1, "high": 3, "medium": 3},
    "idp_drift": {},
    "inactive_with_access": {"medium": 1, "low": 5},
    "kept_high_risk_without_comment": {},
    "leaver_active": {"critical": 9},
    "leaver_login_after_end": {"critical": 2},
    "local_account_beside_sso": {"high": 2, "medium": 4},
    "login_data_missing": {},
    "login_unknown": {"info": 4},
    "membership_disagreement": {"low": 4},
    "missing_email": {"low": 2},
    "never_logged_in": {"high": 2, "medium": 4},
    "new_privileged_account": {},
    "orphaned_account": {"high": 10},
    "out_of_band_account": {},
    "over_privileged_vs_peers": {"high": 1, "medium": 2},
    "privileged_group_growth": {},
    "privileged_through_group": {"medium": 3},
    "rare_group_membership": {"low": 22},
    "reactivated_account": {},
    "reappeared_access": {},
    "review_overdue": {},
    "revocation_not_verified": {},
    "role_not_assigned": {},
    "role_raised": {},
    "roster_drift": {"low": 3},
    "rubber_stamping": {},
    "self_review": {},
    "several_accounts_one_person": {"medium": 2},
    "shared_account": {"high": 1, "medium": 2},
    "sod_conflict": {"high": 2},
    "stale_account": {"high": 5, "medium": 9},
    "stale_invitation": {"low": 3},
    "stale_privileged_account": {"critical": 2, "high": 5},
    "too_few_admins": {},
    "too_many_admins": {},
    "unclassified_role": {"medium": 6},
    "unreviewed_service_account": {"high": 1, "medium": 2},
    "user_name_reused": {},
}

#: Rules about what a review decided: where there was no review they judge nobody.
OF_CAMPAIGNS = {
    "kept_high_risk_without_comment",
    "reappeared_access",
    "revocation_not_verified",
    "rubber_stamping",
    "self_review",
}

#: Rules that compare with peers: the answer key speaks of accounts that belong to a person alone.
ABOUT_PEERS = {"over_privileged_vs_peers", "rare_group_membership", "excessive_groups"}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def answerable(report: Path) -> list[dict[str, str]]:
    """Return the findings that the answer key decides on."""
    known = {row["account_id"] for row in rows(report / "population.csv") if row["person_id"]}
    return [
        row
        for row in rows(report / "findings.csv")
        if row["rule_id"] not in ABOUT_PEERS or row["account_id"] in known
    ]


def test_the_table_of_planted_findings_is_found_exactly(finished: Finished) -> None:
    found = answerable(finished.report)

    counts = {rule: Counter(row["severity"] for row in found if row["rule_id"] == rule) for rule in PLANTED}
    assert counts == PLANTED
    assert {row["rule_id"] for row in found} <= set(PLANTED)


def test_each_finding_is_on_the_account_it_was_planted_on(finished: Finished) -> None:
    planted = Counter(
        (row["rule_id"], row["severity"], row["account_id"], row["status"])
        for row in rows(finished.folder / "planted.csv")
        if row["rule_id"] in PLANTED
    )

    found = Counter(
        (row["rule_id"], row["severity"], row["account_id"], row["status"]) for row in answerable(finished.report)
    )
    assert found == planted


def test_the_population_is_everybody_with_the_states_that_were_made(finished: Finished) -> None:
    population = rows(finished.report / "population.csv")

    truth = finished.simulator.population
    assert [row["account_id"] for row in population] == sorted(user["_id"] for user in truth.users)
    assert len(population) == ACCOUNTS
    assert Counter(row["login_state"] for row in population) == Counter(truth.login_states)
    assert Counter(row["status"] for row in population) == Counter(truth.statuses)
    assert {row["change_since_baseline"] for row in population} == {"no_baseline"}


def test_every_rule_adds_up(finished: Finished) -> None:
    for row in rows(finished.report / "rules.csv"):
        judged = [int(row[name]) for name in ("passed", "failed", "unknown")]
        assert int(row["population"]) == sum(judged), row["rule_id"]
        assert (sum(judged) > 0) == (row["rule_id"] not in OF_CAMPAIGNS), row["rule_id"]


def test_stdout_is_the_folder_and_the_pdf_and_stderr_the_story(finished: Finished) -> None:
    folder, pdf = (Path(line) for line in finished.outcome.stdout.splitlines())
    assert {path.name for path in folder.iterdir()} >= {"population.csv", "findings.csv", "rules.csv"}
    assert pdf == folder / "access-review.pdf"
    assert pdf.is_file()
    assert "findings  147 open: 14 critical, 36 high, 49 medium, 44 low, 4 info" in finished.outcome.stderr
    story = " ".join(finished.outcome.stderr.split())
    assert "15 of 47 rules were not evaluated: " in story
    assert "6 because there is no earlier extract to compare with" in story
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


def test_hostile_names_are_plain_text_everywhere(finished: Finished) -> None:
    population = rows(finished.report / "population.csv")
    names = {row["display_name"] for row in population} | {row["first_name"] for row in population}

    assert any(name.startswith("'=HYPERLINK(") for name in names)
    assert not any(name.startswith("=") for name in names)
    assert any("<script>" in name for name in names)
    assert any('<img src="file:///etc/passwd">' in name for name in names)
    assert any(len(name) >= 300 for name in names)
    assert any("\n" in name for name in names)
    assert any('"' in name for name in names)

    text = "\n".join(page.extract_text() for page in PdfReader(finished.report / "access-review.pdf").pages)
    assert "root:" not in text  # the first line of the file that one name asks for


def test_the_report_reads_like_one(finished: Finished) -> None:
    reader = PdfReader(finished.report / "access-review.pdf")
    text = re.sub(r"\s+", " ", "\n".join(page.extract_text() for page in reader.pages))

    assert reader.metadata is not None
    assert "Access review" in str(reader.metadata.title)
    assert "Example Corp" in text
    assert "2,000" in text
    for title in ("Leaver still active", "Account without an owner", "How this population was obtained"):
        assert title in text, title
    assert "NOT COMPLETE" not in text


def test_fail_on_ends_with_1_after_the_report_is_written(simulator: Simulator, tmp_path: Path) -> None:
    simulator.write_files(tmp_path)
    gated = run_command(
        tmp_path, "run", "--format", "csv", "--fail-on", "critical", ACCESS_REVIEW_PROD_PASSWORD=simulator.password
    )

    assert gated.code == 1
    assert "error: 14 findings are open at critical or above" in gated.stderr
    assert (Path(gated.stdout.splitlines()[0]) / "findings.csv").is_file()


def test_json_is_one_document(finished: Finished) -> None:
    listed = finished.command("--json", "rules", "list").result
    assert [rule["rule_id"] for rule in listed] == sorted(PLANTED)

    snapshots = finished.command("--json", "snapshots").result
    assert [snapshot["completeness"] for snapshot in snapshots] == ["FULL"]


def test_sql_answers_in_every_format_and_only_reads(finished: Finished) -> None:
    query = "select count(*) as accounts from graph.accounts where status = $status"
    form = ("--param", "status=active", "--format")

    assert finished.command("sql", query, *form, "csv").stdout == "accounts\n1834\n"
    assert json.loads(finished.command("sql", query, *form, "json").stdout) == [{"accounts": 1834}]
    assert finished.command("sql", query, *form, "table").stdout.split() == ["accounts", "--------", "1834"]
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


def test_no_secret_reaches_anything_that_was_written(tmp_path: Path) -> None:
    with Simulator(100) as simulator:
        simulator.write_files(tmp_path)
        loud = run_command(tmp_path, "--debug", "--verbose", "run", ACCESS_REVIEW_PROD_PASSWORD=simulator.password)

    assert loud.code == 0, loud.stderr
    canaries = [simulator.password.encode(), simulator.token.encode(), b'"hash"']
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) > 5
    for path in written:
        content = path.read_bytes()
        assert not [canary for canary in canaries if canary in content], path
    assert not [canary for canary in canaries if canary.decode() in loud.stdout + loud.stderr]
