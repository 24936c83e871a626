"""An import or sign-off that is killed at any step is complete or has not happened."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.program import BEFORE_A_FORK, run_command
from tests.e2e.remediating import Prepared
from tests.search import is_deep

#: Runs a command repeatedly, killed before its first step, after it, before its second and so on, until it completes.
#: Prints the state of the database and the report folder after each run. A step is one of the named calls to DuckDB,
#: or the renaming of a folder. With a stride above 1, only every second, third, ... of these moments is tried.
_KILLED = """
import json, os, pathlib, signal, sys
import duckdb
from pipeline.cli import main
from tests.e2e.forking import import_program
import_program()
names, stride, arguments = set(sys.argv[1].split(",")), int(sys.argv[2]), sys.argv[3:]

def forked(work):
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            sys.stdout.flush()
            os._exit(0)
    return os.waitpid(child, 0)[1]

class Watched:
    def __init__(self, connection, step):
        self.connection, self.step = connection, step

    def __getattr__(self, name):
        found = getattr(self.connection, name)
        return self.step(found) if name in names else found

    def __enter__(self):
        self.connection.__enter__()
        return self

    def __exit__(self, *raised):
        return self.connection.__exit__(*raised)

def killed_at(number):
    left = [number]
    def passed():
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
    def step(function):
        def called(*given, **named):
            passed()
            result = function(*given, **named)
            passed()
            return result
        return called
    def work():
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.argv[1:] = arguments
        connect, os.rename = duckdb.connect, step(os.rename)
        duckdb.connect = lambda *given, **named: Watched(connect(*given, **named), step)
        main.main()
    return forked(work)

def report_state():
    with duckdb.connect("access-review.duckdb", read_only=True) as connection:
        print(json.dumps({
            "decisions": connection.execute("select count(*) from review.decisions").fetchone()[0],
            "signed": connection.execute("select count(*) from review.sign_offs").fetchone()[0],
            "folders": sorted(path.name for path in pathlib.Path("out").glob("[0-9]*-signoff-*")),
        }))

for step in range(1, 1000, stride):
    status = killed_at(step)
    forked(report_state)
    if not (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL):
        break
"""


def killed_at_every_step(folder: Path, functions: str, stride: int, *arguments: str) -> list[dict[str, object]]:
    """Return the state after each kill, and after the final uninterrupted command."""
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, functions, str(stride), *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **BEFORE_A_FORK},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    assert done.stdout, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.search
def test_a_killed_import_or_sign_off_is_complete_or_has_not_happened(prepared: Prepared, tmp_path: Path) -> None:
    shutil.copytree(prepared.built, tmp_path, dirs_exist_ok=True)

    def ok(*arguments: str) -> str:
        outcome = run_command(tmp_path, *arguments)
        assert outcome.code == 0, outcome.stderr
        return outcome.stdout

    ok("report", "--format", "csv")
    options = ("--reviewer", "ciso@example.com", "--reviewer", "it@example.com", "--scope", "privileged")
    ok("review", "open", "--name", "Q", *options)
    assigned = "select reviewer_email, item_id from review.items where exclusion_reason is null order by all"
    by_reviewer: dict[str, list[str]] = {}
    for row in json.loads(ok("--json", "sql", assigned))["result"]:
        by_reviewer.setdefault(row["reviewer_email"], []).append(f"item-{row['item_id']},keep,needed")
    most = max(by_reviewer, key=lambda email: len(by_reviewer[email]))
    files = {"last.csv": [by_reviewer[most].pop(), by_reviewer[most].pop()]}
    files |= {f"{email}.csv": lines for email, lines in by_reviewer.items() if lines}
    for name, lines in files.items():
        (tmp_path / name).write_text("\n".join(["item_id,decision,reason", *lines]) + "\n", encoding="utf-8")
    ok("review", "import", *list(files)[1:])
    before = json.loads(ok("--json", "review", "status"))["result"]["decisions"]
    decided, items = before["items"] - before["pending"], before["items"]

    # every moment in the long search; otherwise some of an import, and all around the transactions of a sign-off
    stride = 1 if is_deep() else 5
    imports = killed_at_every_step(tmp_path, "execute,begin,commit", stride, "review", "import", "last.csv")
    signs = killed_at_every_step(
        tmp_path,
        "begin,commit",
        1,
        "review",
        "sign-off",
        "--by",
        "C",
        "--email",
        "c@example.com",
        "--role",
        "R",
    )

    counts = [each["decisions"] for each in imports]
    assert {decided, items} == set(counts)
    assert counts == sorted(counts)
    assert counts.count(decided) > 5
    states = [(each["signed"], len(each["folders"])) for each in signs]
    assert states == sorted(states)
    assert set(states) == {(0, 0), (1, 0), (1, 1)}  # recorded first; the same command then makes the folder
    [folder] = (tmp_path / "out").glob("*-signoff-Q")
    assert json.loads(ok("--json", "verify", str(folder)))["ok"] is True
    sealed = hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    recorded = ok("--json", "sql", "select manifest_sha256 from review.sign_offs")
    assert sealed in recorded
