"""Two quarterly reviews: packets, decisions, sign-off, and the earlier decisions in the next campaign."""

from __future__ import annotations

import csv
import itertools
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipeline.simulator.server import Simulator
from tests.e2e.conftest import Outcome, run_command
from tests.e2e.reviewing import (
    FALLBACKS,
    NAME,
    NEXT,
    PARTS,
    SIGNATURE,
    Quarter,
    assert_names_no_one,
    assert_opens,
    assert_quality_reported,
    decide_next,
    fill_csv,
    fill_workbook,
    live,
    on_a_terminal,
    reconciled,
    rows_of,
    set_due,
    sha256,
    text_of,
)


@dataclass(frozen=True)
class Opened:
    """The first quarter: its report, its campaign, and the packets of that."""

    quarter: Quarter
    report: Path
    refused: Outcome
    result: dict[str, Any]
    packets: list[Path]

    @property
    def workbooks(self) -> list[Path]:
        return [path for path in self.packets if path.suffix == ".xlsx"]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    folder = tmp_path_factory.mktemp("review-cycle")
    with Simulator(100, 7) as simulator:
        simulator.write_files(folder)
        quarter = Quarter(simulator, folder)
        report = quarter.run("csv")
        refused = quarter("review", "open", "--name", NAME, code=1)
        result = quarter("--json", "review", "open", "--name", NAME, *FALLBACKS, "--due", "2099-12-31").result
        packets = [quarter.folder / line for line in quarter("review", "packets").stdout.splitlines()]
        yield Opened(quarter, report, refused, result, packets)


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_a_workbook_saved_again_by_libreoffice_imports_unchanged(opened: Opened, tmp_path: Path) -> None:
    quarter = Quarter(opened.quarter.simulator, shutil.copytree(opened.quarter.folder, tmp_path / "quarter"))
    path = quarter.folder / opened.workbooks[0].relative_to(opened.quarter.folder)
    count = fill_workbook(path)
    saved = tmp_path / "saved"
    command = ["soffice", "--headless", f"-env:UserInstallation={(tmp_path / 'office').as_uri()}"]
    subprocess.run(
        [*command, "--convert-to", "xlsx", "--outdir", str(saved), str(path)],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip

    [found] = quarter("--json", "review", "import", str(saved / path.name)).result

    assert (found["new"], found["problems"]) == (count, [])


def test_two_quarterly_reviews_from_open_to_sign_off(opened: Opened) -> None:
    quarter, first, packets, workbooks = opened.quarter, opened.report, opened.packets, opened.workbooks
    # the first quarter is opened
    assert "have no reviewer" in opened.refused.stderr
    assert len(opened.result["reviewers"]) >= 8
    with (first / "access.csv").open(encoding="utf-8", newline="") as stream:
        access = list(csv.DictReader(stream))
    items = sum(each["items"] for each in opened.result["reviewers"])
    assert items + sum(each["items"] for each in opened.result["left_out"]) == len({row["item_id"] for row in access})
    assert quarter("review", "open", "--name", NAME, *FALLBACKS, code=2).stderr.startswith(
        "error: there is a campaign"
    )

    # packets are written, and returned by two kinds of reviewers
    assert len(workbooks) == len(opened.result["reviewers"])
    read = " ".join(text_of(path, pages=1) for path in packets if path.suffix == ".pdf")
    for each in opened.result["reviewers"]:
        assert f"{each['reviewer_email']}: please decide on {each['items']:,} item" in read
    assert_opens(access, [path for path in packets if path.suffix == ".csv"], quarter.simulator.population)
    returned = quarter.folder / "returned"
    returned.mkdir()
    filled = []
    for number, path in enumerate(sorted(workbooks)):
        if number % 2:
            target = returned / path.with_suffix(".csv").name
            fill_csv(path.with_suffix(".csv"), target)
        else:
            target = shutil.copy(path, returned)
            fill_workbook(Path(target))
        filled.append(str(target))

    # a file with mistakes is not imported, and every mistake is named
    spoilt = returned / "spoilt.csv"
    spoilt.write_text(
        "item_id,decision,defer_until,target_role\n"
        f"nothing,keep,,\n{access[0]['item_id']},maybe,,\n{access[1]['item_id']},defer,03/04/2099,\n",
        encoding="utf-8",
    )
    wrong = quarter("review", "import", str(spoilt), code=2)
    assert [line.partition(": ")[0] for line in wrong.stderr.splitlines()].count("problem") >= 3
    assert "row 2, A2: 'nothing' is not an item" in wrong.stderr
    assert quarter.status()["decisions"]["pending"] == items

    # an unreadable file does not hide the results of the others; sign-off is refused while an item is open
    broken = returned / "broken.xlsx"
    broken.write_bytes(b"not a workbook")
    mixed = quarter("review", "import", str(broken), filled[0], code=2)
    assert [line.split()[0] for line in mixed.stdout.splitlines()[2:]] == [Path(filled[0]).name]
    assert mixed.stderr.count("error: ") == mixed.stderr.count("broken.xlsx") == 1
    pending = quarter.status()["decisions"]["pending"]
    assert 0 < pending < items
    assert "not decided yet" in quarter("review", "sign-off", *SIGNATURE, code=1).stderr

    # a late review is reported in words; bars appear on a terminal only
    set_due(quarter.folder, "2020-01-31")
    late = quarter("review", "status").stdout
    assert re.search(rf"OVERDUE   by [\d,]+ days: {pending:,} items pending, of \d+ reviewers", late)
    assert "[#" not in late
    assert "....]" in on_a_terminal(quarter.folder, "review", "status")
    assert quarter.status()["days_overdue"] > 0
    set_due(quarter.folder, "2099-12-31")

    quarter("review", "import", *filled)
    done = quarter.status()
    assert done["decisions"]["pending"] == 0
    assert done["blockers"] == []
    for group in (done["reviewers"], done["risks"]):
        assert sum(each["items"] for each in group) == sum(each["decided"] for each in group) == items
    decisions = done["decisions"]
    parts = ("kept", "removed", "reduced", "deferred", "excepted", "pending")
    assert decisions["items"] == items == sum(decisions[part] for part in parts)
    assert decisions["removed"] > 0

    # the same files again change nothing
    repeated = quarter("--json", "review", "import", *filled).result
    assert {(each["new"], each["changed"]) for each in repeated} == {(0, 0)}

    # signed, sealed, and verified with the folder alone
    files = [Path(line) for line in quarter("review", "sign-off", *SIGNATURE).stdout.splitlines()]
    sealed = files[0].parent
    assert sealed.name == f"{first.name}-signoff-{NAME}"
    manifest = json.loads((sealed / "manifest.json").read_text(encoding="utf-8"))
    verified = quarter("--json", "verify", str(sealed))
    assert verified.result["verified"] is True
    assert manifest["previous_manifest_sha256"] == sha256(first / "manifest.json")
    kept = reconciled(sealed, first, done["reviewers"])
    assert {row["item_id"] for row in kept} == {row["item_id"] for row in access}
    assert sum(bool(row["decision"]) for row in kept) == items
    assert "signed off" in quarter("review", "sign-off", "--name", NAME, *SIGNATURE, code=1).stderr
    assert "signed off" in quarter("review", "import", "--name", NAME, filled[0], code=1).stderr

    # the decisions are carried out, and a new extract proves it
    removed = {(row["account_id"], row["entitlement_id"]) for row in kept if row["decision"] == "remove"}
    planned = ("remediate", "plan", "--campaign", NAME, "--max-share", "100")
    assert "no campaign" in quarter(*planned[:3], "2026-Q3", code=2).stderr
    quarter(*planned)
    plan = quarter.folder / "remediation-plan.json"
    document = json.loads(plan.read_text(encoding="utf-8"))
    changes = document["changes"]
    assert {change["action"] for change in changes} == {"remove_from_groups"}
    assert len(changes) + len(document["left_out"]) == len(removed)
    assert changes
    quarter("remediate", "approve", str(plan), "--by", "Ann Ek", "--email", "ann.ek@example.com")
    quarter("remediate", "apply", str(plan), "--yes", "--by", "Bo Dahl", "--email", "bo.dahl@example.com")
    users = {user["_id"]: user for user in quarter.simulator.sisense.store.users}
    for change in changes:
        assert change["entitlement_id"] not in users[change["account_id"]]["groups"]
    # a membership that only the group lists cannot be removed by changing the account, and is reported
    verdicts = run_command(
        quarter.folder, "--json", "remediate", "verify", "--format", "csv", **quarter.secret
    ).result
    assert verdicts["verdicts"]["removed_verified"] + verdicts["verdicts"]["still_present"] == len(changes)
    assert verdicts["verdicts"]["removed_verified"] > 0

    # then people join, get promoted and leave
    changed = live(quarter.simulator)

    # the next quarter shows the earlier decisions, compares with the baseline, and reports the review's quality
    second = quarter.run("csv,html,pdf")
    later = {row["item_id"]: row for row in rows_of(second / "access.csv")}
    reviewed_before = [row for row in later.values() if row["prior_decision"]]
    raised_role = 1  # the item of the old role no longer exists
    assert len(reviewed_before) == items - verdicts["verdicts"]["removed_verified"] - raised_role
    assert {row["prior_decision"] for row in reviewed_before} <= {"keep", "remove"}
    written = json.loads((second / "manifest.json").read_text(encoding="utf-8"))
    assert written["baseline_snapshot_id"] == first.name
    assert quarter("verify", "--rebuild", str(second)).stdout.count("equal: access.csv") == 1
    assert_quality_reported(second, NAME, kept, len(access), len(rows_of(first / "population.csv")))
    moved = {
        (row["change"], row["key"]) for row in rows_of(second / "changes.csv") if row["object_kind"] == "account"
    }
    assert moved >= {
        *(("joiner", account_id) for account_id in changed.joined),
        ("role_changed", changed.raised),
        ("deactivated", changed.left),
    }

    # the second campaign keeps the rows of a person together, and marks unchanged access that was kept
    following = quarter("--json", "review", "open", "--name", NEXT, *FALLBACKS).result
    packets = [Path(line) for line in quarter("review", "packets").stdout.splitlines()]
    reviewed = {
        row["item_id"].removeprefix("item-"): row
        for path in packets
        if path.suffix == ".csv"
        for row in rows_of(path)
    }
    assert len(reviewed) == sum(each["items"] for each in following["reviewers"])
    for path in packets:
        if path.suffix == ".csv":
            people = [card for card, _ in itertools.groupby(row["card_id"] for row in rows_of(path))]
            assert len(people) == len(set(people))
    new = {row["item_id"] for row in later.values() if row["change_since_baseline"] == "new"}
    roles_of = {
        row["account_id"]
        for row in later.values()
        if row["item_id"] in new & reviewed.keys() and row["entitlement_type"] == "role"
    }
    assert roles_of == {*changed.joined, changed.raised}
    assert all(not reviewed[item_id]["prior_decision"] for item_id in new & reviewed.keys())
    folded = [row for row in reviewed.values() if row["attention"].startswith("4")]
    assert folded
    assert all(row["prior_decision"].startswith("keep by ") for row in folded)
    assert all(row["change"] == "unchanged" for row in folded)

    # its packets are returned, it is signed too, and all its numbers reconcile
    workbooks = [path for path in packets if path.suffix == ".xlsx"]
    for path in workbooks:
        fill_workbook(path, decide_next)
    quarter("review", "import", *map(str, workbooks))
    done = quarter.status(NEXT)
    assert done["blockers"] == []
    sealed = Path(quarter("review", "sign-off", *SIGNATURE).stdout.splitlines()[0]).parent
    assert quarter("--json", "verify", str(sealed)).result["verified"] is True
    decided = reconciled(sealed, second, done["reviewers"])
    assert {row["item_id"] for row in decided} == set(later)
    assert {row["decision"] for row in decided if row["decision"]} == set(PARTS.values())
    by_account = {row["account_id"]: row for row in decided if row["entitlement_type"] == "role"}
    assert by_account[changed.raised]["decision"] == "reduce"
    assert {by_account[account_id]["decision"] for account_id in changed.joined} == {"defer"}
    third = quarter.run("csv,html")
    assert_quality_reported(third, NEXT, decided, len(later), len(rows_of(second / "population.csv")))
    assert json.loads((third / "manifest.json").read_text(encoding="utf-8"))["baseline_snapshot_id"] == second.name

    # a folder to show outside names none of those who decided, signed, approved and applied, and repeats no reason
    assert_names_no_one(quarter)
