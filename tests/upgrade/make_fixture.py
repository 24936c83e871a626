"""Makes what a year of use leaves behind: a database and its folders, kept as a fixture for later versions.

Run it before a version with a new schema is released: ``make fixture`` writes ``tests/upgrade/schema-N.tar.xz``.
For an earlier version, run it in a checkout of that one, with the path of the file.

Four quarters of a simulated Sisense with 20 accounts: four signed reports, two signed campaigns, one that is open
with half of its decisions, and a plan of remediation that was applied and verified. The last report is time-stamped,
by an authority whose root certificate is kept too. Nothing here is imported by the tests.
"""

from __future__ import annotations

import contextlib
import csv
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pipeline.clock

ACCOUNTS, SEED = 20, 7
QUARTERS = {
    "2026-Q1": datetime(2026, 1, 15, 6, tzinfo=UTC),
    "2026-Q2": datetime(2026, 4, 15, 6, tzinfo=UTC),
    "2026-Q3": datetime(2026, 7, 15, 6, tzinfo=UTC),
    "2026-Q4": datetime(2026, 10, 15, 6, tzinfo=UTC),
}
KEY = "signing-key.pem"
#: Files to read that no later version opens again.
RENDERED = {".pdf", ".xlsx", ".html"}
OPERATOR = ("--by", "Otto Operator", "--email", "otto@example.com")
SIGNER = ("--by", "Cleo Chief", "--email", "chief@example.com", "--role", "CISO")
APPROVER = ("--by", "Ann Approver", "--email", "ann@example.com")

sys.path.insert(0, str(Path(__file__).parents[2]))  # the fake authority is a module of the tests

_now, _offset = time.time, 0.0


def _go_to(moment: datetime) -> None:
    """Move the clock of this process: the program's, and the one of the simulator's answers."""
    global _offset
    _offset = moment.timestamp() - _now()


time.time = lambda: _now() + _offset
pipeline.clock.utc_now = lambda: datetime.now(UTC) + timedelta(seconds=_offset)  # before other modules import it


def run(*arguments: str) -> str:
    """Run a command of the program in this process; return what it printed as its result."""
    from pipeline.cli.main import command_line
    from pipeline.cli.terminal import Terminal

    out = io.StringIO()
    terminal = Terminal()
    with contextlib.redirect_stdout(out):
        command_line().main(list(arguments), "access-review", standalone_mode=False, obj=terminal)
    print(f"{' '.join(arguments)}: {out.getvalue().strip().splitlines()[:1]}", file=sys.stderr)
    return out.getvalue()


def answers(packet: Path, every: int) -> Path:
    """Fill in a packet: keep all items but each third, which is removed; ``every`` 2 answers half of them."""
    with packet.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))[::every]
    filled = Path(f"returned-{packet.name}")
    lines = [
        f"{row['item_id']},{'remove' if number % 3 == 2 and row['type'] == 'group' else 'keep'},seen with the team"
        for number, row in enumerate(rows)
    ]
    filled.write_text("\n".join(["item_id,decision,reason", *lines]) + "\n", encoding="utf-8")
    return filled


def review(name: str, *, is_finished: bool) -> None:
    """Open a campaign over the current build, import what was decided, and sign it off if it is finished."""
    run("review", "open", "--name", name, "--reviewer", "ciso@example.com", "--reviewer", "it@example.com")
    run("review", "packets")
    for packet in sorted(Path("out/campaigns", name).rglob("*.csv")):
        run("review", "import", str(answers(packet, 1 if is_finished else 2)))
    if is_finished:
        run("review", "sign-off", *SIGNER)


def live(users: list[dict[str, Any]], quarter: int, moment: datetime) -> None:
    """Let the accounts of a quarter be used, all but two, and let people move, leave and change their name."""
    active = [user for user in users if user.get("active")]
    for user in active[2:]:
        user["lastLogin"] = user["lastActivity"] = f"{moment - timedelta(days=9):%Y-%m-%dT%H:%M:%S.000Z}"
    if quarter:
        active[-1]["active"] = False
        active[3]["groups"] = (active[3].get("groups") or [])[:1]
        active[3 + quarter]["lastName"] = f"Renamed{quarter}"


def year() -> None:
    """Work through the quarters in the current folder."""
    from pipeline.simulator import population
    from pipeline.simulator.server import Simulator
    from tests.fakes.time_stamp_authority import Authority

    _go_to(QUARTERS["2026-Q1"])
    made = population.build(ACCOUNTS, SEED, QUARTERS["2026-Q1"])
    with Simulator(ACCOUNTS, SEED, population=made) as simulator, Authority(Path("authority")) as authority:
        simulator.write_files(Path())
        os.environ["ACCESS_REVIEW_PROD_PASSWORD"] = simulator.password
        run("keygen", "--out", KEY)
        os.environ["ACCESS_REVIEW_SIGNING_KEY_FILE"] = KEY
        for number, (name, moment) in enumerate(QUARTERS.items()):
            _go_to(moment)
            live(simulator.sisense.store.users, number, moment)
            if number == 3:
                with Path("access-review.toml").open("a", encoding="utf-8") as configuration:
                    configuration.write(f'\n[evidence]\ntimestamp_url = "{authority.url}"\n')
            run("run", "--format", "csv")
            if number in {1, 2, 3}:
                review(name, is_finished=number < 3)
            if number == 2:
                run("remediate", "plan", "--stale-days", "90", "--max-share", "100")
                run("remediate", "approve", "remediation-plan.json", *APPROVER)
                run("remediate", "apply", "remediation-plan.json", *OPERATOR, "--yes")
                run("remediate", "verify")
    run("database", "compact")
    Path(KEY).unlink()
    Path("authority/root.pem").rename("tsa-root.pem")
    shutil.rmtree("authority")


def said() -> Iterator[tuple[str, str]]:
    """Yield what the program of this version says of the result, which later versions must say too."""
    for name, query in {
        "population": "select * from reports.population order by all",
        "findings": "select * from reports.findings order by all",
        "trend": "select * from history.trend order by all",
        "decisions": "select * from review.decisions order by all",
        "sign_offs": "select * from review.sign_offs order by all",
        "reports": "select * from meta.reports order by all",
        "changes": "select * from review.changes order by all",
    }.items():
        yield name, run("sql", query, "--format", "csv")


def _target() -> Path:
    from pipeline.warehouse import migrations

    return Path(__file__).with_name(f"schema-{migrations.newest_version()}.tar.xz")


def main(target: Path) -> None:
    """Make the fixture, and pack it."""
    target = target.resolve()
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        year()
        Path("said").mkdir()
        for name, text in said():
            Path("said", f"{name}.csv").write_text(text, encoding="utf-8")
        Path("made-by").write_text(commit + "\n", encoding="utf-8")
        with tarfile.open(target, "w:xz", preset=9) as archive:
            for path in sorted(Path().rglob("*")):
                is_sealed = path.parts[0] == "out" and "campaigns" not in path.parts
                if path.is_file() and (is_sealed or path.suffix not in RENDERED):
                    archive.add(path, recursive=False)
    print(f"{target}: {target.stat().st_size:,} bytes", file=sys.stderr)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else _target())
