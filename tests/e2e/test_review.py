"""Two quarterly reviews: packets, decisions, sign-off, and the earlier decisions in the next campaign."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import json
import os
import pty
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import httpx
import openpyxl
import pypdf
import pytest

from pipeline.simulator.server import Simulator
from tests.e2e.conftest import Outcome, run_command

NAME, NEXT = "2026-Q4", "2027-Q1"
FALLBACKS = ("--reviewer", "ciso@example.com", "--reviewer", "it@example.com")
SIGNATURE = ("--by", "Cleo Chief", "--email", "chief@example.com", "--role", "CISO")
PARTS = {"kept": "keep", "removed": "remove", "reduced": "reduce", "deferred": "defer", "excepted": "exception"}

Row = dict[str, str]


class Quarter:
    """A folder with a configuration, and the simulator under review."""

    def __init__(self, simulator: Simulator, folder: Path) -> None:
        self.simulator = simulator
        self.folder = folder

    @property
    def secret(self) -> dict[str, str]:
        return {"ACCESS_REVIEW_PROD_PASSWORD": self.simulator.password}

    def run(self, formats: str) -> Path:
        outcome = self("run", "--format", formats)
        return Path(outcome.stdout.splitlines()[0])

    def __call__(self, *arguments: str, code: int = 0) -> Outcome:
        outcome = run_command(self.folder, *arguments, **self.secret)
        assert outcome.code == code, outcome.stderr
        return outcome

    def status(self, name: str = NAME) -> dict:
        return self("--json", "review", "status", "--name", name).result


@pytest.fixture(scope="module")
def quarter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Quarter]:
    folder = tmp_path_factory.mktemp("review-cycle")
    with Simulator(500, 7) as simulator:
        simulator.write_files(folder)
        yield Quarter(simulator, folder)


def decide(row: dict[str, object]) -> dict[str, object]:
    """Return the answers of a diligent reviewer, with a reason for each high-risk item."""
    remove = row["recommendation"] == "remove" and row["type"] == "group"
    return {"decision": "Remove " if remove else "KEEP", "reason": "seen, and talked to them"}


def decide_next(row: dict[str, object]) -> dict[str, object]:
    """Return the answers a quarter later: new decisions on new items, the earlier ones on the rest."""
    reason = {"reason": "compared with the last quarter"}
    if row["change"] == "new" and row["type"] == "role":
        if row["access"] in {"Viewer", "consumer"}:
            return {"decision": "defer", "defer_until": "2099-06-30", **reason}
        return {"decision": "reduce", "target_role": "viewer", **reason}
    if row["change"] == "new":
        approved = {"approver": "ciso@example.com", "expires_on": "2099-12-31"}
        return {"decision": "exception", **approved, **reason}
    if row["prior_decision"] and str(row["prior_decision"]).startswith("remove"):
        return {"decision": "remove", **reason}
    return {"decision": "keep", **reason}


def fill_workbook(path: Path, decide: Callable[[dict[str, object]], dict[str, object]] = decide) -> int:
    book = openpyxl.load_workbook(path)
    sheet = book["Decisions"]
    names = [cell.value for cell in sheet[1]]
    for cells in sheet.iter_rows(min_row=2):
        row = dict(zip(names, (cell.value for cell in cells), strict=True))
        for name, value in decide(row).items():
            cells[names.index(name)].value = value
    book.save(path)
    return sheet.max_row - 1


def fill_csv(path: Path, target: Path) -> None:
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    names = ["Item ID", "Decision", "Reason"]  # moved, cut down, with semicolons, in the form of a local Excel
    lines = [";".join(names)]
    for row in rows:
        found = decide(row)
        lines.append(f"{row['item_id']};{found['decision']};{found['reason']}")
    target.write_bytes("\r\n".join([*lines, ";;", f";;{len(rows)} rows"]).encode("utf-16"))


def test_two_quarters(quarter: Quarter) -> None:
    # the first quarter is opened
    first = quarter.run("csv")
    refused = quarter("review", "open", "--name", NAME, code=1)
    assert "have no reviewer" in refused.stderr
    opened = quarter("--json", "review", "open", "--name", NAME, *FALLBACKS, "--due", "2099-12-31").result
    assert len(opened["reviewers"]) >= 8
    with (first / "access.csv").open(encoding="utf-8", newline="") as stream:
        access = list(csv.DictReader(stream))
    items = sum(each["items"] for each in opened["reviewers"])
    assert items + sum(each["items"] for each in opened["left_out"]) == len({row["item_id"] for row in access})
    assert quarter("review", "open", "--name", NAME, *FALLBACKS, code=2).stderr.startswith(
        "error: there is a campaign"
    )

    # packets are written, and returned by two kinds of reviewers
    packets = [Path(line) for line in quarter("review", "packets").stdout.splitlines()]
    workbooks = [path for path in packets if path.suffix == ".xlsx"]
    assert len(workbooks) == len(opened["reviewers"])
    read = " ".join(text_of(path) for path in packets if path.suffix == ".pdf")
    for each in opened["reviewers"]:
        assert f"{each['reviewer_email']}: please decide on {each['items']:,} item" in read
    again = {path: path.read_bytes() for path in packets}
    quarter("review", "packets")
    assert {path: path.read_bytes() for path in packets} == again
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
    assert manifest["previous_manifest_sha256"] == _sha256(first / "manifest.json")
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
    verdicts = run_command(quarter.folder, "--json", "remediate", "verify", **quarter.secret).result
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

    # the second campaign starts with high-risk and new access, and folds unchanged access that was kept
    opened = quarter("--json", "review", "open", "--name", NEXT, *FALLBACKS).result
    packets = [Path(line) for line in quarter("review", "packets").stdout.splitlines()]
    reviewed = {
        row["item_id"].removeprefix("item-"): row
        for path in packets
        if path.suffix == ".csv"
        for row in rows_of(path)
    }
    assert len(reviewed) == sum(each["items"] for each in opened["reviewers"])
    for path in packets:
        if path.suffix == ".csv":
            order = [row["attention"] for row in rows_of(path)]
            assert order == sorted(order)
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
    third = quarter.run("csv,html,pdf")
    assert_quality_reported(third, NEXT, decided, len(later), len(rows_of(second / "population.csv")))
    assert json.loads((third / "manifest.json").read_text(encoding="utf-8"))["baseline_snapshot_id"] == second.name


@dataclass(frozen=True)
class Changed:
    """The joiners, promotions and leavers between two quarters, by account id."""

    joined: tuple[str, ...]
    raised: str
    left: str


def live(simulator: Simulator) -> Changed:
    """Make the changes of a quarter in the simulator, over its API."""
    roles = {role["name"]: role["_id"] for role in simulator.population.roles}
    viewers = [
        user
        for user in simulator.sisense.store.users
        if user.get("active") is True and user.get("roleId") == roles["consumer"] and user.get("groups")
    ]
    raised, left = viewers[0], viewers[1]
    headers = {"Authorization": f"Bearer {simulator.token}"}
    users = "/api/v1/users"
    with httpx.Client(base_url=simulator.url, headers=headers) as client:
        created = [
            client.post(
                users,
                json={
                    "email": f"joiner{number}@example.com",
                    "userName": f"joiner{number}",
                    "password": "synthetic-1",
                    "roleId": roles["consumer"],
                    "groups": raised["groups"][-1:],
                },
            )
            for number in range(3)
        ]
        changes = [
            client.patch(f"{users}/{raised['_id']}", json={"roleId": roles["dataAdmin"]}),
            client.patch(f"{users}/{left['_id']}", json={"active": False}),
        ]
    assert all(answer.is_success for answer in [*created, *changes])
    return Changed(tuple(answer.json()["_id"] for answer in created), raised["_id"], left["_id"])


def set_due(folder: Path, day: str) -> None:
    """Move the due date into the past; a campaign cannot be opened overdue."""
    with duckdb.connect(folder / "access-review.duckdb") as connection:
        connection.execute("update review.campaigns set due_on = cast($day as date)", {"day": day})


def on_a_terminal(folder: Path, *arguments: str) -> str:
    """Return the output of a command on a terminal."""
    master, slave = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        [sys.executable, "-m", "pipeline", *arguments], cwd=folder, env=environment, stdout=slave
    ) as run:
        os.close(slave)
        shown = b""
        with contextlib.suppress(OSError):  # how Linux says that the other side is closed
            while part := os.read(master, 4096):
                shown += part
        os.close(master)
    assert run.returncode == 0
    return shown.decode()


def rows_of(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def text_of(path: Path) -> str:
    return " ".join(" ".join(page.extract_text() for page in pypdf.PdfReader(path).pages).split())


def identity(rows: list[Row]) -> str:
    """Return the sum that both reports print, counted from the decisions."""
    reviewed = [row for row in rows if not row["exclusion_reason"]]
    counts = {part: sum(row["decision"] == decision for row in reviewed) for part, decision in PARTS.items()}
    counts["pending"] = sum(not row["decision"] for row in reviewed)
    assert sum(counts.values()) == len(reviewed)
    return f"{len(reviewed):,} items = " + " + ".join(f"{count:,} {part}" for part, count in counts.items())


def reconciled(sealed: Path, report: Path, reviewers: list[dict]) -> list[Row]:
    """Compare the numbers of a signed PDF with decisions.csv and its report; return the decisions."""
    rows = rows_of(sealed / "decisions.csv")
    reviewed = [row for row in rows if not row["exclusion_reason"]]
    text = text_of(sealed / "sign-off.pdf")
    in_snapshot = len({row["item_id"] for row in rows_of(report / "access.csv")})
    dangerous = [row for row in reviewed if row["risk"] in {"critical", "high"}]
    kept = sum(row["decision"] == "keep" for row in reviewed)
    accounts = {(row["source"], row["account_id"]) for row in reviewed}
    assert f"{identity(rows)}." in text
    assert (
        f"{in_snapshot:,} roles and groups of accounts in the extract = {len(reviewed):,} asked about + "
        f"{len(rows) - len(reviewed):,} left out with a reason + {in_snapshot - len(rows):,} outside the scope."
    ) in text
    population = rows_of(report / "population.csv")
    assert (
        f"decided on {len(reviewed):,} items of access of {len(accounts):,} of {len(population):,} accounts" in text
    )
    assert "do not prove who filled them in" in text
    assert "own access" not in text
    assert text.startswith("Example Corp Sign-off Access review")
    removed = [row for row in reviewed if row["decision"] in {"remove", "reduce"}]
    found = re.search(r"([\d,]+) decided to remove or reduce = (.*?)\. \d", text)
    assert found
    terms = [int(number.replace(",", "")) for number in re.findall(r"(?:^|\+ )([\d,]+) ", found[2])]
    assert int(found[1].replace(",", "")) == len(removed) == sum(terms)
    for row in removed:
        assert row["entitlement_name"] is None or " ".join(row["entitlement_name"].split()) in text
    assert f"put to {len(reviewers):,} reviewers" in text
    assert f"{len(dangerous):,} items were of high risk" in text
    assert f"{kept / len(reviewed) * 100:.1f} % of the decisions keep the access" in text
    assert json.loads((sealed / "manifest.json").read_text(encoding="utf-8"))["data_sha256"] in text.replace(" ", "")
    for each in reviewers:
        own = [row for row in reviewed if row["reviewer_email"] == each["reviewer_email"]]
        high = sum(row["risk"] in {"critical", "high"} for row in own)
        counts = " ".join(f"{sum(row['decision'] == decision for row in own):,}" for decision in PARTS.values())
        assert f"{each['reviewer_email']} {len(own):,} {counts} 0 {high:,}" in text
    return rows


def assert_quality_reported(report: Path, name: str, decisions: list[Row], items: int, accounts: int) -> None:
    """Compare the review quality in the next report with the sealed decisions."""
    text = text_of(report / "access-review.pdf")
    page = text[text.index(f"{name}: signed off by Cleo Chief") :]
    reviewed = [row for row in decisions if not row["exclusion_reason"]]
    kept = sum(row["decision"] == "keep" for row in reviewed)
    covered = {(row["source"], row["account_id"]) for row in reviewed}
    high = sum(row["risk"] in {"critical", "high"} for row in reviewed)
    signed = text_of(report.parent / next(report.parent.glob(f"*-signoff-{name}")) / "sign-off.pdf")
    run = re.search(r"in the order of the packet, is ([\d,]+)\.", signed)
    assert run
    for said in (
        f"{identity(decisions)}.",
        f"{items:,} in the extract = {len(reviewed):,} asked about + {len(decisions) - len(reviewed):,} left out "
        f"with a reason + {items - len(decisions):,} outside the scope.",
        f"Coverage of items {len(reviewed) / items * 100:.1f} % {len(reviewed):,} of {items:,} roles and groups",
        f"Coverage of accounts {len(covered) / accounts * 100:.1f} % {len(covered):,} of {accounts:,} accounts; "
        f"{len(covered):,} with nothing pending",
        f"High risk {high:,} items of high or critical risk; 0 of them pending",
        f"Approval rate {kept / len(reviewed) * 100:.1f} % {kept:,} kept of {len(reviewed):,} decided",
        "Median time for a decision not known",
        f"Longest uniform run {run[1]} the same decision in a row",
        "Self-reviews 0 must be 0",
    ):
        assert said in page, page[:2000]
    html = (report / "access-review.html").read_text(encoding="utf-8")
    assert f"{identity(decisions)}." in html


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_a_workbook_saved_again_by_libreoffice_imports_unchanged(tmp_path: Path) -> None:
    with Simulator(500, 11) as simulator:
        simulator.write_files(tmp_path)
        quarter = Quarter(simulator, tmp_path)
        quarter.run("csv")
        quarter("review", "open", "--name", NAME, "--reviewer", "ciso@example.com", "--reviewer", "it@example.com")
        path = next(Path(line) for line in quarter("review", "packets").stdout.splitlines() if line.endswith(".xlsx"))
        count = fill_workbook(path)
        saved = tmp_path / "saved"
        command = ["soffice", "--headless", f"-env:UserInstallation={(tmp_path / 'office').as_uri()}"]
        subprocess.run(
            [*command, "--convert-to", "xlsx", "--outdir", str(saved), str(path)],
            check=True, capture_output=True, timeout=120,
        )  # fmt: skip

        [found] = quarter("--json", "review", "import", str(saved / path.name)).result

    assert (found["new"], found["problems"]) == (count, [])


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
