"""Two quarters of review, as people do them: packets out, decisions in, signed, and remembered the next time."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest

from pipeline.simulator.server import Simulator
from tests.e2e.conftest import Outcome, run_command

NAME = "2026-Q4"


class Quarter:
    """A folder with a configuration, and the simulator that it reviews."""

    def __init__(self, simulator: Simulator, folder: Path) -> None:
        self.simulator = simulator
        self.folder = folder

    @property
    def secret(self) -> dict[str, str]:
        return {"ACCESS_REVIEW_PROD_PASSWORD": self.simulator.password}

    def run(self) -> Path:
        outcome = self("run")
        return Path(outcome.stdout.splitlines()[0]).parent

    def __call__(self, *arguments: str, code: int = 0) -> Outcome:
        outcome = run_command(self.folder, *arguments, **self.secret)
        assert outcome.code == code, outcome.stderr
        return outcome

    def status(self) -> dict:
        return json.loads(self("--json", "review", "status", "--name", NAME).stdout)


@pytest.fixture(scope="module")
def quarter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Quarter]:
    folder = tmp_path_factory.mktemp("review-cycle")
    with Simulator(500, 7) as simulator:
        simulator.write_files(folder)
        yield Quarter(simulator, folder)


def decide(row: dict[str, object]) -> dict[str, object]:
    """Return what a diligent reviewer writes: a reason wherever it is dangerous."""
    remove = row["recommendation"] == "remove" and row["type"] == "group"
    return {"decision": "Remove " if remove else "KEEP", "reason": "seen, and talked to them"}


def fill_workbook(path: Path) -> int:
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
    first = quarter.run()
    refused = quarter("review", "open", "--name", NAME, code=1)
    assert "nobody is there to decide on" in refused.stderr
    fallbacks = ("--reviewer", "ciso@example.com", "--reviewer", "it@example.com")
    opened = json.loads(quarter("--json", "review", "open", "--name", NAME, *fallbacks, "--due", "2099-12-31").stdout)
    assert len(opened["reviewers"]) >= 8
    with (first / "access.csv").open(encoding="utf-8", newline="") as stream:
        access = list(csv.DictReader(stream))
    items = sum(each["items"] for each in opened["reviewers"])
    assert items + sum(each["items"] for each in opened["left_out"]) == len({row["item_id"] for row in access})
    assert quarter("review", "open", "--name", NAME, *fallbacks, code=2).stderr.startswith(
        "error: there is a campaign"
    )

    # packets go out, and come back filled in by two kinds of people
    packets = [Path(line) for line in quarter("review", "packets").stdout.splitlines()]
    workbooks = [path for path in packets if path.suffix == ".xlsx"]
    assert len(workbooks) == len(opened["reviewers"])
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
    assert "row 2, A2: 'nothing' is no item" in wrong.stderr
    assert quarter.status()["decisions"]["pending"] == items

    # nobody signs while anything is open
    quarter("review", "import", filled[0])
    signature = ("--by", "Cleo Chief", "--email", "chief@example.com", "--role", "CISO")
    assert "not decided yet" in quarter("review", "sign-off", *signature, code=1).stderr
    quarter("review", "import", *filled)
    done = quarter.status()
    assert done["decisions"]["pending"] == 0
    assert done["blockers"] == []
    decisions = done["decisions"]
    parts = ("kept", "removed", "reduced", "deferred", "excepted", "pending")
    assert decisions["items"] == items == sum(decisions[part] for part in parts)
    assert decisions["removed"] > 0

    # the same files again change nothing
    repeated = json.loads(quarter("--json", "review", "import", *filled).stdout)
    assert {(each["new"], each["changed"]) for each in repeated} == {(0, 0)}

    # signed, sealed, and verified by somebody who has the folder alone
    files = [Path(line) for line in quarter("review", "sign-off", *signature).stdout.splitlines()]
    sealed = files[0].parent
    assert sealed.name == f"{first.name}-signoff-{NAME}"
    manifest = json.loads((sealed / "manifest.json").read_text(encoding="utf-8"))
    verified = quarter("--json", "verify", str(sealed))
    assert json.loads(verified.stdout)["verified"] is True
    assert manifest["previous_manifest_sha256"] == _sha256(first / "manifest.json")
    with (sealed / "decisions.csv").open(encoding="utf-8", newline="") as stream:
        kept = list(csv.DictReader(stream))
    assert {row["item_id"] for row in kept} == {row["item_id"] for row in access}
    assert sum(bool(row["decision"]) for row in kept) == items
    assert "signed off" in quarter("review", "sign-off", "--name", NAME, *signature, code=1).stderr
    assert "signed off" in quarter("review", "import", "--name", NAME, filled[0], code=1).stderr

    # what was decided is done, and a fresh extract shows it
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
    # a group may list a member on its own side, which no change of an account takes away: that is told, not hidden
    verdicts = json.loads(run_command(quarter.folder, "--json", "remediate", "verify", **quarter.secret).stdout)
    assert verdicts["verdicts"]["removed_verified"] + verdicts["verdicts"]["still_present"] == len(changes)
    assert verdicts["verdicts"]["removed_verified"] > 0

    # the next quarter knows what was decided, compares with what was signed, and leaves that alone
    second = quarter.run()
    with (second / "access.csv").open(encoding="utf-8", newline="") as stream:
        later = {row["item_id"]: row for row in csv.DictReader(stream)}
    told = [row for row in later.values() if row["prior_decision"]]
    assert len(told) == items - verdicts["verdicts"]["removed_verified"]
    assert {row["prior_decision"] for row in told} <= {"keep", "remove"}
    written = json.loads((second / "manifest.json").read_text(encoding="utf-8"))
    assert written["baseline_snapshot_id"] == first.name
    assert quarter("verify", "--rebuild", str(second)).stdout.count("equal: access.csv") == 1
    next_name = "2027-Q1"
    quarter("review", "open", "--name", next_name, *fallbacks)
    quarter("review", "packets")
    workbook = openpyxl.load_workbook(next((second.parent / "campaigns" / next_name).glob("*.xlsx")))
    names = [cell.value for cell in workbook["Decisions"][1]]
    priors = [row[names.index("prior_decision")].value for row in workbook["Decisions"].iter_rows(min_row=2)]
    assert any(str(prior).startswith(("keep by", "remove by")) for prior in priors)


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_a_workbook_saved_again_by_libreoffice_imports_unchanged(tmp_path: Path) -> None:
    with Simulator(500, 11) as simulator:
        simulator.write_files(tmp_path)
        quarter = Quarter(simulator, tmp_path)
        quarter.run()
        quarter("review", "open", "--name", NAME, "--reviewer", "ciso@example.com", "--reviewer", "it@example.com")
        path = next(Path(line) for line in quarter("review", "packets").stdout.splitlines() if line.endswith(".xlsx"))
        count = fill_workbook(path)
        saved = tmp_path / "saved"
        command = ["soffice", "--headless", f"-env:UserInstallation={(tmp_path / 'office').as_uri()}"]
        subprocess.run(
            [*command, "--convert-to", "xlsx", "--outdir", str(saved), str(path)],
            check=True, capture_output=True, timeout=120,
        )  # fmt: skip

        [found] = json.loads(quarter("--json", "review", "import", str(saved / path.name)).stdout)

    assert (found["new"], found["problems"]) == (count, [])


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
