"""A quarter of review as people do it: what they fill in, what changes meanwhile, and the sums that must agree."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import html
import itertools
import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import httpx
import openpyxl
import pypdf

from pipeline.simulator.population import Population
from pipeline.simulator.server import Simulator
from tests.e2e.conftest import Outcome, run_command
from tests.fakes.reach import BY_ROLE, Reach

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


#: A day that a decision may be deferred to.
LATER = str(datetime.now(UTC).date() + timedelta(days=60))


def decide(row: dict[str, object]) -> dict[str, object]:
    """Return the answers of a diligent reviewer, with a reason for each high-risk item.

    Half of what could be removed is: carrying it out takes a tenth of a second for each.
    """
    remove = row["recommendation"] == "remove" and row["type"] == "group" and str(row["item_id"])[-1] in "01234567"
    return {"decision": "Remove " if remove else "KEEP", "reason": "seen, and talked to them"}


def decide_next(row: dict[str, object]) -> dict[str, object]:
    """Return the answers a quarter later: new decisions on new items, the earlier ones on the rest."""
    reason = {"reason": "compared with the last quarter"}
    if row["change"] == "new" and row["type"] == "role":
        if row["access"] in {"Viewer", "consumer"}:
            return {"decision": "defer", "defer_until": LATER, **reason}
        return {"decision": "reduce", "target_role": "viewer", **reason}
    if row["change"] == "new":
        approved = {"approver": "cfo@example.com", "expires_on": LATER}
        return {"decision": "exception", **approved, **reason}
    if row["prior_decision"] and str(row["prior_decision"]).startswith("remove"):
        return {"decision": "remove", **reason}
    return {"decision": "keep", **reason}


#: Headings of the workbook -> other names in CSV.
_NAMES = {"Person": "who", "Last decision": "prior_decision"}


def fill_workbook(path: Path, decide: Callable[[dict[str, object]], dict[str, object]] = decide) -> int:
    book = openpyxl.load_workbook(path)
    sheet = book["Decisions"]
    names = [str(cell.value) for cell in sheet[1]]
    names = [_NAMES.get(name, name.lower().replace(" ", "_")) for name in names]
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


def text_of(path: Path, pages: int | None = None) -> str:
    """Return the text of a PDF, or of its first pages, with single spaces."""
    return " ".join(" ".join(page.extract_text() for page in pypdf.PdfReader(path).pages[:pages]).split())


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
        f"{in_snapshot:,} items of access in the extract = {len(reviewed):,} reviewed + "
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
    assert f"assigned to {len(reviewers):,} reviewers" in text
    assert f"{len(dangerous):,} items were high risk" in text
    assert f"{kept / len(reviewed) * 100:.1f} % of the decisions keep the access" in text
    assert json.loads((sealed / "manifest.json").read_text(encoding="utf-8"))["data_sha256"] in text.replace(" ", "")
    for each in reviewers:
        own = [row for row in reviewed if row["reviewer_email"] == each["reviewer_email"]]
        high = sum(row["risk"] in {"critical", "high"} for row in own)
        counts = " ".join(f"{sum(row['decision'] == decision for row in own):,}" for decision in PARTS.values())
        assert f"{each['reviewer_email']} {len(own):,} {counts} 0 {high:,}" in text
    return rows


def words_of(page: Path) -> str:
    """Return the text of an HTML page with single spaces."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page.read_text(encoding="utf-8"))).split())


def assert_quality_reported(report: Path, name: str, decisions: list[Row], items: int, accounts: int) -> None:
    """Compare the review quality in the next report, as a page and as a PDF if there is one, with the decisions."""
    texts = [words_of(report / "access-review.html"), *map(text_of, report.glob("access-review.pdf"))]
    for text in texts:
        assert_quality(text, report, name, decisions, items, accounts)


def assert_quality(text: str, report: Path, name: str, decisions: list[Row], items: int, accounts: int) -> None:
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
        f"{items:,} items of access in the extract = {len(reviewed):,} reviewed + "
        f"{len(decisions) - len(reviewed):,} left out with a reason + {items - len(decisions):,} outside the scope.",
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


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def assert_opens(access: list[Row], packets: list[Path], population: Population) -> None:
    """Compare what a group or role opens, as the packets say, with the simulator's dashboards and data models."""
    reach = Reach(population, population.objects)
    titles = {made.oid: made.title for made in population.objects.dashboards}
    groups = {group["_id"] for group in population.groups}
    items = {row["item_id"]: row for row in access}
    for row in itertools.chain.from_iterable(rows_of(packet) for packet in packets):
        item = items[row["item_id"].removeprefix("item-")]
        if row["type"] == "role":
            every = BY_ROLE.get(reach.role_of(item["account_id"]), ())
            assert row["opens"] == " and ".join(f"every {kind}".replace(" model", " data model") for kind in every)
            continue
        if item["entitlement_id"] not in groups:
            assert row["opens"] == ""
            continue
        grants = {path for path in reach.all_grants if (path.via, path.via_id) == ("group", item["entitlement_id"])}
        dashboards = {path.object_id for path in grants if path.object_type == "dashboard"}
        edited = sum(path.object_type == "dashboard" and path.level == "edit" for path in grants)
        if not grants:
            expected = "no dashboard and no data model"
        elif len(dashboards) == 1:
            expected = f"dashboard {titles[min(dashboards)]}" + (", edits it" if edited else "")
        elif dashboards:
            expected = f"{len(dashboards)} dashboards" + (f", edits {edited}" if edited else "")
        else:
            expected = "data model"
        assert row["opens"].startswith(expected) or row["opens"].startswith(f"{len(grants)} data models"), row
        assert ("model" in row["opens"]) == any(path.object_type == "model" for path in grants) or not grants


def assert_names_no_one(quarter: Quarter) -> None:
    """Check the pseudonymised report of a quarter with reviews, a sign-off and remediation."""
    (quarter.folder / "policy" / "owners.csv").write_text(
        "entitlement_type,entitlement_name,reviewer_email\ngroup,Finance Team,owner-canary@canary.test\n"
    )
    quarter("build")
    folder = Path(quarter("report", "--pseudonymise", "--format", "csv,html,graph").stdout.splitlines()[0])
    texts = {path.name: path.read_text(encoding="utf-8").lower() for path in folder.glob("*.*") if path.is_file()}
    assert len(texts) > 10
    assert "[left out]" in texts["access-review.html"]
    named = [
        "seen, and talked to them", "compared with the last quarter", "cleo chief", "chief@example.com", "ann ek",
        "ann.ek@example.com", "bo dahl", "bo.dahl@example.com", "ciso@example.com", "it@example.com", "canary",
    ]  # fmt: skip
    assert [(name, found) for name, text in texts.items() for found in named if found in text] == []
